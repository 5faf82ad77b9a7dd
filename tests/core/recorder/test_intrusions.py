"""Programs that reach into the recorder's means: its tool id, its sessions, the room of a chunk."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.recorder.support import NEEDS_MONITORING, SHOW_ALL, record, run

NAMES = """\
big = "\\U00020000" * 195
source = "def f():\\n"
for i in range(4090):
    source += f" {big}{i:04d} = 0\\n"
source += " return 1\\n"
space = {}
exec(compile(source, __file__, "exec"), space)
print(space["f"]())
exec(compile("\\n".join(f"{big}{i:04d} = 0" for i in range(2000)), __file__, "exec"), {})
def g():
    for i in range(100):
        j = i
    return j
print(g())
"""

MANY_FUNCTIONS = """\
import sys
sys.setrecursionlimit(5000)
parts = []
for i in range(400):
    names = "".join(f"    v{i}_{j}_{'n' * 150} = 0\\n" for j in range(20))
    parts.append(f"def f{i}(k):\\n{names}    return f{i + 1}(k)\\n")
parts.append("def f400(k):\\n    for i in range(k):\\n        s = 'x%d' % i * 100\\n")
parts.append("    return s\\n")
space = {}
exec(compile("\\n".join(parts), __file__, "exec"), space)
print(len(space["f0"](4000)))
"""

CLEARED_EVENTS = """\
import sys
monitoring = sys.monitoring
tools = [tool for tool in (5, 4, 3) if monitoring.get_tool(tool)]
def clear(code):
    for tool in tools:
        monitoring.set_events(tool, 0)
        monitoring.set_local_events(tool, code, 0)
source = "def big():\\n" + "".join(f" v{i} = [{i}]\\n" for i in range(300))
exec(compile(source + " clear(big.__code__)\\n return 1\\n", __file__, "exec"))
def small():
    q = 1
    q = 2
    return q
small()
for _ in range(50):
    big()
    small()
print("done")
"""

SESSIONS_BESIDE_THREADS = """\
import sys, threading, tempfile, time
import codetracer_core
sys.setswitchinterval(1e-5)
stop = False
def churn(k):
    while not stop:
        space = {}
        source = "def a(n):\\n return b(n - 1) if n else 0\\n"
        source += "def b(n):\\n return a(n - 1) if n > 0 else 1\\n"
        exec(compile(source, f"{__file__}{k}", "exec"), space)
        space["a"](60)
def spawn():
    while not stop:
        made = [threading.Thread(target=lambda: [x for x in range(50)]) for _ in range(3)]
        [thread.start() for thread in made]
        [thread.join() for thread in made]
threads = [threading.Thread(target=churn, args=(k,)) for k in range(3)]
threads += [threading.Thread(target=spawn) for _ in range(2)]
[thread.start() for thread in threads]
try:
    for _ in range(12):
        with tempfile.TemporaryDirectory() as folder:
            codetracer_core.start(folder, trace_filter=sys.argv[1])
            time.sleep(0.01)
            codetracer_core.stop()
finally:
    stop = True
    [thread.join() for thread in threads]
print("done")
"""

# CPython 3.11 collects garbage wherever a container is made, in C too, and runs finalizers then.
THREADS_END_WITH_GARBAGE = """\
import gc, sys, tempfile, threading
import codetracer_core
def deep(n, leave):
    return deep(n - 1, leave) if n else leave.wait()
leaves = [threading.Event() for _ in range(40)]
threads = [threading.Thread(target=deep, args=(200, leave)) for leave in leaves]
[thread.start() for thread in threads]
def collected(phase, facts):
    if phase == "start" and leaves:
        [leave.set() for leave in leaves[-3:]]
        [thread.join() for thread in threads[-3:]]
        del leaves[-3:], threads[-3:]
with tempfile.TemporaryDirectory() as folder:
    codetracer_core.start(folder, trace_filter=sys.argv[1])
    codetracer_core.stop()
    gc.callbacks.append(collected)
    gc.set_threshold(150)
    codetracer_core.start(folder, trace_filter=sys.argv[1])
    gc.callbacks.clear()
    codetracer_core.stop()
