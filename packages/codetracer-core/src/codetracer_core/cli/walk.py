"""A trace in the order in which the program ran: calls entered and left, steps, output."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

from codetracer_core.cli.flights import Flights

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from codetracer_core.ctfs.reader import Call, Event, Step, Trace
    from codetracer_core.ctfs.values import Value, Variable

    # A variable as its step's record has it, or the value of an argument.
    _Seen: TypeAlias = bytes | Value

__all__ = ["Entered", "Item", "Left", "Stepped", "Wrote", "own_step", "walk"]


@dataclass(frozen=True, slots=True)
class Entered:
    """A call begins; `step` is its own first, see `own_step`."""

    call: Call
    step: Step | None


@dataclass(frozen=True, slots=True)
class Stepped:
    """A step, and what is different from the last step of the same call.

    The arguments of a call are known when it is entered, so its first step does not repeat them.
    A step that catches an exception has the message with which it was raised.
    """

    step: Step
    call: Call | None
    changed: tuple[Variable, ...]
    deleted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wrote:
    """Output or another event of the program, which came at or after the step before it."""

    event: Event
    depth: int


@dataclass(frozen=True, slots=True)
class Left:
    """A call is over."""

    call: Call


Item: TypeAlias = Entered | Stepped | Wrote | Left


@dataclass(slots=True)
class _Open:
    """A call that is not over yet, and the variables that its last step showed, by name."""

    call: Call
    seen: dict[str, _Seen] = field(default_factory=dict)
    fresh: bool = True


def walk(trace: Trace, start: int = 0, stop: int | None = None) -> Iterator[Item]:
    """Yield what happened from step `start` up to, not including, step `stop`.

    Calls that began before `start` are not entered again, and those that last beyond `stop` are
    not left. What is kept in memory grows with the depth of calls and the number of functions,
    not with the number of steps.
    """
    start, stop, _ = slice(start, stop).indices(len(trace))
    return _Walk(trace, start, stop).items()


def own_step(trace: Trace, call: Call) -> Step | None:
    """The first step of `call` that is in no call that it made, or None when each one is.

    A generator that is resumed may call another function before it comes to a line of its own.
    """
    number, following = call.first_step, call.key + 1
    # Keys are in the order of entry, so a call that begins at the same step is a callee.
    if following < trace.call_count and trace.call(following).first_step == number:
        for key in trace.children(call.key):
            callee = trace.call(key)
            if callee.first_step > number:
                break
            number = max(number, callee.last_step + 1)
    return trace.step(number) if number <= min(call.last_step, len(trace) - 1) else None


class _Walk:
    def __init__(self, trace: Trace, start: int, stop: int) -> None:
        self._trace = trace
        self._start = start
        self._stop = stop
        self._open: list[_Open] = []
        self._flights = Flights()
        # What a function's last call saw at its end: globals that have not changed since, or the
        # variables of a generator that goes on, are no news in its next call.
        self._last_seen: dict[int, dict[str, _Seen]] = {}

    def items(self) -> Iterator[Item]:
        trace, start = self._trace, self._start
        next_key = bisect_left(
            range(trace.call_count), start, key=lambda key: trace.call(key).first_step
        )
        self._open = [_Open(call) for call in self._callers(start, next_key)]
        events = iter(trace.events(start, self._stop))
        event = next(events, None)
        for step in trace.steps(start, self._stop):
            yield from self._leave(step.index)
            while next_key < trace.call_count:
                call = trace.call(next_key)
                if call.first_step > step.index:
                    break
                seen: dict[str, _Seen] = {
                    argument.name: argument.value for argument in call.arguments
                }
                self._open.append(_Open(call, seen))
                yield Entered(call, own_step(trace, call))
                next_key += 1
            yield self._stepped(self._flights.follow(step))
            while event is not None and event.step <= step.index:
                yield Wrote(event, self._open[-1].call.depth if self._open else 0)
                event = next(events, None)
        if self._stop == len(trace):
            yield from self._leave(self._stop)

    def _callers(self, step: int, next_key: int) -> list[Call]:
        """The calls that began before `step` and go on there, outermost first."""
        if step >= len(self._trace):
            return []
        calls: list[Call] = []
        call = self._trace.call_of_step(step)
        while call is not None:
            if call.key < next_key:
                calls.append(call)
            call = self._trace.call(call.parent) if 0 <= call.parent < call.key else None
        return calls[::-1]

    def _leave(self, step: int) -> Iterator[Left]:
        while self._open and self._open[-1].call.last_step < step:
            ended = self._open.pop()
            self._last_seen[ended.call.function_id] = ended.seen
            yield Left(ended.call)

    def _stepped(self, step: Step) -> Stepped:
        records = self._trace.variable_records(step.index)
        if not self._open:
            return Stepped(step, None, tuple(map(self._trace.decode_variable, records)), ())
        frame = self._open[-1]
        if step.kind != "line" and not records:
            return Stepped(step, frame.call, (), ())
        before = frame.seen
        if frame.fresh:
            before = self._last_seen.get(frame.call.function_id, {}) | before
        # Most variables are as they were, and large ones cost much to decode.
        known = {seen: name for name, seen in before.items() if isinstance(seen, bytes)}
        visible: dict[str, _Seen] = {}
        changed: list[Variable] = []
        for record in records:
            name = known.get(record)
            if name is None:
                variable = self._trace.decode_variable(record)
                name = variable.name
                if name not in before or self._value(before[name]) != variable.value:
                    changed.append(variable)
            visible[name] = record
        deleted = () if frame.fresh else tuple(name for name in before if name not in visible)
        frame.seen, frame.fresh = visible, False
        return Stepped(step, frame.call, tuple(changed), deleted)

    def _value(self, seen: _Seen) -> Value:
        return self._trace.decode_variable(seen).value if isinstance(seen, bytes) else seen
