"""Programs that make recording difficult: at their limits, interrupted, oddly made, watched by
others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.recorder.support import HERE, Event, Recording, assert_same, observe, record, run

RECURSION = """\
import sys

def down(n):
    return down(n + 1) + 1

def first_called_at_the_limit(n):
    return n

def nearly(n):
    try:
        return nearly(n + 1)
    except RecursionError:
        return first_called_at_the_limit(n) > 100

def generate(n):
    yield from generate(n + 1)

class Counts:
    def __getattr__(self, name):
        return getattr(self, name + "x")

for limit in (300, 1000, 2000):
    sys.setrecursionlimit(limit)
    for function in (down, lambda n: list(generate(n)), lambda n: Counts().missing):
        try:
            function(0)
        except RecursionError as error:
            print(type(error).__name__)
    print(nearly(0))
"""

SIGNALS = """\
import signal

caught = []

def helper(n):
    return [n, n + 1]

def handler(number, frame):
    caught.append(sum(helper(number)))
    if len(caught) % 7 == 0 and frame.f_code is work.__code__:
        raise InterruptedError(number)

def numbers(n):
    for i in range(n):
        yield i

def work():
    total = 0
    kept = []
    for i in numbers(150):
        kept.append(i)
        total += sum(helper(i))
    return total

signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
rounds = 0
while len(caught) < 30 or not rounds:
    try:
        work()
    except InterruptedError:
        rounds += 1
signal.setitimer(signal.ITIMER_REAL, 0)
print(rounds > 0)
"""

CODE = """\
import ast
import sys

def lines(source, shift):
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            node.lineno += shift
            node.end_lineno += shift
    names = {"__name__": "shifted"}
    exec(compile(tree, __file__, "exec"), names)
    return names["made"](3)

SOURCE = "def made(a):\\n    b = a\\n    c = [b]\\n    return c\\n"
for shift in (0, 1000, 2**16, 2**24, 2**30 - 3, 2**31 - 9):
    print(lines(SOURCE, shift))

def plain(a, b=2):
    c = (a, b)
    return c

code = plain.__code__
if sys.version_info >= (3, 12):  # CPython 3.11 tells its tracers lines that nobody has written
    plain.__code__ = code.replace(co_linetable=b"")
    print(plain(1))
plain.__code__ = code.replace(co_firstlineno=0)
print(plain(1))
plain.__code__ = code.replace(co_qualname="odd \\udc80 name", co_name="\\ud800")
print(plain(1))
plain.__code__ = code.replace(co_varnames=("a b", "\\udc81", "1"))
print(plain(1))
names = {"__name__": "odd"}
names["not an identifier"] = 1
names["\\udcff"] = 2
names["x" * 150] = 3
exec(compile("y = 1\\ny = 2\\n", __file__, "exec"), names)
"""

TYPES = """\
for i in range(1200):
    made = type(f"Made{i}", (), {})
    thing = made()
    pair = [thing, made]
    sub = type(f"Sub{i % 7}", (list,), {})([i])
"""

MANY_NAMES = """\
globals().update({f"name{i}": i for i in range(4200)})
del name0
name1 = "changed"
last = 1
"""

WATCHED = """\
import sys
import threading

seen = []

def trace(frame, event, argument):
    if frame.f_code.co_name == "work":
        seen.append((event, frame.f_lineno))
    return trace

def profile(frame, event, argument):
    if frame.f_code.co_name == "work":
        seen.append(event)

def work(n):
    total = 0
    for i in range(n):
        total += i
    return total

work(2)
sys.settrace(trace)
work(2)
sys.settrace(None)
sys.setprofile(profile)
work(2)
sys.setprofile(None)
if sys.version_info >= (3, 12):
    tool = sys.monitoring
    tool.use_tool_id(2, "own")
    tool.register_callback(2, tool.events.LINE, lambda code, line: seen.append(line))
    tool.set_local_events(2, work.__code__, tool.events.LINE)
    work(2)
    tool.set_local_events(2, work.__code__, 0)
    tool.free_tool_id(2)
    print([tool.get_tool(number) for number in (0, 1, 2)])
print(seen, sys.gettrace(), sys.getprofile())
work(2)
"""


def write(folder: Path, source: str) -> Path:
    script = folder / "program.py"
    script.write_text(source, encoding="utf-8")
    return script


def assert_balanced(recorded: Recording) -> list[Event]:
    """Every frame that began ended, each inside the one around it; returns the events."""
    assert recorded.stats["failure"] is None
    assert recorded.stats["lost_frames"] == 0
    events = recorded.events()["MainThread"]
    stack: list[str] = []
    for kind, *rest in events:
        if kind in ("call", "resume", "throw", "enter"):
            stack.append(rest[0])
        elif kind in ("return", "yield", "unwind"):
            assert stack.pop() == rest[0]
    assert stack == []
    return events


@pytest.mark.parametrize("source", [RECURSION, SIGNALS], ids=["recursion", "signals"])
def test_a_program_that_is_interrupted_everywhere_stays_balanced(
    source: str, tmp_path: Path
) -> None:
    """At the limit of recursion, and with a signal handler between any two instructions, the
    program does what it would do alone and every call has its end."""
    script = write(tmp_path, source)
    plain = run([script])
    recorded = record(script, tmp_path)
    assert recorded.outcome == plain
    assert len(assert_balanced(recorded)) > 1000


@pytest.mark.parametrize("source", [CODE, TYPES], ids=["code", "types"])
def test_oddly_made_programs_are_recorded_as_they_run(source: str, tmp_path: Path) -> None:
    """Lines far away or absent, names that no source could have, and classes without number."""
    script = write(tmp_path, source)
    watched, observed = observe(script, tmp_path)
    recorded = record(script, tmp_path)
    assert recorded.outcome == watched
    assert "Error" not in watched.output
    assert_balanced(recorded)
    assert_same(recorded.events(), observed)


def test_a_module_shows_its_first_4096_names(tmp_path: Path) -> None:
    """More variables than that are left out, and those that are shown stay right."""
    script = write(tmp_path, MANY_NAMES)
    recorded = record(script, tmp_path)
    events = assert_balanced(recorded)
    step, _ = events[-2:]
    shown = step[3]
    # Names that are not shown count too: those with underscores around them, and the deleted one.
    assert 4070 < len(shown) < 4096
    assert "name0" not in shown
    assert shown["name1"] == ("str", 7, "changed")
    assert all(shown[f"name{i}"] == ("int", i) for i in range(2, 4000))


def test_other_tools_work_beside_the_recorder(tmp_path: Path) -> None:
    """A program that traces, profiles or monitors itself gets what it would get alone."""
    script = write(tmp_path, WATCHED)
    plain = run([script])
    recorded = record(script, tmp_path)
    assert recorded.outcome == plain
    assert_balanced(recorded)


def test_a_program_does_everything_at_once_in_session_after_session(tmp_path: Path) -> None:
    """It recurses, raises, forks, collects, makes code and writes in threads, beside signals."""
    command: list[str | Path] = [sys.executable, HERE / "stress.py", tmp_path / "out", "5"]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    done = subprocess.run(command, env=environment, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.endswith(b"True\n")