[leave.set() for leave in leaves]
[thread.join() for thread in threads]
print("done")
"""

STOPPED_WHILE_DECIDING = """\
import sys, tempfile, threading, time
import codetracer_core
sys.setswitchinterval(1e-5)
main = threading.get_ident()
over = False
stopping = threading.Lock()
def stop():
    with stopping:
        codetracer_core.stop()
def stop_while_deciding():
    while not over:
        frame = sys._current_frames()[main]
        while frame is not None and frame.f_code.co_name != "decide":
            frame = frame.f_back
        if frame is not None:
            stop()
        time.sleep(0.0002)
other = threading.Thread(target=stop_while_deciding)
other.start()
source = "\\n".join(
    f"globals().update((('k{i}_%d' % j), j) for j in range(300))" for i in range(8)
) + "\\nx = 1\\n"
for _ in range(10):
    with tempfile.TemporaryDirectory() as folder:
        codetracer_core.start(folder, trace_filter=sys.argv[1])
        exec(compile(source, __file__, "exec"), {"__name__": "q"})
        stop()
over = True
other.join()
print("done")
"""


@pytest.mark.parametrize(
    ("source", "output"),
    [
        (NAMES, "1\n99\n"),
        (MANY_FUNCTIONS, "500\n"),
        pytest.param(CLEARED_EVENTS, "done\n", marks=NEEDS_MONITORING),
    ],
    ids=["long names", "many functions open", "cleared events"],
)
def test_a_program_runs_on_whatever_it_does_to_the_recorder(
    source: str, output: str, tmp_path: Path
) -> None:
    """Names that would fill a chunk, stacks whose definitions would, and events that the program
    takes away change neither its output nor its end."""
    script = tmp_path / "program.py"
    script.write_text(source, encoding="utf-8")
    recorded = record(script, tmp_path)
    assert recorded.outcome.output == output
    assert recorded.outcome.status == 0
    assert recorded.stats["steps"] > 0


@pytest.mark.parametrize(
    "source",
    [SESSIONS_BESIDE_THREADS, THREADS_END_WITH_GARBAGE, STOPPED_WHILE_DECIDING],
    ids=[
        "threads that come and go",
        "threads that the collection of garbage ends",
        "a thread that stops",
    ],
)
def test_sessions_begin_and_end_at_any_moment(source: str, tmp_path: Path) -> None:
    """A session may start while other threads run, and stop while the recorder asks a filter."""
    script = tmp_path / "program.py"
    script.write_text(source, encoding="utf-8")
    filter_file = tmp_path / "all.toml"
    filter_file.write_text(SHOW_ALL, encoding="utf-8")
    outcome = run([script, filter_file])
    assert (outcome.output, outcome.status) == ("done\n", 0)


CHANGED_ON_AN_IDLE_LINE = """\
import sys
def tried(held):
    one = 1
    try:
        two = 2
    finally:
        three = 3
    return held
FIRST = tried.__code__.co_firstlineno
def on_line(code, line):
    if code is tried.__code__ and line == FIRST + 2:
        lists[-1].append(len(lists))
monitoring = sys.monitoring
lists = []
free = [tool for tool in range(6) if monitoring.get_tool(tool) is None]
for tool in (free[0], free[-1]):
    monitoring.use_tool_id(tool, "stranger")
    monitoring.register_callback(tool, monitoring.events.LINE, on_line)
    monitoring.set_local_events(tool, tried.__code__, monitoring.events.LINE)
    lists.append([])
    tried(lists[-1])
    monitoring.set_local_events(tool, tried.__code__, 0)
    monitoring.free_tool_id(tool)
