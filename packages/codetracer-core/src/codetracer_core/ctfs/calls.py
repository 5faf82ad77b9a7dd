"""The calls stream: which function ran over which steps, from where, with what and to what end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from codetracer_core.ctfs.edges import EdgeStream
from codetracer_core.ctfs.streams import Records
from codetracer_core.ctfs.tasks import TaskStream
from codetracer_core.ctfs.values import Value, Variable
from codetracer_core.errors import TraceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from codetracer_core.ctfs.container import Container
    from codetracer_core.ctfs.streams import NameTable
    from codetracer_core.ctfs.varint import Cursor

__all__ = ["Call", "CallStream"]

_KEPT_CALLS = 128
# Searches for neighbouring steps ask for the same calls again.
_KEPT_RANGES = 8192


@dataclass(frozen=True, slots=True)
class Call:
    """One call: steps ``first_step`` to ``last_step`` (both included) and whatever it called.

    ``key`` counts in the order of entry; ``parent`` is the caller's key, -1 for a root, which has
    depth 0. ``exception`` is None unless the call ended by one. A call that was still open or gave
    nothing has a return value of kind ``Void``.

    ``entry`` is ``call``, ``resume`` or ``throw`` (a generator that goes on), ``found`` (it ran
    before it was recorded) or ``switch`` (its thread goes on after another one); ``exit`` is
    ``return``, ``yield``, ``unwind``, ``switch``, ``lost`` (unseen) or ``open`` (it was running
    when the recording ended). ``entry`` is empty in traces of other recorders, which do not say,
    and ``exit`` there is what return value and exception tell.

    ``task`` is the name of the task of asyncio that a coroutine begins or goes on with, empty for
    other calls: what it awaits and calls runs in the same task.
    """

    key: int
    function_id: int
    function: str
    parent: int
    first_step: int
    last_step: int
    depth: int
    arguments: tuple[Variable, ...]
    return_value: Value
    exception: Value | None
    child_count: int
    entry: str = ""
    exit: str = ""
    task: str = ""


class CallStream:
    """Calls of the container by their key."""

    def __init__(
        self,
        container: Container,
        functions: NameTable,
        names: NameTable,
        decode_value: Callable[[bytes], Value],
    ) -> None:
        self._records = Records(container, "calls")
        self._edges = EdgeStream(container)
        self._tasks = TaskStream(container)
        self._functions = functions
        self._names = names
        self._decode_value = decode_value
        self._kept: dict[int, Call] = {}
        self._ranges: dict[int, tuple[int, int, int]] = {}

    def __len__(self) -> int:
        return len(self._records)

    def call(self, key: int) -> Call:
        """Return the call ``key``, which must be in range."""
        call = self._kept.get(key)
        if call is None:
            call = self._decode(key, self._records.record(key))
            if len(self._kept) >= _KEPT_CALLS:
                self._kept.clear()
            self._kept[key] = call
        return call

    def children(self, key: int) -> Iterator[int]:
        """Yield the keys of the calls that call ``key`` made, in the order of their entry."""
        cursor = self._records.record(key)
        for _ in range(self._decode(key, cursor).child_count):
            yield cursor.varint()

    def covering(self, step: int) -> int:
        """Return the highest key of the calls whose range has ``step``, or -1.

        Entries are in the order of their first steps, so it is the last call that began by then,
        or the nearest caller of that one which had not ended yet.
        """
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self._range(middle)[1] <= step:
                low = middle + 1
            else:
                high = middle
        key = low - 1
        while key >= 0:
            parent, _, last = self._range(key)
            if last >= step:
                return key
            if parent >= key:
                message = "a call has a parent that was entered after it: the trace is damaged"
                offset = self._records.record(key).position
                raise TraceError(
                    "ERR_TRACE_CORRUPT",
                    message,
                    file="calls.dat",
                    offset=offset,
                    call=key,
                    parent=parent,
                )
            key = parent
        return -1

    def _range(self, key: int) -> tuple[int, int, int]:
        """Return parent, first step and last step without decoding the rest."""
        found = self._ranges.get(key)
        if found is None:
            cursor = self._records.record(key)
            cursor.varint()
            found = cursor.svarint(), cursor.varint(), cursor.varint()
            if len(self._ranges) >= _KEPT_RANGES:
                self._ranges.clear()
            self._ranges[key] = found
        return found

    def _decode(self, key: int, cursor: Cursor) -> Call:
        """Decode the record up to its children's keys, where ``cursor`` is left."""
        function_id = cursor.varint()
        parent, first_step, last_step = cursor.svarint(), cursor.varint(), cursor.varint()
        depth = cursor.varint()
        arguments = tuple(self._variable(cursor) for _ in range(cursor.count()))
        return_value = self._decode_value(cursor.blob())
        exception = self._decode_value(raised) if (raised := cursor.blob()) else None
        entry, exit_ = self._edges.edges(key)
        return Call(
            key=key,
            function_id=function_id,
            function=self._functions[function_id],
            parent=parent,
            first_step=first_step,
            last_step=last_step,
            depth=depth,
            arguments=arguments,
            return_value=return_value,
            exception=exception,
            child_count=cursor.count(),
            entry=entry,
            exit=exit_ or _exit(return_value, exception),
            task=self._tasks.task(key),
        )

    def _variable(self, cursor: Cursor) -> Variable:
        return Variable(self._names[cursor.varint()], self._decode_value(cursor.blob()))


def _exit(return_value: Value, exception: Value | None) -> str:
    """How a call ended, as far as its record tells."""
    if exception is not None:
        return "unwind"
    return "" if return_value.kind == "Void" else "return"
