"""A second expander, in a thread, that makes every other chunk of values."""

from __future__ import annotations

import os
import sys
from _queue import SimpleQueue

from codetracer_core._native import ffi, lib
from codetracer_core._zstd import Compressor
from codetracer_core.ctfs.layout import COMPRESSION_LEVEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

    from codetracer_core.ctfs.materialiser_streams import ChunkStream
    from codetracer_core.journal.reader import JournalChunk

__all__ = ["ValueHelper", "is_worth_helping"]

# With less to compress, decoding the journal once more takes as much time as is gained.
_BYTES = 32 << 20
_BYTES_A_STEP = 4 << 10


def is_worth_helping(steps: int, value_bytes: int) -> bool:
    """Whether a thread makes the second pass faster, here, by the sizes that the first one found.

    At the interpreter's end there can be none.
    """
    return (
        value_bytes >= max(_BYTES, steps * _BYTES_A_STEP)
        and _processors() > 1
        and not sys.is_finalizing()
    )


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class ValueHelper:
    """Makes the second chunk of values, the fourth and so on, of the journal chunks it is given.

    It appends them to ``values`` in their turn, and what comes behind one that is not made yet, so
    that nobody waits for the other at each chunk. A context manager: the thread ends when it is
    left. ``is_running`` tells whether there is one, to which chunks may be given.
    """

    def __init__(self, values: ChunkStream) -> None:
        self._values = values
        # Frames with their streams, in their order, from the one that the thread makes on.
        self._behind: list[tuple[ChunkStream, bytes | None]] = []
        self._given: SimpleQueue[tuple[bytes, int, bool] | None] = SimpleQueue()
        self._made: SimpleQueue[bytes | Exception | None] = SimpleQueue()
        self._handle = ffi.NULL
        self.is_running = False

    def start(self, main_script: bytes, per_chunk: int) -> None:
        """Start the thread, if that is possible.

        ``main_script`` and the records in a chunk are those of the expander that is helped.
        """
        self._handle = lib.ct_expander_new()
        if self._handle == ffi.NULL or lib.ct_expander_help(
            self._handle, per_chunk, main_script, len(main_script)
        ):
            return
        functions = (*Compressor(COMPRESSION_LEVEL).builtin(), self._given.get, self._made.put)
        # Threads of `_thread` may be something else: gevent puts its own in their place.
        self.is_running = lib.ct_expander_start_helping(self._handle, id(functions)) == 0

    def feed(self, chunk: JournalChunk) -> None:
        """Give the next chunk of the journal."""
        self._given.put((chunk.data, chunk.sequence, chunk.after_gap))

    def add(self, stream: ChunkStream, records: memoryview) -> None:
        """Compress a chunk now, and append it to ``stream`` when its turn has come."""
        if self._behind:
            self._behind.append((stream, stream.compressed(records)))
            if not self._made.empty():
                self._settle()
        else:
            stream.add(records)

    def append_chunk(self) -> None:
        """Append the next chunk of the thread when it is made.

        Raises what making the one before has raised, as the other methods do.
        """
        self._settle()
        self._behind.append((self._values, None))

    def append_rest(self) -> None:
        """End the thread, and append the last chunk if it is one of its own and not empty."""
        self._settle()
        self._given.put(None)
        while (frame := self._take()) is not None:
            self._values.add_frame(frame)
        self.is_running = False

    def _settle(self) -> None:
        """Append all that has to be, waiting for the thread where it has a part in that."""
        while self._behind:
            stream, frame = self._behind.pop(0)
            stream.add_frame(frame or self._take() or b"")

    def _take(self) -> bytes | None:
        """The next frame of the thread; None at its end, which only :meth:`append_rest` meets."""
        made = self._made.get()
        if isinstance(made, Exception):
            raise made
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Wait for the thread whatever a signal handler raises: it uses the expander."""
        interrupted: BaseException | None = None
        if self.is_running:
            self._given.put(None)
        while self.is_running:
            try:
                self.is_running = self._made.get() is not None
            except BaseException as error:  # noqa: BLE001 - raised below
                interrupted = error
        lib.ct_expander_free(self._handle)
        self._handle = ffi.NULL
        if interrupted is not None:
            raise interrupted