print(lists)
"""


@NEEDS_MONITORING
def test_what_other_tools_change_on_a_line_that_does_nothing_is_seen(tmp_path: Path) -> None:
    """A value that another tool's callback has changed at a `try:` is recorded with the next step,
    whichever of the two tools gets the event first."""
    script = tmp_path / "program.py"
    script.write_text(CHANGED_ON_AN_IDLE_LINE, encoding="utf-8")
    recorded = record(script, tmp_path)
    assert recorded.outcome.output == "[[1], [2]]\n"
    events = recorded.events()["MainThread"]
    held = [event[3]["held"] for event in events if event[0] == "step" and event[2] == 5]
    assert held == [("list", 1, (("int", 1),)), ("list", 1, (("int", 2),))]


CHANGED_WITHIN_A_LINE = """\
import sys
def chosen(held, x):
    y = 0
    y = 1 if x > 0 else 2
    return held
held = list(range(100))
def callback(code, *rest):
    if code is chosen.__code__ and sys._getframe(1).f_lineno == 4:
        held[0] += 1
monitoring = sys.monitoring
events = monitoring.events
branches = ["BRANCH"] if sys.version_info < (3, 14) else ["BRANCH_LEFT", "BRANCH_RIGHT"]
for names in (["INSTRUCTION"], ["JUMP"], branches):
    tool = [tool for tool in range(6) if monitoring.get_tool(tool) is None][0]
    monitoring.use_tool_id(tool, "stranger")
    wanted = 0
    for name in names:
        monitoring.register_callback(tool, getattr(events, name), callback)
        wanted |= getattr(events, name)
    chosen(held, 1)
    monitoring.set_local_events(tool, chosen.__code__, wanted)
    chosen(held, 1)
    monitoring.set_local_events(tool, chosen.__code__, 0)
    monitoring.free_tool_id(tool)
    print(held[0])
"""


@NEEDS_MONITORING
def test_what_other_tools_change_within_a_line_is_seen(tmp_path: Path) -> None:
    """A large list that another tool's callback changes at an instruction, a jump or a branch of a
    line that cannot change it itself is recorded with the next step."""
    script = tmp_path / "program.py"
    script.write_text(CHANGED_WITHIN_A_LINE, encoding="utf-8")
    recorded = record(script, tmp_path)
    steps = [event for event in recorded.events()["MainThread"] if event[0] == "step"]
    ends = [step[3]["held"][2][0][1] for step in steps if step[2] == 5]
    after = [int(line) for line in recorded.outcome.output.split()]
    assert ends[1::2] == after
    assert ends[0] < ends[1] < ends[-1]


REPLACED_BUILTINS = """\
import builtins
import os
asked = []
def stranger(*arguments):
    asked.append(arguments)
    raise LookupError("not yours")
originals = dict(vars(builtins))
for name in ("len", "isinstance", "tuple", "sorted", "max", "zip", "str", "type", "bytes"):
    setattr(builtins, name, stranger)
del builtins.bool, builtins.set
def first(n):
    return n + 1
def second(n):
    class Local:
        value = n
    return Local.value
one = first(1) + second(1)
lost = hasattr(builtins, "bool")
for name, value in originals.items():
    setattr(builtins, name, value)
of_os = os.stat, os.lstat, os.readlink
os.stat = os.lstat = os.readlink = stranger
of_path = os.path.isfile, os.path.islink
os.path.isfile = os.path.islink = stranger
exec(compile("def third(n):\\n    return n - 1\\n", __file__ + ".template", "exec"))
one += third(1)
os.stat, os.lstat, os.readlink = of_os
os.path.isfile, os.path.islink = of_path
print(one, len(asked), lost)
"""


def test_functions_that_the_program_replaces_are_not_the_recorders(tmp_path: Path) -> None:
    """Functions are recorded as ever, the program's replacements of builtins and of functions that
    ask the system are not called, and they stay where the program has put them."""
    script = tmp_path / "program.py"
    script.write_text(REPLACED_BUILTINS, encoding="utf-8")
    recorded = record(script, tmp_path)
    assert recorded.outcome.output == "3 0 False\n"
    assert recorded.stats["failure"] is None
    calls = [event[1] for event in recorded.events()["MainThread"] if event[0] == "call"]
    known = ["first", "second", "second.<locals>.Local", "third"]
    assert [call for call in calls if call in known] == known
