"""Events from ``PyEval_SetTrace``: beside others who trace, in every thread, and back as it was."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from types import CodeType, FrameType

import pytest

from codetracer_core.errors import UsageError
from codetracer_core.monitoring.api import Event
from codetracer_core.monitoring.install import install_tracer, uninstall_tracer

pytestmark = pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="where there is sys.monitoring, that gives the events"
)

PROGRAM = """\
def numbers():
    try:
        yield 1
    except KeyError:
        yield 2


def work(n):
    made = numbers()
    total = next(made) + made.throw(KeyError())
    made.close()
    try:
        {}[n]
    except KeyError:
        total += 1
    return total
"""
FILE = "a traced program.py"


@pytest.fixture
def work() -> Iterator[Callable[[int], int]]:
    """A function of a program, fresh; the thread's own trace function is there again after it."""
    names: dict[str, Callable[[int], int]] = {}
    exec(compile(PROGRAM, FILE, "exec"), names)
    before = sys.gettrace()
    yield names["work"]
    sys.settrace(before)


class Starts:
    """A tracer of starts and lines; the events of the program are kept, by thread."""

    interest = Event.PY_START | Event.LINE

    def __init__(self) -> None:
        self.seen: list[tuple[str, object]] = []

    def on_py_start(self, code: CodeType, offset: int) -> None:
        if code.co_filename == FILE:
            self.seen.append((threading.current_thread().name, code.co_name))

    def on_line(self, code: CodeType, line: int) -> None:
        if code.co_filename == FILE:
            self.seen.append((threading.current_thread().name, line))


class Own:
    """The program's own trace function, which keeps what it gets of the program."""

    def __init__(self, fails_at: int = 0) -> None:
        self.seen: list[tuple[str, int | None]] = []
        self._fails_at = fails_at

    def __call__(self, frame: FrameType, event: str, value: object) -> Own | None:
        if frame.f_code.co_filename != FILE:
            return None
        self.seen.append((event, frame.f_lineno))
        if len(self.seen) == self._fails_at:
            raise LookupError("in the program's tracer")
        return self


def seen_by(own: Own, work: Callable[[int], int]) -> list[tuple[str, int | None]]:
    """What a trace function gets of one call."""
    sys.settrace(own)
    assert work(1) == 4
    is_there = sys.gettrace() is own
    sys.settrace(None)
    assert is_there
    return own.seen


def test_the_programs_trace_function_gets_what_it_gets_alone(work: Callable[[int], int]) -> None:
    """Also the instructions of handlers, which the recorder looks at, are hidden from it."""
    alone = seen_by(Own(), work)
    tracer = Starts()
    installation = install_tracer(tracer)
    beside = seen_by(Own(), work)
    uninstall_tracer(installation)
    assert beside == alone
    assert len(tracer.seen) > 10
    assert sys.gettrace() is None


class Opcodes(Own):
    """It asks for the instructions of a frame in which an exception comes up, or for none."""

    def __init__(self, wanted: bool) -> None:
        super().__init__()
        self._wanted = wanted

    def __call__(self, frame: FrameType, event: str, value: object) -> Own | None:
        if frame.f_code.co_filename == FILE and (event == "exception" or not self._wanted):
            frame.f_trace_opcodes = self._wanted
        return super().__call__(frame, event, value)


class Handled(Starts):
    """A tracer of exceptions that reach a handler too."""

    interest = Starts.interest | Event.EXCEPTION_HANDLED

    def on_exception_handled(self, code: CodeType, offset: int, error: BaseException) -> None:
        if code.co_filename == FILE:
            self.seen.append((type(error).__name__, offset))


@pytest.mark.parametrize("wanted", [True, False])
def test_the_programs_trace_function_has_the_say_about_its_instructions(
    work: Callable[[int], int], wanted: bool
) -> None:
    """It gets those that it asks for in the middle of an exception, and the tracer its own."""
    alone = seen_by(Opcodes(wanted), work)
    tracer, other = Handled(), Handled()
    installation = install_tracer(tracer)
    work(1)
    uninstall_tracer(installation)
    installation = install_tracer(other)
    beside = seen_by(Opcodes(wanted), work)
    uninstall_tracer(installation)
    assert beside == alone
    assert other.seen == tracer.seen
    assert {name for name, _ in other.seen} >= {"KeyError"}


def test_what_was_there_before_goes_on_and_is_there_afterwards(work: Callable[[int], int]) -> None:
    """A tracer that comes to a thread that is traced shares its events, and takes nothing along."""
    own, tracer = Own(), Starts()
    sys.settrace(own)
    installation = install_tracer(tracer)
    work(1)
    during = len(own.seen)
    uninstall_tracer(installation)
    work(1)
    is_there = sys.gettrace() is own
    sys.settrace(None)
    assert is_there
    assert len(own.seen) == 2 * during > 20
    assert len(tracer.seen) > 10


def test_a_trace_function_that_fails_ends_itself_only(work: Callable[[int], int]) -> None:
    """The interpreter takes the program's function out, and the recorder's goes on."""
    tracer = Starts()
    installation = install_tracer(tracer)
    sys.settrace(Own(fails_at=3))
    with pytest.raises(LookupError, match="in the program's tracer"):
        work(1)
    assert sys.gettrace() is None
    before = len(tracer.seen)
    work(1)
    uninstall_tracer(installation)
    assert len(tracer.seen) > before + 10


def test_threads_are_traced_that_run_already_and_that_start(work: Callable[[int], int]) -> None:
    """A thread that waits when the tracer comes is traced from its next call on."""
    go, tracer = threading.Event(), Starts()

    def wait() -> None:
        go.wait()
        work(1)

    early = threading.Thread(target=wait, name="early")
    early.start()
    installation = install_tracer(tracer)
    late = threading.Thread(target=work, args=(1,), name="late")
    late.start()
    go.set()
    early.join()
    late.join()
    uninstall_tracer(installation)
    by_thread = {
        name: [what for who, what in tracer.seen if who == name] for name, _ in tracer.seen
    }
    assert by_thread["early"] == by_thread["late"]
    assert by_thread["late"][:2] == ["work", 9]
    after = len(tracer.seen)
    threading.Thread(target=work, args=(1,)).start()
    assert len(tracer.seen) == after


def test_events_that_are_not_told_are_refused() -> None:
    """The error names them, and nothing is left installed."""

    class Calls:
        interest = Event.LINE | Event.CALL | Event.JUMP

        def on_line(self, code: CodeType, line: int) -> None:
            pytest.fail("a line came")

    with pytest.raises(UsageError, match="CALL, JUMP") as caught:
        install_tracer(Calls())
    assert caught.value.code == "ERR_INVALID_ARGUMENT"
    uninstall_tracer(install_tracer(Starts()))


def test_there_is_one_tracer_at_a_time() -> None:
    """A second one is refused until the first is taken out."""
    first = install_tracer(Starts())
    with pytest.raises(UsageError) as caught:
        install_tracer(Starts())
    assert caught.value.code == "ERR_TRACER_INSTALL_CONFLICT"
    uninstall_tracer(first)
    uninstall_tracer(install_tracer(Starts()))
