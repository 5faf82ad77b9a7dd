"""The sixteen events: what a tracer written in Python receives of each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import CodeType

import pytest

from codetracer_core.errors import InternalError, UsageError
from codetracer_core.monitoring.api import Event
from codetracer_core.monitoring.callbacks import CALLBACK_SPECS, CallbackSpec
from codetracer_core.monitoring.capabilities import HAS_MONITORING
from codetracer_core.monitoring.install import install_tracer, uninstall_tracer
from core.recorder.support import NEEDS_MONITORING

RAW_TOOL = 0
PROGRAM = """\
def numbers(n):
    for i in range(n):
        try:
            got = yield i
        except ValueError:
            got = "thrown"
    return got


def fails(depth):
    if depth:
        fails(depth - 1)
    len([])
    raise KeyError(depth)


def reraises():
    try:
        fails(1)
    except KeyError as error:
        raise
    finally:
        done = True


def calls_c():
    try:
        int("no number")
    except ValueError:
        pass
    return sorted([3, 1], key=lambda value: -value)


def delegates():
    result = yield from numbers(2)
    return result


def run():
    generator = numbers(3)
    next(generator)
    generator.send(1)
    generator.throw(ValueError)
    list(delegates())
    total = 0
    while total < 3:
        total += 1 if total % 2 else 2
    try:
        reraises()
    except KeyError:
        pass
    left = numbers(2)
    next(left)
    left.close()
    return calls_c()
"""
FILE = "a program.py"
Received = list[tuple[object, ...]]


@pytest.fixture
def run() -> Iterator[Callable[[], object]]:
    """A program that causes every event, fresh, so that nothing of it is disabled or adapted."""
    names: dict[str, Callable[[], object]] = {}
    exec(compile(PROGRAM, FILE, "exec"), names)
    yield names["run"]
    if HAS_MONITORING and sys.monitoring.get_tool(RAW_TOOL) is not None:
        sys.monitoring.set_events(RAW_TOOL, 0)
        sys.monitoring.free_tool_id(RAW_TOOL)


class Collector:
    """A tracer that is interested in one event and keeps what it gets of the program."""

    def __init__(self, spec: CallbackSpec, answer: object = None) -> None:
        self.interest = spec.event
        self.received: Received = []
        self.answer = answer
        setattr(self, spec.method, self.keep)

    def keep(self, code: CodeType, *rest: object) -> object:
        if code.co_filename == FILE:
            self.received.append((code, *rest))
            return self.answer
        return None


def listen(spec: CallbackSpec, callback: Callable[..., object]) -> None:
    """Register a callback with ``sys.monitoring`` itself, for one event and no other."""
    monitoring = sys.monitoring
    monitoring.use_tool_id(RAW_TOOL, "raw")
    monitoring.register_callback(RAW_TOOL, spec.monitoring_event, callback)
    with_call = spec.event in (Event.C_RETURN, Event.C_RAISE)
    wanted = monitoring.events.CALL if with_call else spec.monitoring_event
    monitoring.set_events(RAW_TOOL, wanted)


def test_the_table_has_each_event_once() -> None:
    """Each row has its own event, its own number and its own method."""
    assert len(CALLBACK_SPECS) == len(Event)
    assert {spec.event for spec in CALLBACK_SPECS} == set(Event)
    assert len({spec.method for spec in CALLBACK_SPECS}) == len(Event)
    numbers = sys.monitoring.events if HAS_MONITORING else Event
    assert all(
        spec.monitoring_event == getattr(numbers, spec.event.name or "") for spec in CALLBACK_SPECS
    )


@NEEDS_MONITORING
@pytest.mark.parametrize("spec", CALLBACK_SPECS, ids=lambda spec: spec.event.name)
def test_a_tracer_of_one_event_receives_what_a_raw_tool_does(
    spec: CallbackSpec, run: Callable[[], object]
) -> None:
    """The same calls in the same order, with the very same objects."""
    raw: Received = []

    def keep(code: CodeType, *rest: object) -> None:
        if code.co_filename == FILE:
            raw.append((code, *rest))

    collector = Collector(spec)
    listen(spec, keep)
    installation = install_tracer(collector)
    run()
    sys.monitoring.set_events(RAW_TOOL, 0)
    uninstall_tracer(installation)
    run()
    assert len(raw) > 0
    assert len(collector.received) == len(raw)
    for received, expected in zip(collector.received, raw, strict=True):
        assert len(received) == len(expected)
        for one, other in zip(received, expected, strict=True):
            assert one is other or (type(one) is type(other) is int and one == other)


@NEEDS_MONITORING
@pytest.mark.parametrize("spec", CALLBACK_SPECS, ids=lambda spec: spec.event.name)
def test_a_tracer_of_one_event_gets_no_other(spec: CallbackSpec, run: Callable[[], object]) -> None:
    """Only the events that were asked for are switched on for the tool."""
    installation = install_tracer(Collector(spec))
    switched_on = sys.monitoring.get_events(installation.tool_id)
    uninstall_tracer(installation)
    with_call = spec.event in (Event.C_RETURN, Event.C_RAISE)
    wanted = sys.monitoring.events.CALL if with_call else spec.monitoring_event
    # A version may list what travels along.
    travelling = sys.monitoring.events.C_RETURN | sys.monitoring.events.C_RAISE
    assert switched_on & ~travelling == wanted & ~travelling


@NEEDS_MONITORING
def test_a_place_can_be_disabled(run: Callable[[], object]) -> None:
    """``DISABLE`` from a tracer's method silences that place until another tracer comes."""
    line = next(spec for spec in CALLBACK_SPECS if spec.event is Event.LINE)
    once = Collector(line, sys.monitoring.DISABLE)
    installation = install_tracer(once)
    run()
    first_time = list(once.received)
    run()
    uninstall_tracer(installation)
    assert len(first_time) > 10
    assert once.received == first_time
    again = Collector(line)
    installation = install_tracer(again)
    run()
    uninstall_tracer(installation)
    assert set(again.received) == set(first_time)


