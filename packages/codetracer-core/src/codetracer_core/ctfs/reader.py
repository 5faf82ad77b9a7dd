"""Random access to a `.ct` trace: steps, their variables and calls, and the program's output."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING

from codetracer_core.ctfs import layout
from codetracer_core.ctfs.calls import Call, CallStream
from codetracer_core.ctfs.container import Container
from codetracer_core.ctfs.events import Event, EventStream
from codetracer_core.ctfs.meta import parse_meta
from codetracer_core.ctfs.positions import ColumnPaths, LinePaths
from codetracer_core.ctfs.steps import CATCH, KINDS, RAISE, StepStream
from codetracer_core.ctfs.streams import NameTable, Records
from codetracer_core.ctfs.values import Value, Variable, decode_value
from codetracer_core.ctfs.varint import Cursor
from codetracer_core.errors import TraceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from codetracer_core.ctfs.positions import Position

__all__ = ["Call", "Event", "Step", "Trace", "TraceIndexError", "Value", "Variable"]

_REQUIRED = (
    ("steps", layout.STEP_STREAM),
    ("values", layout.VALUE_STREAM),
    ("calls", layout.CALL_STREAM),
    ("events", layout.EVENT_STREAM),
)
# Steps repeat the variables of the step before, so most of them are found here. Larger ones cost
# more to keep than to decode.
_KEPT_VARIABLES = 4096
_KEPT_VARIABLE_BYTES = 512


class TraceIndexError(UsageError, IndexError):
    """A step, call or event was asked for that the trace does not have."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a line about to run, or an exception or thread event at a line.

    ``kind`` is ``line``, ``raise``, ``catch``, ``thread-switch``, ``thread-start``,
    ``thread-exit`` or ``column``. ``line`` and ``column`` count from 1; ``column`` is None in a
    trace without columns. ``path_id`` is -1, ``path`` empty and ``line`` 0 where the trace gives no
    place. ``exception`` (a type name) and ``message`` belong to the exception kinds, ``thread`` to
    the thread kinds.
    """

    index: int
    kind: str
    path_id: int
    path: str
    line: int
    column: int | None
    exception: str = ""
    message: str = ""
    thread: int | None = None


class Trace:
    """The trace at ``path``; ``len(trace)`` is its number of steps.

    Only the chunks in use are in memory. ``meta`` describes the recording; ``paths``,
    ``functions``, ``types`` and ``variable_names`` are its name tables. A trace without calls,
    values, events or names counts as having none of them.

    Raises :class:`TraceError` when the file is no trace (``ERR_TRACE_FORMAT``, also for retired and
    native layouts), lacks what a trace needs (``ERR_TRACE_UNFINISHED``) or is damaged
    (``ERR_TRACE_CORRUPT``); later calls raise it for damage in what they read. Not safe for use
    from several threads.
    """

    def __init__(self, path: Path) -> None:
        self._container = container = Container(path)
        try:
            _refuse_old_layout(container)
            self.meta = parse_meta(container.read("meta.dat"))
            _refuse_retired_streams(container, self.meta.flags)
            self.paths = ColumnPaths(container) if self.meta.columns else LinePaths(container)
            self.functions = NameTable(container, "funcs")
            self.types = NameTable(container, "types")
            self.variable_names = NameTable(container, "varnames")
            self._steps = StepStream(container)
            self._values = Records(container, "values")
            names = self.functions, self.variable_names
            self._calls = CallStream(container, *names, self._decode_value)
            self._events = EventStream(container)
        except BaseException:
            container.close()
            raise
        self._kept_variables: dict[bytes, Variable] = {}

    def __len__(self) -> int:
        return len(self._steps)

    @property
    def call_count(self) -> int:
        """The number of calls."""
        return len(self._calls)

    @property
    def event_count(self) -> int:
        """The number of events."""
        return len(self._events)

    def step(self, number: int) -> Step:
        """Return step ``number``, from 0 on."""
        self._check("step", number, len(self))
        tag, position, details = self._steps.step(number)
        path_id, line, column = self.paths.locate(position)
        path = self.paths[path_id] if path_id >= 0 else ""
        kind = KINDS[tag]
        if details is None:
            return Step(number, kind, path_id, path, line, column)
        if tag in (RAISE, CATCH):
            type_name = self.types[details[0]]
            return Step(number, kind, path_id, path, line, column, type_name, details[1])
        return Step(number, kind, path_id, path, line, column, thread=details[0])

    def steps(self, start: int = 0, stop: int | None = None) -> Iterator[Step]:
        """Yield the steps from ``start`` up to, not including, ``stop``, cut to the trace's end."""
        return map(self.step, range(*slice(start, stop).indices(len(self))))

    def variables(self, number: int) -> tuple[Variable, ...]:
        """Return every variable that is visible at step ``number``, in the trace's order."""
        kept = self._kept_variables
        return tuple(
            kept.get(record) or self._keep(record) for record in self.variable_records(number)
        )

    def variable_records(self, number: int) -> list[bytes]:
        """Return the variables of step ``number`` as the trace holds them.

        Equal bytes are the same name with an equal value, which :meth:`decode_variable` tells.
        """
        self._check("step", number, len(self))
        if number >= len(self._values):
            return []
        return _pairs(self._values.record(number))

    def rows(self) -> Iterator[tuple[tuple[int, int], bytes]]:
        """Yield tag and position, and the variables, of every step, all as the trace holds them.

        For those who read a whole trace: ``KINDS`` of the steps names the tag, :meth:`locate` the
        position, and :meth:`split_variables` gives what :meth:`variable_records` does.
        """
        padded = chain(self._values, repeat(b""))
        return zip(self._steps.rows(), padded, strict=False)

    def locate(self, position: int) -> Position:
        """Return the place of a position of :meth:`rows`."""
        return self.paths.locate(position)

    @staticmethod
    def split_variables(block: bytes) -> list[bytes]:
        """Return the variables in a block of :meth:`rows`."""
        cursor = Cursor(block)
        if cursor:
            cursor.varint()
        return _pairs(cursor)

    def decode_variable(self, record: bytes) -> Variable:
        """Return the variable that one of :meth:`variable_records` is."""
        cursor = Cursor(record)
        return Variable(self.variable_names[cursor.varint()], self._decode_value(cursor.blob()))

    def call(self, key: int) -> Call:
        """Return the call with the given key."""
        self._check("call", key, len(self._calls))
        return self._calls.call(key)

    def calls(self) -> Iterator[Call]:
        """Yield all calls in the order of their entry."""
        return map(self._calls.call, range(len(self._calls)))

    def children(self, key: int) -> Iterator[int]:
        """Yield the keys of the calls made by call ``key``, in the order of their entry."""
        self._check("call", key, len(self._calls))
        return self._calls.children(key)

    def call_of_step(self, number: int) -> Call | None:
        """Return the innermost call that step ``number`` belongs to; None when it is in no call."""
        self._check("step", number, len(self))
        key = self._calls.covering(number)
        return self._calls.call(key) if key >= 0 else None

    def event(self, index: int) -> Event:
        """Return event ``index``, from 0 on."""
        self._check("event", index, len(self._events))
        return self._events.event(index)

    def events(self, start: int = 0, stop: int | None = None) -> Iterator[Event]:
        """Yield the events of the steps from ``start`` up to, not including, ``stop``."""
        first = self._events.first_at(start) if start > 0 else 0
        last = len(self._events) if stop is None else self._events.first_at(stop)
        return map(self._events.event, range(first, last))

    def close(self) -> None:
        """Release the file; closing twice is harmless."""
        self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _keep(self, record: bytes) -> Variable:
        variable = self.decode_variable(record)
        if len(record) <= _KEPT_VARIABLE_BYTES:
            if len(self._kept_variables) >= _KEPT_VARIABLES:
                self._kept_variables.clear()
            self._kept_variables[record] = variable
        return variable

    def _decode_value(self, data: bytes) -> Value:
        return decode_value(data, self.types.__getitem__)

    @staticmethod
    def _check(what: str, number: int, count: int) -> None:
        if not 0 <= number < count:
            message = f"the trace has no {what} {number}: its {what}s are 0 to {count - 1}"
            raise TraceIndexError("ERR_TRACE_INDEX", message)


