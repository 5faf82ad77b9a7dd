"""The C expander seen from Python: journal chunks go in, records of a trace come out."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress

from codetracer_core._native import ffi, lib
from codetracer_core.ctfs.layout import EDGES_PER_CHUNK, TASKS_PER_CHUNK
from codetracer_core.ctfs.temporary import open_new, temporary_beside
from codetracer_core.errors import EnvironmentError_

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Self

    from codetracer_core.ctfs.materialiser_helper import ValueHelper
    from codetracer_core.journal.reader import JournalChunk, JournalReader

__all__ = ["Expander"]

_DAMAGE = {
    1: "a chunk ends inside a record",
    2: "a number is too large",
    3: "a record of an unknown kind",
    4: "a difference to a value that is not there",
    5: "an id that was not defined",
    6: "a step outside of any function",
    7: "values nested too deep",
    8: "a record that is too large",
    9: "a chunk without a valid header",
}
_PIECE = 256 << 10


class Expander:
    """One expansion of ``journal``; temporary files go to ``directory``.

    First :meth:`collect`, then :meth:`add_source` for each path, then :meth:`write`, then
    :meth:`calls`. A context manager: leaving it frees the memory and the temporary files.

    Raises :class:`EnvironmentError_` when memory (``ERR_NO_MEMORY``) or the disk (``ERR_IO``) is
    full.
    """

    def __init__(self, journal: JournalReader, directory: Path) -> None:
        self._journal = journal
        self._directory = directory
        self._files: list[int] = []
        self._handle = lib.ct_expander_new()
        self.counts = ffi.new("ct_expand_counts *")
        self._length = ffi.new("size_t *")
        if self._handle == ffi.NULL:
            raise self._failure()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        lib.ct_expander_free(self._handle)
        self._handle = ffi.NULL
        for descriptor in self._files:
            os.close(descriptor)
        self._files.clear()

    def collect(
        self, main_script: bytes, exit_status: int | str | None, tick: Callable[[], None]
    ) -> None:
        """First pass: learn names, calls and sizes; ``main_script`` becomes path 0.

        ``exit_status`` becomes the return value of the root call. ``tick`` is called after each
        chunk.
        """
        files = [self._temporary_file() for _ in range(3)]
        if lib.ct_expander_collect(self._handle, *files, main_script, len(main_script)):
            raise self._failure()
        for _ in self._states(self._journal.chunks(), tick):
            raise AssertionError  # the first pass fills nothing
        code = exit_status if isinstance(exit_status, int) else 0
        label = exit_status.encode("utf-8", "replace") if isinstance(exit_status, str) else b""
        kind = 0 if exit_status is None else 1 if isinstance(exit_status, int) else 2
        if lib.ct_expander_collected(self._handle, kind, code, label, len(label)):
            raise self._failure()
        self.count()

    def count(self) -> None:
        """Bring ``counts`` up to date, while and after :meth:`collect` runs."""
        lib.ct_expander_counts(self._handle, self.counts)

    @property
    def damage(self) -> str | None:
        """Why and where the journal could not be read further; None when it was read to its end."""
        counts = self.counts
        if not counts.damage:
            return None
        reason = _DAMAGE.get(counts.damage, f"error {counts.damage}")
        return f"chunk {counts.damaged_sequence}, byte {counts.damaged_offset}: {reason}"

    @property
    def uncaught(self) -> bytes:
        """Type and message of the exception that ended the main module; empty when none did."""
        text = lib.ct_expander_uncaught(self._handle, self._length)
        return bytes(ffi.buffer(text, self._length[0])) if self._length[0] else b""

    def table(self, table: int) -> Iterator[bytes]:
        """Give the texts of one of the tables ``lib.CT_TABLE_...``, by number."""
        length = self._length
        for number in range(lib.ct_expander_table_size(self._handle, table)):
            text = lib.ct_expander_table_text(self._handle, table, number, length)
            yield bytes(ffi.buffer(text, length[0])) if length[0] else b""

    def add_source(self, path: int, piece: bytes) -> None:
        """Give the next piece of the source file of ``path``."""
        lib.ct_expander_source(self._handle, path, piece, len(piece))

    def forget_source(self, path: int) -> None:
        """Take back the pieces of a source that turned out not to be readable."""
        lib.ct_expander_source_reset(self._handle, path)

    def start_writing(self) -> None:
        """Fix the positions of all lines."""
        if lib.ct_expander_write(self._handle):
            raise self._failure()

    def line_table(self, path: int) -> bytes:
        """Return the line lengths of ``path`` as in its record; after :meth:`start_writing`."""
        table = lib.ct_expander_line_table(self._handle, path, self._length)
        if table == ffi.NULL:
            raise self._failure()
        return bytes(ffi.buffer(table, self._length[0]))

    def line_count(self, path: int) -> int:
        """Return how many lines the table of ``path`` has."""
        count: int = lib.ct_expander_lines(self._handle, path)
        return count

    def write(
        self,
        steps: Callable[[memoryview], None],
        values: Callable[[memoryview], None],
        events: Callable[[memoryview], None],
        tick: Callable[[], None],
        helper: ValueHelper,
        last_event: bytes = b"",
    ) -> None:
        """Second pass: give each chunk of records of steps, of values and of events.

        What they get is valid during the call.
        ``last_event`` is a record that comes after all events of the journal. ``helper``, if it
        runs, makes some of the chunks of values: ``values`` is called without records for each.
        """
        takers = {
            lib.CT_EXPAND_VALUES: (lib.ct_expander_take_values, values),
            lib.CT_EXPAND_STEPS: (lib.ct_expander_take_steps, steps),
            lib.CT_EXPAND_EVENTS: (lib.ct_expander_take_events, events),
        }
        chunks = self._journal.chunks()
        if helper.is_running:
            chunks = helper.chunks(chunks)
        for state in self._states(chunks, tick):
            take, give = takers[state]
            give(self._take(take))
        if lib.ct_expander_written(self._handle):
            raise self._failure()
        is_full = lib.ct_expander_events_are_full(self._handle)
        for state, (take, give) in takers.items():
            rest = self._take(take)
            if state == lib.CT_EXPAND_EVENTS and not is_full:
                rest, last_event = memoryview(bytes(rest) + last_event), b""
            if rest:
                give(rest)
            if state == lib.CT_EXPAND_VALUES and helper.end():
                give(memoryview(b""))
        if last_event:
            events(memoryview(last_event))

    @property
    def values_per_chunk(self) -> int:
        """How many records of values go into a chunk, by what :meth:`collect` has seen so far."""
        count: int = lib.ct_expander_values_per_chunk(self._handle)
        return count

    def share(self, helper: object) -> Iterator[JournalChunk]:
        """Leave chunks of values to the expander ``helper``, for which the journal is returned."""
        lib.ct_expander_share(self._handle, helper)
        return self._journal.chunks()

    def share_no_more(self) -> None:
        """Make all chunks of values here, whatever the helper has begun."""
        lib.ct_expander_share(self._handle, ffi.NULL)

    def calls(self) -> Iterator[tuple[int, Iterator[memoryview]]]:
        """Give size and pieces of each chunk of call records; a piece is valid until the next."""
        buffer = ffi.new("uint8_t[]", _PIECE)
        while size := lib.ct_expander_next_calls(self._handle):
            yield size, self._call_pieces(buffer)
        if lib.ct_expander_failed(self._handle):
            raise self._failure()

    def edges(self) -> Iterator[memoryview]:
        """Give how calls begin and end, a byte for each; a piece is valid until the next."""
        buffer = ffi.new("uint8_t[]", EDGES_PER_CHUNK)
        key = 0
        while length := lib.ct_expander_edges(self._handle, key, buffer, EDGES_PER_CHUNK):
            yield memoryview(ffi.buffer(buffer, length))
            key += length
        if lib.ct_expander_failed(self._handle):
            raise self._failure()

    def tasks(self) -> Iterator[bytes]:
        """Give what calls tell of their tasks, for each chunk of calls."""
        buffer = ffi.new("uint8_t[]", _PIECE)
        for key in range(0, self.counts.calls, TASKS_PER_CHUNK):
            chunk = bytearray()
            while length := lib.ct_expander_tasks(self._handle, key, buffer, _PIECE):
                chunk += ffi.buffer(buffer, length)
            yield bytes(chunk)
        if lib.ct_expander_failed(self._handle):
            raise self._failure()

    def _call_pieces(self, buffer: object) -> Iterator[memoryview]:
        while length := lib.ct_expander_read_calls(self._handle, buffer, _PIECE):
            yield memoryview(ffi.buffer(buffer, length))

    def _states(self, chunks: Iterator[JournalChunk], tick: Callable[[], None]) -> Iterator[int]:
        """Run through the journal once, giving each state in which output is waiting."""
        for chunk in chunks:
            data = ffi.from_buffer(chunk.data)
            lib.ct_expander_feed(
                self._handle, data, len(chunk.data), chunk.sequence, chunk.after_gap
            )
            while (state := lib.ct_expander_run(self._handle)) in (
                lib.CT_EXPAND_STEPS,
                lib.CT_EXPAND_VALUES,
                lib.CT_EXPAND_EVENTS,
            ):
                yield state
            if state == lib.CT_EXPAND_FAILED:
                raise self._failure()
            if state == lib.CT_EXPAND_DAMAGED:
                return
            # The next chunk is loaded before the loop lets go of this one.
            del chunk, data
            tick()

    def _take(self, take: Callable[[object, object], object]) -> memoryview:
        data = take(self._handle, self._length)
        return memoryview(ffi.buffer(data, self._length[0])) if self._length[0] else memoryview(b"")

    def _temporary_file(self) -> int:
        """Return the descriptor of a file without a name in the output directory."""
        path = temporary_beside(self._directory / "trace.calls")
        try:
            descriptor = _nameless(path)
        except OSError as error:
            message = (
                f"cannot make a temporary file in the output folder: {error.strerror};"
                " free space or change its rights, then run codetracer-core show"
            )
            raise EnvironmentError_("ERR_IO", message, path=path, errno=error.errno) from error
        self._files.append(descriptor)
        return descriptor

    def _failure(self) -> EnvironmentError_:
        number = ffi.errno or errno.ENOMEM
        code, lacking = "ERR_IO", "the disk of the output folder is full"
        if number == errno.ENOMEM:
            code, lacking = "ERR_NO_MEMORY", "there is no memory left"
        message = (
            f"the trace cannot be made: {lacking};"
            " the journal is kept, free space and run codetracer-core show"
        )
        return EnvironmentError_(code, message, path=self._directory, errno=number)


def _nameless(path: Path) -> int:
    """The descriptor of a new file beside `path` that never has a name, where that is possible."""
    if sys.platform == "linux":
        with suppress(OSError):  # not every file system has such files
            return os.open(path.parent, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    descriptor = open_new(path, os.O_RDWR)
    os.unlink(path)
    return descriptor
