"""Zstandard frames, from the standard library or, before 3.14, from ``backports.zstd``."""

from __future__ import annotations

import sys

from codetracer_core.errors import TraceError

if sys.version_info >= (3, 14):
    from compression.zstd import (
        CompressionParameter,
        ZstdCompressor,
        ZstdDecompressor,
        ZstdError,
        get_frame_info,
    )
else:
    from backports.zstd import (
        CompressionParameter,
        ZstdCompressor,
        ZstdDecompressor,
        ZstdError,
        get_frame_info,
    )

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Buffer, Callable

__all__ = ["Compressor", "FrameCompressor", "compress", "decompress"]

DEFAULT_LEVEL = 3


class FrameCompressor:
    """Compresses ``size`` bytes, given piece by piece, to one frame that states its content size.

    Each call gives the part of the frame that is ready, which may be empty; :meth:`finish` gives
    the rest. Giving more or fewer than ``size`` bytes raises :class:`ZstdError`.
    """

    __slots__ = ("_compressor",)

    def __init__(self, size: int, level: int = DEFAULT_LEVEL) -> None:
        options: dict[int, int] = {
            CompressionParameter.compression_level: level,
            CompressionParameter.content_size_flag: 1,
        }
        self._compressor = ZstdCompressor(options=options)
        self._compressor.set_pledged_input_size(size)

    def compress(self, data: Buffer) -> bytes:
        """Add ``data``."""
        return self._compressor.compress(data)

    def finish(self) -> bytes:
        """End the frame."""
        return self._compressor.flush(ZstdCompressor.FLUSH_FRAME)


class Compressor:
    """Compresses one buffer after the other, each to one frame that states its content size.

    Repetitions are found up to ``2 ** window_log`` bytes apart, where that is given. Making the
    compressor's tables costs as much as compressing some kilobytes.
    """

    __slots__ = ("_compressor",)

    def __init__(self, level: int = DEFAULT_LEVEL, window_log: int | None = None) -> None:
        options: dict[int, int] = {CompressionParameter.compression_level: level}
        if window_log is not None:
            options[CompressionParameter.window_log] = window_log
        self._compressor = ZstdCompressor(options=options)

    def compress(self, data: Buffer) -> bytes:
        """Return ``data`` as a frame."""
        return self._compressor.compress(data, ZstdCompressor.FLUSH_FRAME)

    def builtin(self) -> tuple[Callable[..., bytes], int]:
        """Return the builtin method that does this, for callers in C, and its second argument."""
        return self._compressor.compress, ZstdCompressor.FLUSH_FRAME


def compress(data: Buffer, level: int = DEFAULT_LEVEL) -> bytes:
    """Return ``data`` as one frame that states its content size."""
    return Compressor(level).compress(data)


def decompress(frame: Buffer, limit: int) -> bytes:
    """Return the content of exactly one frame.

    Raises :class:`TraceError` (``ERR_TRACE_CORRUPT``) when ``frame`` is damaged, is not one whole
    frame, does not state its content size, or would inflate to more than ``limit`` bytes. No more
    than ``limit`` bytes are ever allocated for it.
    """
    try:
        size = get_frame_info(frame).decompressed_size
        if size is None:
            raise _damaged("it does not state its content size")
        if size > limit:
            raise _damaged("it claims to be too large", size=size, limit=limit)
        decompressor = ZstdDecompressor()
        data = decompressor.decompress(frame, size)
        if not decompressor.eof:
            # With the output full, the end of the frame may still have to be read.
            data += decompressor.decompress(b"", 1)
    except ZstdError as error:
        raise _damaged(str(error).partition(". ")[0]) from error
    if not decompressor.eof or len(data) != size:
        raise _damaged("it is cut")
    if decompressor.unused_data:
        raise _damaged("something follows it")
    return data


def _damaged(reason: str, **context: object) -> TraceError:
    return TraceError("ERR_TRACE_CORRUPT", f"a Zstandard frame is damaged: {reason}", **context)
