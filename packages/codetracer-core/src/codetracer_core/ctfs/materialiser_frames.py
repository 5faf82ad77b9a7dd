"""Compressing the chunks of a stream in a thread, while the next one is made."""

from __future__ import annotations

import os
import sys
from _queue import SimpleQueue

from codetracer_core._native import lib
from codetracer_core._zstd import Compressor
from codetracer_core.ctfs.layout import COMPRESSION_LEVEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

__all__ = ["FrameThread"]

# Compressing less takes no longer than a turn of the thread.
_LARGE = 128 << 10


class FrameThread:
    """Gives each chunk as a frame to ``append``, in the order of the chunks.

    Large ones are compressed in a thread, where the machine has a processor for it. A context
    manager: leaving it without an exception appends what is left, and the thread ends in any case.
    """

    def __init__(self, append: Callable[[bytes], None]) -> None:
        self._append = append
        self._compressor = Compressor(COMPRESSION_LEVEL)
        self._given: SimpleQueue[memoryview | None] = SimpleQueue()
        self._made: SimpleQueue[bytes | Exception | None] = SimpleQueue()
        self._is_waiting = False
        self._has_thread = False
        self._may_have_thread = (os.cpu_count() or 1) > 1

    def add(self, chunk: memoryview) -> None:
        """Compress ``chunk``, whose memory has to stay until the next chunk was added or the end.

        Raises what compressing this chunk or the one before it raises.
        """
        self._take()
        if len(chunk) < _LARGE or not self._started():
            self._append(self._compressor.compress(chunk))
            return
        self._given.put(chunk)
        self._is_waiting = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._take()
        finally:
            if self._has_thread:
                self._end()

    def _take(self) -> None:
        """Append the frame of the last chunk; raises what compressing it has raised."""
        if not self._is_waiting:
            return
        made = self._made.get()
        self._is_waiting = False
        if isinstance(made, Exception):
            raise made
        if made is not None:
            self._append(made)

    def _end(self) -> None:
        """Wait for the thread whatever a signal handler raises: it reads memory of the caller."""
        self._given.put(None)
        interrupted: BaseException | None = None
        ended = False
        while not ended:
            try:
                # It answers at its end, behind a frame that nobody has taken.
                ended = self._made.get() is None
            except BaseException as error:  # noqa: BLE001 - raised below
                interrupted = error
        if interrupted is not None:
            raise interrupted

    def _started(self) -> bool:
        """Whether the thread runs; at the interpreter's end there can be none."""
        if self._may_have_thread and not self._has_thread:
            # Threads of `_thread` may be something else: gevent puts its own in their place.
            functions = (*self._compressor.builtin(), self._given.get, self._made.put)
            self._has_thread = (
                not sys.is_finalizing() and lib.ct_own_thread_compress(id(functions)) == 0
            )
            self._may_have_thread = self._has_thread
        return self._has_thread
