"""A second expander, in a thread, that makes chunks of values beside the first one."""

from __future__ import annotations

import os
import sys
from _queue import SimpleQueue
from itertools import islice

from codetracer_core._native import ffi, lib
from codetracer_core.ctfs.materialiser_streams import value_compressor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from codetracer_core.ctfs.materialiser_expander import Expander
    from codetracer_core.ctfs.materialiser_streams import ChunkStream
    from codetracer_core.journal.reader import JournalChunk

__all__ = ["ValueHelper"]

# With less to compress, decoding the journal once more takes as much time as is gained.
_BYTES = 32 << 20
_BYTES_A_STEP = 4 << 10
# Of the journal: how many are given ahead of their turn, and how many the thread may have still to
# read while the one who uses it goes on.
_AHEAD = 2
_UNREAD = 3
# Bytes of frames that are made before the first pass has ended.
_EARLY_BYTES = 1 << 20


def _is_worth_helping(expander: Expander) -> bool:
    """Whether a thread makes the second pass faster, here, by the sizes that the first one found.

    At the interpreter's end there can be none.
    """
    counts = expander.counts
    return (
        counts.value_bytes >= max(_BYTES, counts.steps * _BYTES_A_STEP)
        and _processors() > 1
        and not sys.is_finalizing()
    )


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class ValueHelper:
    """Makes chunks of values beside an expander, each of which makes what it is first to begin.

    It appends those of its own in their turn, and what comes behind one that is not made yet, so
    that nobody waits for the other at each chunk. A context manager: the thread ends when it is
    left. ``is_running`` tells whether there is one.
    """

    def __init__(self) -> None:
        # Frames with their streams, in their order, from one on that the thread is to give.
        self._behind: list[tuple[ChunkStream, bytes | None]] = []
        # What it has given for chunks whose turn has not come.
        self._frames: list[bytes] = []
        self._per_chunk = 0
        self._chunks: Iterator[JournalChunk] = iter(())
        # How many of these were given before the second pass.
        self._early = 0
        self._ahead: list[JournalChunk] = []
        self._unread = 0
        self._given: SimpleQueue[tuple[bytes, int, bool] | None] = SimpleQueue()
        self._made: SimpleQueue[bytes | Exception | None] = SimpleQueue()
        self._handle = ffi.NULL
        self.is_running = False

    def look_ahead(self, main_script: bytes, expander: Expander) -> None:
        """Begin while ``expander`` collects, as soon as it is likely to be worth it.

        What is made then is for nothing if larger values follow, of which fewer go into a chunk.
        That is tried once. ``main_script`` is the first path of the expander.
        """
        if not self._per_chunk and _is_worth_helping(expander):
            self.start(main_script, expander)
        elif self.is_running and self._per_chunk == expander.values_per_chunk:
            self._give_early()

    def settle(self, main_script: bytes, expander: Expander) -> None:
        """Go on, begin or begin anew: ``expander`` has collected and knows the sizes."""
        is_worth = _is_worth_helping(expander)
        if self.is_running and (not is_worth or self._per_chunk != expander.values_per_chunk):
            self.end()
            expander.share_no_more()
            self._frames.clear()
            self._unread = self._early = 0
        if is_worth and not self.is_running:
            self.start(main_script, expander)

    def start(self, main_script: bytes, expander: Expander) -> None:
        """Start the thread, if that is possible: it makes what ``expander`` has not begun."""
        self._per_chunk = expander.values_per_chunk
        lib.ct_expander_free(self._handle)
        self._handle = lib.ct_expander_new()
        if self._handle == ffi.NULL or lib.ct_expander_help(
            self._handle, expander.values_per_chunk, main_script, len(main_script)
        ):
            return
        functions = (*value_compressor().builtin(), self._given.get, self._made.put)
        # Threads of `_thread` may be something else: gevent puts its own in their place.
        self.is_running = lib.ct_expander_start_helping(self._handle, id(functions)) == 0
        if self.is_running:
            self._chunks = expander.share(self._handle)
            self._give_early()

    def chunks(self, chunks: Iterator[JournalChunk]) -> Iterator[JournalChunk]:
        """Give the journal's ``chunks``, which the thread gets, too.

        Raises what making values there has raised, as the other methods do.
        """
        # The thread has had these: they were not kept and are read again.
        for chunk in islice(chunks, self._early):
            self._give()
            yield chunk
        self._give()
        while self._ahead:
            chunk = self._ahead.pop(0)
            self._give()
            while self._unread > _UNREAD:
                self._receive()
            yield chunk
            # The memory of this one is for the next one but one.
            del chunk

    def add(self, stream: ChunkStream, records: memoryview) -> None:
        """Compress a chunk now, and append it to ``stream`` when its turn has come.

        No records stand for the next chunk of the thread.
        """
        frame = stream.compressed(records) if records else None
        while not self._made.empty():
            self._receive()
        self._behind.append((stream, frame))
        self._settle()

    def end(self) -> bool:
        """End the thread; tells whether the last chunk, which is not full, is one of its own."""
        if self.is_running:
            self._given.put(None)
        while self.is_running:
            self._receive()
        return bool(self._frames)

    def _give(self) -> None:
        """Give chunks ahead of their turn, so that the thread need not wait for them."""
        while len(self._ahead) < _AHEAD and (chunk := self._give_next()):
            self._ahead.append(chunk)

    def _give_early(self) -> None:
        """Give chunks whose turn is in the second pass, as far as there is room for the frames."""
        while not self._made.empty():
            self._receive()
        room = sum(map(len, self._frames)) < _EARLY_BYTES
        while room and self._unread < _UNREAD and self._give_next():
            self._early += 1

    def _give_next(self) -> JournalChunk | None:
        chunk = next(self._chunks, None)
        if chunk is not None:
            self._given.put((chunk.data, chunk.sequence, chunk.after_gap))
            self._unread += 1
        return chunk

    def _settle(self) -> None:
        """Append what has come to its turn."""
        behind, frames = self._behind, self._frames
        while behind and (behind[0][1] is not None or frames):
            stream, frame = behind.pop(0)
            stream.add_frame(frames.pop(0) if frame is None else frame)

    def _receive(self) -> None:
        """Wait for what the thread says next."""
        made = self._made.get()
        if isinstance(made, Exception):
            raise made
        if made is None:
            self.is_running = False
        elif made:
            self._frames.append(made)
            self._settle()
        else:
            self._unread -= 1

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
