"""Tests of what ``show`` prints of exceptions, generators and the end of a program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from integration.recording import record, recorder, write_files

PROGRAM = """\
def low(n):
    if n == 0:
        raise ValueError("low")
    return low(n - 1)
def numbers():
    try:
        yield 1
        yield 2
    except KeyError: pass
    try: yield 3
    finally: left = 1
made = numbers()
next(made)
made.throw(KeyError("thrown"))
made.close()
for number in numbers():
    pass
try:
    low(1)
except (KeyError,
        ValueError) as error:
    kept = 1
x = low(0) if kept else 0
"""
RAISED = [
    ("numbers", "raise", 7, "KeyError", "'thrown'"),
    ("numbers", "catch", 9, "KeyError", "'thrown'"),
    ("low", "raise", 3, "ValueError", "low"),
    ("<__main__>", "catch", 22, "ValueError", "low"),
    ("low", "raise", 3, "ValueError", "low"),
]


@pytest.fixture(scope="module")
def recording_(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a recorded program that an exception ends, with its trace in ``out``."""
    folder = tmp_path_factory.mktemp("exceptions")
    write_files(folder, {"main.py": PROGRAM})
    done = record(["main.py"], folder, folder / "out")
    assert done.returncode == 1
    assert done.stderr.decode().endswith("ValueError: low\n")
    return folder


def show(folder: Path, *words: str) -> list[str]:
    """The lines that ``show`` prints, without indent; nothing may be on standard error."""
    done = recorder(["show", *words, "out"], folder)
    assert (done.returncode, done.stderr) == (0, b"")
    return [line.strip() for line in done.stdout.decode().splitlines()]


def test_exceptions_are_shown_where_they_are_raised_and_caught(recording_: Path) -> None:
    """With type and message, once for each raising, and not where they only pass through."""
    told = [json.loads(line) for line in show(recording_, "--format", "json")]
    found = [
        (each["kind"], each["line"], each["exception"], each["message"])
        for each in told
        if each["type"] == "step" and each["kind"] in ("raise", "catch")
    ]
    assert found == [tuple(each[1:]) for each in RAISED]
    lines = [line.split(" ", 1)[-1].strip() for line in show(recording_)]
    assert [line for line in lines if " ! " in line] == [
        *("7 ! raised KeyError: 'thrown'", "9 ! caught KeyError: 'thrown'"),
        *("3 ! raised ValueError: low", "22 ! caught ValueError: low"),
        "3 ! raised ValueError: low",
    ]


MESSAGES = """\
def fail(error):
    try:
        raise error
    except Exception:
        pass
class Own(Exception):
    def __str__(self): print("asked")
    __repr__ = __str__
for error in (
    KeyError(3), KeyError("it's"), OSError(2, "No such file"), ValueError(), ValueError("a", 2),
    ValueError([None, -1, 2.5, b"x", True, (1,)]), ValueError(2**70), ValueError({}), Own(Own()),
    OSError("just this"), ValueError(2, "no file"),
    ExceptionGroup("all", [ValueError(1), KeyError(2)]), ExceptionGroup("one", (OSError("x"),)),
    ValueError("all", [1]), ExceptionGroup("many", [ValueError()] * 200),
):
    fail(error)
"""


def test_messages_are_made_of_the_arguments(tmp_path: Path) -> None:
    """They are those that Python's own classes give, and no method of the program is called."""
    write_files(tmp_path, {"main.py": MESSAGES})
    done = record(["main.py"], tmp_path, tmp_path / "out")
    assert (done.returncode, done.stdout) == (0, b"")
    told = [json.loads(line) for line in show(tmp_path, "--format", "json")]
    found = [each["message"] for each in told if each.get("kind") == "raise"]
    assert found[:8] == [
        *("3", '"it\'s"', "[Errno 2] No such file", "", "('a', 2)"),
        *("[None, -1, 2.5, b'x', True, (1,)]", str(2**70), "<dict>"),
    ]
    assert found[8].startswith("<Own")
    assert found[9:11] == ["just this", "(2, 'no file')"]
    assert found[11:14] == ["all (2 sub-exceptions)", "one (1 sub-exception)", "('all', [1])"]
    assert found[14].startswith("('many', [<ValueError>, ")


def test_what_ended_the_program_is_shown_at_its_end(recording_: Path) -> None:
    """An exception that nothing catches stands below the last step and ends the calls it leaves."""
    assert show(recording_)[-4:] == [
        "error: ValueError: low",
        "ended by ValueError(args=('low',))",
        "ended by ValueError(args=('low',))",
        "ended: 1",
    ]


