"""Session after session in one process: nothing is left behind, nothing is carried over."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from codetracer_core._native import lib

from codetracer_core.monitoring.capabilities import TOOL_IDS
from core.recorder.drive import recording
from core.recorder.support import HERE, NEEDS_MONITORING, SHOW_ALL, by_thread
from naive import journal

PROGRAM = """\
def work(n):
    kept = [1, [2, "three"], {"four": 5.0}]
    text = ""
    for i in range(n):
        kept[0] = i
        text += "x" * 40
        kept[1].append(str(i))
    return helper(kept, text)


def helper(kept, text):
    class Local(dict):
        size = len(text)

    local = Local(kept=kept)
    generator = (item for item in kept)
    next(generator)
    try:
        raise ValueError(local)
    except ValueError as error:
        return error
"""
STOPS_ITSELF = """\
def numbers():
    yield 1
    stop()
    yield 2
    yield 3


def outer():
    made = numbers()
    seen = [next(made)]
    seen += made
    return seen
"""
FILE = "/program/main.py"
ONLY_PROGRAM = """
[[scope.rules]]
selector = "file:regex:."
exec = "skip"

[[scope.rules]]
selector = "file:regex:program/main[.]py$"
exec = "trace"
"""
SKIP_HELPER = """
[[scope.rules]]
selector = 'obj:*helper*'
exec = "skip"
"""


def open_recording(folder: Path, rules: str = "") -> tuple[Any, Any]:
    """A tracer and a writer for a session in a new folder."""
    folder.mkdir()
    filter_file = folder / "filter.toml"
    filter_file.write_text(SHOW_ALL + ONLY_PROGRAM + rules, encoding="utf-8")
    return recording(folder, FILE, str(filter_file))


class Program:
    """Functions to call while a session runs, and sessions to call them in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, object] = {"__name__": "program"}
        exec(compile(PROGRAM, FILE, "exec"), self.names)
        self.sessions = 0

    def function(self, name: str) -> Callable[..., object]:
        function = self.names[name]
        assert callable(function)
        return function

    def code(self, name: str) -> CodeType:
        code = getattr(self.function(name), "__code__", None)
        assert isinstance(code, CodeType)
        return code

    def record(self, rules: str = "", turns: int = 3) -> Path:
        """Run a whole session; returns its journal."""
        self.sessions += 1
        tracer, writer = open_recording(self.folder / f"session {self.sessions}", rules)
        tracer.install()
        self.function("work")(turns)
        tracer.uninstall()
        writer.finish({})
        path: Path = writer.path
        return path


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def steps(path: Path) -> dict[str, int]:
    """How many events of each kind a journal has."""
    counts: dict[str, int] = {}
    for kind, *_ in by_thread(journal.load(path))["MainThread"]:
        counts[kind] = counts.get(kind, 0) + 1
    return counts


def local_events(code: CodeType) -> list[int]:
    """What each of our tool ids has switched on for a code object alone."""
    found = []
    for tool_id in TOOL_IDS:
        sys.monitoring.use_tool_id(tool_id, "looking")
        found.append(sys.monitoring.get_local_events(tool_id, code))
        sys.monitoring.free_tool_id(tool_id)
    return found


@NEEDS_MONITORING
def test_the_tool_id_is_free_after_a_session(program: Program) -> None:
    """Other tools can have the id, and no callback of ours is left in it."""
    program.record()
    assert [sys.monitoring.get_tool(tool_id) for tool_id in TOOL_IDS] == [None] * 3
    assert not lib.ct_session_is_active()
    sys.monitoring.use_tool_id(TOOL_IDS[0], "next owner")
    for number in range(17):
        assert sys.monitoring.register_callback(TOOL_IDS[0], 1 << number, None) is None
    sys.monitoring.free_tool_id(TOOL_IDS[0])


@NEEDS_MONITORING
def test_no_event_stays_switched_on_for_code_that_was_recorded(program: Program) -> None:
    """The next owner of the tool id does not get events that it has not asked for."""
    program.record()
    assert local_events(program.code("work")) == [0, 0, 0]
    assert local_events(program.code("helper")) == [0, 0, 0]


def test_a_session_ends_with_frames_of_the_program_still_open(tmp_path: Path) -> None:
    """Stopping from inside recorded code is safe, also for generators that go on later."""
    program = Program(tmp_path)
    tracer, writer = open_recording(tmp_path / "out")
    names: dict[str, object] = {"stop": tracer.uninstall}
    exec(compile(STOPS_ITSELF, FILE, "exec"), names)
    outer = names["outer"]
    assert callable(outer)
    tracer.install()
    assert outer() == [1, 2, 3]
    writer.finish({})
    events = journal.load(writer.path)
    assert events[-1][0] == "step"
    assert events[-1][3] == 3
    assert steps(program.record())["call"] > 0