def _pairs(cursor: Cursor) -> list[bytes]:
    """Return the variables of a step from the record that `cursor` stands in."""
    if not cursor:
        return []
    if cursor.varint() != 0:
        message = "the variables of a step have a form that is not known"
        raise TraceError("ERR_TRACE_CORRUPT", message, file="values.dat", offset=cursor.position)
    return cursor.pairs(cursor.count())


def _refuse_old_layout(container: Container) -> None:
    """Refuse containers that hold no split streams, saying what they are."""
    if "events.log" in container:
        message = (
            "this trace has the old single-stream layout (events.log): open it with the CodeTracer"
            " debugger, or record the program again"
        )
        raise TraceError(
            "ERR_TRACE_FORMAT", message, path=container.path, offset=layout.HEADER.size
        )
    for name in ("steps.dat", "meta.dat"):
        if name not in container or (name == "meta.dat" and container.size(name) == 0):
            message = f"the trace has no {name}: its recording was not finished or the file is cut"
            raise TraceError(
                "ERR_TRACE_UNFINISHED", message, path=container.path, offset=layout.HEADER.size
            )


def _refuse_retired_streams(container: Container, known: int) -> None:
    """Refuse streams in the retired framing that a clear flag stands for."""
    for stem, flag in _REQUIRED:
        name = f"{stem}.dat"
        if not known & flag and name in container and container.size(name):
            message = f"{name} has a retired layout (its flag is clear): record the program again"
            raise TraceError(
                "ERR_TRACE_FORMAT",
                message,
                path=container.path,
                file="meta.dat",
                offset=6,
                flags=f"{known:#06x}",
            )