def test_calls_tell_how_they_began_and_ended(recording_: Path) -> None:
    """A generator yields, goes on, and is closed; what an exception has ended is marked."""
    calls = [line.split("  [")[0] for line in show(recording_, "--calls")]
    assert calls == [
        *("<toplevel> -> 1", "<__main__> ! ended by ValueError(args=('low',))"),
        *("numbers() yields 1", "numbers goes on with an exception yields 3"),
        "numbers goes on with an exception ! ended by GeneratorExit(args=())",
        *("numbers() yields 1", "numbers goes on yields 2", "numbers goes on yields 3"),
        "numbers goes on -> None",
        "low(n=1) ! ended by ValueError(args=('low',))",
        *["low(n=0) ! ended by ValueError(args=('low',))"] * 2,
    ]


def test_json_tells_how_calls_begin_and_end(recording_: Path) -> None:
    """In words that are the same for every trace."""
    told = [json.loads(line) for line in show(recording_, "--format", "json", "--calls")]
    assert [(call["entry"], call["exit"]) for call in told if call["function"] == "numbers"] == [
        *(("call", "yield"), ("throw", "yield"), ("throw", "unwind")),
        *(("call", "yield"), ("resume", "yield"), ("resume", "yield"), ("resume", "return")),
    ]


@pytest.mark.parametrize(
    ("program", "status"),
    [
        ("raise SystemExit(3)", 3),
        ("import sys\nsys.exit('bye')", 1),
        ("try:\n    1 / 0\nexcept ZeroDivisionError:\n    pass", 0),
    ],
    ids=["SystemExit", "sys.exit", "caught"],
)
def test_a_program_that_ends_as_it_wants_has_no_error(
    program: str, status: int, tmp_path: Path
) -> None:
    """Only an exception that nobody has caught is one."""
    write_files(tmp_path, {"main.py": program})
    assert record(["main.py"], tmp_path, tmp_path / "out").returncode == status
    assert not [line for line in show(tmp_path) if line.startswith("error:")]


DROPPED = """\
import left_out
class Item:
    @property
    def broken(self):
        raise AttributeError("same")
    @property
    def again(self): return drop(True)
def drop(inner):
    if inner: raise AttributeError("same")
    getattr(Item(), "again", None), fail()
def fail(): raise AttributeError("same")
def near(): getattr(Item(), "broken", None), None.other
def far(): getattr(Item(), "broken", None), left_out.fail()
def farther(): getattr(Item(), "broken", None), left_out.fail_inside()
def handled():
    try: getattr(Item(), "broken", None), left_out.fail_inside()
    except AttributeError: pass
for function in (near, far, farther, handled, lambda: drop(False)) * 2:
    try: function()
    except AttributeError: pass
"""


def test_an_exception_is_shown_where_c_code_has_just_dropped_another(tmp_path: Path) -> None:
    """Though it may take the same places in memory, with the same type and arguments."""
    left_out = "def fail(): raise AttributeError('same')\ndef fail_inside(): fail()\n"
    write_files(tmp_path, {"main.py": DROPPED, "left_out.py": left_out})
    command = ["--skip", "pkg:left_out", "main.py"]
    assert record(command, tmp_path, tmp_path / "out").returncode == 0
    told = [json.loads(line) for line in show(tmp_path, "--format", "json")]
    lines = [each["line"] for each in told if each.get("kind") == "raise"]
    assert lines == [5, 12, 5, 13, 5, 14, 5, 16, 9, 11] * 2


TRACER_FAILS = """\
import sys
def trace(frame, event, argument):
    if event == "exception" and frame.f_code is work.__code__:
        raise IndexError("of the trace function")
    return trace
def work():
    try: {}[1]
    except ValueError: pass
def again():
    try:
        try: raise KeyError("with another's traceback")
        except KeyError as error:
            error.__traceback__ = other
            raise
    except ValueError: pass
sys.settrace(trace)
try: work()
except IndexError as error: other = error.__traceback__.tb_next
sys.settrace(None)
try: again()
except KeyError: pass
"""


def test_an_exception_whose_traceback_begins_elsewhere_is_shown_once(tmp_path: Path) -> None:
    """A clause that does not match raises nothing, whatever traceback the exception has there."""
    write_files(tmp_path, {"main.py": TRACER_FAILS})
    assert record(["main.py"], tmp_path, tmp_path / "out").returncode == 0
    told = [json.loads(line) for line in show(tmp_path, "--format", "json")]
    raised = [each["line"] for each in told if each.get("kind") == "raise"]
    assert raised == [7, 11, 14]