def test_several_events_reach_their_own_methods(run: Callable[[], object]) -> None:
    """A mask of events installs a method each."""

    class Both:
        interest = Event.PY_START | Event.PY_RETURN

        def __init__(self) -> None:
            self.open: list[CodeType] = []
            self.most = 0

        def on_py_start(self, code: CodeType, offset: int) -> None:
            if code.co_filename == FILE:
                self.open.append(code)
                self.most = max(self.most, len(self.open))

        def on_py_return(self, code: CodeType, offset: int, value: object) -> None:
            if code.co_filename == FILE and code.co_name == "run":
                assert self.open[0] is code

    both = Both()
    installation = install_tracer(both)
    assert run() == [3, 1]
    uninstall_tracer(installation)
    assert both.most > 2


class Broken:
    """A tracer whose method fails at its third event."""

    interest = Event.LINE

    def __init__(self) -> None:
        self.lines = 0

    def on_line(self, code: CodeType, line: int) -> None:
        if code.co_filename == FILE:
            self.lines += 1
            if self.lines == 3:
                raise LookupError("in the tracer")


def test_a_tracer_that_fails_is_taken_out_and_the_program_runs_on(
    run: Callable[[], object],
) -> None:
    """The exception goes to whoever installed the tracer, the tool id is free again."""
    broken, failures = Broken(), list[BaseException]()
    installation = install_tracer(broken, on_detach=failures.append)
    assert run() == [3, 1]
    assert broken.lines == 3
    assert [str(failure) for failure in failures] == ["in the tracer"]
    another = install_tracer(Collector(CALLBACK_SPECS[0]))
    assert another.tool_id == installation.tool_id
    uninstall_tracer(another)


def test_a_tracer_that_fails_can_be_made_to_end_the_program(run: Callable[[], object]) -> None:
    """With ``abort_on_error`` the exception is raised in the program, at that point; the tracer is
    taken out all the same."""
    broken, failures = Broken(), list[BaseException]()
    installation = install_tracer(broken, abort_on_error=True, on_detach=failures.append)
    with pytest.raises(LookupError, match="in the tracer") as caught:
        run()
    assert failures == [caught.value]
    another = install_tracer(Collector(CALLBACK_SPECS[0]))
    assert another.tool_id == installation.tool_id
    uninstall_tracer(another)
    assert run() == [3, 1]
    assert broken.lines == 3


def test_an_interrupt_is_no_failure_of_a_tracer(run: Callable[[], object]) -> None:
    """KeyboardInterrupt, which comes to whatever runs, is raised in the program and the tracer
    stays."""

    class Interrupted(Broken):
        def on_line(self, code: CodeType, line: int) -> None:
            try:
                super().on_line(code, line)
            except LookupError:
                raise KeyboardInterrupt from None

    interrupted, failures = Interrupted(), list[BaseException]()
    installation = install_tracer(interrupted, on_detach=failures.append)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert run() == [3, 1]
    uninstall_tracer(installation)
    assert interrupted.lines > 3
    assert failures == []


@NEEDS_MONITORING
def test_tool_ids_are_searched_and_given_back() -> None:
    """5, 4 and 3 are tried; when all are taken the error names who has them."""
    line = next(spec for spec in CALLBACK_SPECS if spec.event is Event.LINE)
    installations = [install_tracer(Collector(line)) for _ in range(3)]
    assert [installation.tool_id for installation in installations] == [5, 4, 3]
    with pytest.raises(UsageError) as caught:
        install_tracer(Collector(line))
    assert caught.value.code == "ERR_TRACER_INSTALL_CONFLICT"
    for installation in installations:
        uninstall_tracer(installation)
        uninstall_tracer(installation)
    assert [sys.monitoring.get_tool(number) for number in (5, 4, 3)] == [None] * 3


@NEEDS_MONITORING
def test_a_native_tracer_gets_only_events_that_the_engine_takes(run: Callable[[], object]) -> None:
    """An event that the C part does nothing with is refused, and nothing is left installed."""

    class Native:
        interest = Event.CALL
        is_native = True

    before = [sys.monitoring.get_tool(tool_id) for tool_id in range(6)]
    with pytest.raises(InternalError, match="CALL"):
        install_tracer(Native())
    assert [sys.monitoring.get_tool(tool_id) for tool_id in range(6)] == before
    run()
