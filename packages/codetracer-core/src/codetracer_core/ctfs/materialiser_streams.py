"""Streams of compressed chunks and tables of records, written into a container."""

from __future__ import annotations

import struct

from codetracer_core._zstd import Compressor, FrameCompressor
from codetracer_core.ctfs.layout import (
    COMPRESSION_LEVEL,
    ERROR_EVENT,
    VALUES_LEVEL,
    VALUES_WINDOW_LOG,
)
from codetracer_core.ctfs.varint import encode_varint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from codetracer_core.ctfs.writer import ContainerWriter

__all__ = ["ChunkStream", "blob", "error_record", "text_record", "value_compressor", "write_table"]

_OFFSET = struct.Struct("<Q")
_PER_CHUNK = struct.Struct("<I")
# Records of a table that are appended at once, in bytes.
_GATHERED = 32 << 10


def value_compressor() -> Compressor:
    """What compresses chunks of values."""
    return Compressor(VALUES_LEVEL, VALUES_WINDOW_LOG)


class ChunkStream:
    """The stream ``name``: each chunk is one Zstandard frame, and an index says where it begins."""

    def __init__(
        self,
        container: ContainerWriter,
        name: str,
        per_chunk: int,
        compressor: Compressor | None = None,
    ) -> None:
        """`compressor` is another one than that of most streams."""
        self._container = container
        self._data = f"{name}.dat"
        self._index = f"{name}.idx"
        self._compressor = compressor or Compressor(COMPRESSION_LEVEL)
        container.append(self._index, _PER_CHUNK.pack(per_chunk))

    def add(self, records: memoryview) -> None:
        """Compress and append a chunk.

        Here and now: compressing is fast on what the processor has just written, and another one
        would have to fetch it first.
        """
        self.add_frame(self.compressed(records))

    def compressed(self, records: memoryview) -> bytes:
        """Return a chunk as :meth:`add_frame` takes it."""
        return self._compressor.compress(records)

    def add_frame(self, frame: bytes) -> None:
        """Append a chunk that is compressed already."""
        self._begin()
        self._container.append(self._data, frame)

    def add_pieces(self, size: int, pieces: Iterable[memoryview]) -> None:
        """Compress and append a chunk of ``size`` bytes without holding it whole."""
        compressor = FrameCompressor(size, COMPRESSION_LEVEL)
        self._begin()
        for piece in pieces:
            self._container.append(self._data, compressor.compress(piece))
        self._container.append(self._data, compressor.finish())

    def _begin(self) -> None:
        self._container.append(self._index, _OFFSET.pack(self._container.size(self._data)))


def write_table(container: ContainerWriter, name: str, records: Iterable[bytes]) -> None:
    """Write a table of records with an offset for each and one for the end."""
    data, offsets = bytearray(), bytearray(_OFFSET.size)
    end = 0
    for record in records:
        end += len(record)
        data += record
        offsets += _OFFSET.pack(end)
        if len(data) > _GATHERED:
            container.append(f"{name}.dat", data)
            container.append(f"{name}.off", offsets)
            data, offsets = bytearray(), bytearray()
    container.append(f"{name}.dat", data)
    container.append(f"{name}.off", offsets)


def text_record(text: bytes) -> bytes:
    """Return a text of the journal as valid UTF-8; what is none is escaped."""
    try:
        text.decode()
    except UnicodeDecodeError:
        pass
    else:
        return text
    try:
        lenient = text.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        lenient = text.decode("utf-8", "backslashreplace")
    return lenient.encode("utf-8", "backslashreplace")


def blob(data: bytes) -> bytes:
    """Return the bytes with their length before them."""
    return encode_varint(len(data)) + data


def error_record(step: int, text: bytes) -> bytes:
    """Return a record of the events stream: an error of the program at ``step``."""
    place = bytes([ERROR_EVENT]) + encode_varint(step)
    return blob(place + blob(b'{"stream": "error"}') + blob(text))