def test_a_session_does_not_see_the_decisions_of_the_one_before(program: Program) -> None:
    """Code that a filter skipped is recorded by a session without that filter, and the other way
    round."""
    everything = steps(program.record())
    without_helper = steps(program.record(SKIP_HELPER))
    assert without_helper["call"] == 1 < everything["call"]
    assert steps(program.record()) == everything
    assert steps(program.record(SKIP_HELPER)) == without_helper


def test_code_that_is_freed_while_it_is_recorded_takes_its_plan_along(program: Program) -> None:
    """A program that makes and drops functions all the time does not grow the recorder, and a new
    code object at an old one's address is decided afresh."""
    source = "def made(a):\n    b = [a]\n    return b\nmade({0})\n"

    def churn(times: int) -> None:
        for number in range(times):
            exec(compile(source.format(number), FILE, "exec"), {})

    tracer, writer = open_recording(program.folder / "churn")
    tracer.install()
    churn(200)
    gc.collect()
    before = sys.getallocatedblocks()
    churn(600)
    gc.collect()
    grown = sys.getallocatedblocks() - before
    tracer.uninstall()
    writer.finish({})
    counts = steps(writer.path)
    assert counts["call"] == 2 * 800
    assert grown < 200


class Canary:
    """An object whose references can be counted."""


def test_values_of_the_program_are_not_kept(program: Program) -> None:
    """After a session every object has as many references as before, and is freed as soon."""
    canaries: list[object] = [Canary(), [1], {"a": 1}, {1}, (1, [2]), "text" * 9, 10**30, b"b" * 9]
    canaries += [Canary, ValueError("x"), 1.5e10, frozenset({3}), len, lambda: None, range(9)]
    source = (
        "def hold(*values):\n"
        "    together = [values, list(values), {str(i): v for i, v in enumerate(values)}]\n"
        "    for value in values:\n"
        "        last = value\n"
        "    class Body:\n"
        "        inside = last\n"
        "    del last\n"
        "    return len(together)\n"
    )
    names: dict[str, object] = {}
    exec(compile(source, FILE, "exec"), names)
    hold = names["hold"]
    assert callable(hold)
    program.names["work"] = lambda turns: hold(*canaries)
    hold(*canaries)
    gc.collect()
    before = [sys.getrefcount(canary) for canary in canaries]
    for _ in range(3):
        program.record()
    gc.collect()
    assert [sys.getrefcount(canary) for canary in canaries] == before


GROWTH = """\
import ctypes, gc, resource, shutil, sys
from pathlib import Path

sys.path[:0] = [sys.argv[2]]
from core.recorder.test_sessions import Program, open_recording

program = Program(Path(sys.argv[1]))


class Mallinfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "abcdefg"] + [
        ("used", ctypes.c_size_t), ("free", ctypes.c_size_t), ("top", ctypes.c_size_t)]


mallinfo = ctypes.CDLL(None).mallinfo2
mallinfo.restype = Mallinfo


def files_only():
    _, writer = open_recording(program.folder / "files only")
    writer.abandon()
    shutil.rmtree(program.folder / "files only")


def whole():
    shutil.rmtree(program.record().parent)


def growth(session):
    seen = []
    for times in (150, 100, 100, 100):
        for _ in range(times):
            session()
        gc.collect()
        seen.append((
            sys.getallocatedblocks(),
            mallinfo().used,
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        ))
    return [[b - a for a, b in zip(figures, figures[1:])] for figures in zip(*seen)]


# What leaks does so each time; what the interpreter keeps for itself comes now and then.
print(*map(max, growth(files_only)), *map(min, growth(whole)))
"""


def test_a_hundred_sessions_leave_no_memory_behind(tmp_path: Path) -> None:
    """Neither blocks of Python, nor allocations in C, nor the peak of resident memory grow with the
    number of sessions; what the names of a hundred files cost in Python itself is allowed for."""
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, tmp_path, HERE.parents[1]],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=240,
    )
    file_blocks, file_bytes, _, blocks, used, peak = map(int, done.stdout.split())
    assert blocks - max(file_blocks, 0) < 60
    assert used - max(file_bytes, 0) < 10_000
    assert peak < 1024, "KiB"
