"""Threads of every kind, other tools in them, and libraries that exchange their stacks."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from codetracer_core.ctfs.materialiser import materialise
from codetracer_core.ctfs.reader import Trace
from core.recorder.support import PROGRAMS, SHOW_ALL, Decoder, Event, Recording, record, run
from naive import journal

KINDS = """\
import _thread
import threading
import time
from concurrent.futures import ThreadPoolExecutor


def work(n):
    kept = n + 1
    return kept


def raw(lock):
    work(1)
    lock.release()


lock = _thread.allocate_lock()
lock.acquire()
_thread.start_new_thread(raw, (lock,))
lock.acquire()


def renamed():
    before = 1
    threading.current_thread().name = "after"
    after = 2


thread = threading.Thread(target=renamed, name="before")
thread.start()
thread.join()


class Odd(threading.Thread):
    @property
    def name(self):
        raise RuntimeError("asked for the name")

    def run(self):
        work(2)


odd = Odd()
odd.start()
odd.join()
with ThreadPoolExecutor(2, thread_name_prefix="pool") as pool:
    print(sorted(pool.map(work, range(6))))
timer = threading.Timer(0.001, work, (3,))
timer.start()
timer.join()
running = threading.Event()


def forever():
    while True:
        work(4)
        running.set()
        time.sleep(0.0001)


threading.Thread(target=forever, name="daemon", daemon=True).start()
running.wait()
"""

TRACING = """\
import sys

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


if {set_trace}:
    sys.settrace(trace)
else:
    sys.setprofile(profile)
if len(sys.argv) > 1:
    import codetracer_core

    codetracer_core.start(sys.argv[1], trace_filter=sys.argv[2])
work(3)
sys.settrace(None)
sys.setprofile(None)
work(2)
if len(sys.argv) > 1:
    codetracer_core.stop()
print(seen)
"""

SWITCHES = """\
import greenlet


def leaf(number):
    kept = number * 2
    return kept


def inner(name):
    total = 0
    for turn in range(4):
        total += leaf(turn)
        main.switch(total)
        seen = name, turn, total, leaf(main.switch(turn))
    return seen


def body(name):
    result = inner(name)
    return result


main = greenlet.getcurrent()
made = [greenlet.greenlet(body) for _ in range(3)]
out = [one.switch(name) for name, one in zip("abc", made)]
for turn in range(8):
    out.append([one.switch(turn) for one in made if not one.dead])
print(out)


def fails():
    try:
        main.switch()
    except ValueError as error:
        raise KeyError("in a greenlet") from error


for thrown in (ValueError("v"), None):
    one = greenlet.greenlet(fails)
    one.switch()
    try:
        if thrown:
            one.throw(thrown)
    except KeyError as error:
        print(error)
    del one
"""

SKIP_LIBRARIES = """
[[scope.rules]]
selector = 'file:regex:/lib/python3'
exec = "skip"
"""
POOL = """\
from gevent import monkey

monkey.patch_all()
import threading
import time

import gevent
from gevent.pool import Pool


def work(n):
    total = 0
    for i in range(4):
        total += n
        time.sleep(0)
        total += i
    return total


print(list(Pool(3).map(work, range(9))))
threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""

ALONE = """\
import faulthandler
import gc
import sys
import tempfile
import threading
import time


class Knot:
    def __init__(self, text):
        self.me = self
        self.text = text

    def __del__(self):
        homes.add(threading.get_ident() == home)


def see(code, *_):
    seen.add(code.co_filename)


def threads_of(dump):
    faulthandler.dump_traceback(dump)
    dump.seek(0)
    return sum(line.lower().count(b"thread 0x") for line in dump)


home, homes, seen, frames = threading.get_ident(), set(), set(), set()
if hasattr(sys, "monitoring"):
    sys.monitoring.use_tool_id(2, "see")
    sys.monitoring.register_callback(2, sys.monitoring.events.PY_START, see)
    sys.monitoring.set_events(2, sys.monitoring.events.PY_START)
gc.set_threshold(5)
for number in range(4000):
    Knot(f"{number} " * 200)
    frames.add(len(sys._current_frames()))
threads, until = 2, time.monotonic() + 5
while threads > 1 and time.monotonic() < until:
    time.sleep(0.01)
    with tempfile.TemporaryFile() as dump:
        threads = threads_of(dump)
print(homes, frames, threads, [name for name in seen if "codetracer_core" in name])
"""

COVERED = """\
def work(n):
    total = 0
    for i in range(n):
        if i % 2:
            total += i
        else:
            total -= i
    if total > 100:
        total = 100
    return total


print(work(10))
"""


def write(folder: Path, source: str) -> Path:
    script = folder / "program.py"
    script.write_text(source, encoding="utf-8")
    return script


def events_of(recorded: Recording) -> list[Event]:
    """All events in order."""
    decoder = Decoder()
    for chunk in journal.chunks(recorded.journal):
        decoder.next_chunk(chunk)
    return decoder.events


def assert_frames_fit(events: list[Event]) -> None:
    """Every frame that ends in a thread is the one that began last there."""
    stacks: dict[int, list[str]] = {}
    for kind, *rest in events:
        if kind in ("call", "resume", "throw", "enter"):
            stacks.setdefault(rest[0], []).append(rest[1])
        elif kind in ("return", "yield", "unwind", "lost"):
            assert stacks[rest[0]].pop() == rest[1]


def test_every_thread_has_a_name_a_start_and_an_end(tmp_path: Path) -> None:
    """A thread goes by the name that it has at its first record; one that is killed by the end of
    the program has no end."""
    recorded = record(write(tmp_path, KINDS), tmp_path)
    assert recorded.stats["lost_frames"] == 0
    assert recorded.outcome.output == "[1, 2, 3, 4, 5, 6]\n"
    events = events_of(recorded)
    started = {event[1]: event[3] for event in events if event[0] == "thread start"}
    names = list(started.values())
    assert names[0].startswith("Thread-")
    assert names[0] != "Thread-1"
    assert [name for name in names[1:] if not name.startswith("pool_")] == [
        "before",
        "Thread-1",
        "Thread-2",
        "daemon",
    ]
    assert {name for name in names if name.startswith("pool_")} <= {"pool_0", "pool_1"}
    ended = [started[event[1]] for event in events if event[0] == "thread exit"]
    assert sorted(ended) == sorted(name for name in names if name != "daemon")
    assert_frames_fit(events)


def test_the_program_sees_no_thread_of_the_recorder(tmp_path: Path) -> None:
    """While chunks are written there is no further frame, garbage of the program is collected in
    its own thread, and other tools get no events of the recorder's code."""
    recorded = record(write(tmp_path, ALONE), tmp_path)
    assert recorded.outcome.output == "{True} {1} 1 []\n"
    assert len(list(journal.chunks(recorded.journal))) > 5


@pytest.mark.parametrize("set_trace", [True, False], ids=["settrace", "setprofile"])
def test_a_program_that_is_traced_already_can_be_recorded(set_trace: bool, tmp_path: Path) -> None:
    """What has been set by ``sys.settrace`` or ``sys.setprofile`` sees what it would see alone."""
    script = write(tmp_path, TRACING.replace("{set_trace}", str(set_trace)))
    filter_file = tmp_path / "all.toml"
    filter_file.write_text(SHOW_ALL, encoding="utf-8")
    alone = run([script])
    recorded = run([script, tmp_path / "out", filter_file])
    assert recorded == alone
    assert alone.status == 0, alone.output
    assert "return" in alone.output
    with Trace(tmp_path / "out" / "trace.ct") as trace:
        called = [call.function for call in trace.calls()]
    assert called.count("work") == 2


def owners_of_steps(path: Path) -> list[tuple[str, str]]:
    """The function of each step, raised and caught exceptions included, as the journal has it."""
    found: list[tuple[str, str]] = []

    class Owners(Decoder):
        def add(self, kind: str, *rest: Any) -> None:
            super().add(kind, *rest)
            if kind in ("step", "raise", "catch"):
                frame = self.stacks[self.thread][-1]
                found.append((kind, self.functions[frame.function].name))

    decoder = Owners()
    for chunk in journal.chunks(path):
        decoder.next_chunk(chunk)
    return found


def assert_steps_are_where_they_ran(recorded: Recording, folder: Path) -> None:
    """Each step of the trace is in the range of the call that ran it, and none is counted as in
    another one's."""
    owners = owners_of_steps(recorded.journal)
    assert len(owners) > 50
    materialise(recorded.journal, folder)
    with Trace(folder / "trace.ct") as trace:
        at = 0
        for step in trace.steps():
            if step.kind not in ("line", "raise", "catch"):
                continue
            kind, function = owners[at]
            call = trace.call_of_step(step.index)
            assert call is not None
            assert call.function == function, f"step {step.index} at line {step.line}"
            # A line in front of an exception may stand there only to say where it happened.
            at += kind == "step" or step.kind == kind
        assert at == len(owners)
    metadata = json.loads((folder / "trace_metadata.json").read_text(encoding="utf-8"))
    assert metadata["counts"]["steps_misplaced"] == 0


@pytest.mark.parametrize("name", ["threads", "switching", "tasks", "generators", "suspended"])
def test_every_step_is_in_the_range_of_the_call_that_ran_it(name: str, tmp_path: Path) -> None:
    """The innermost call that a trace's ranges give is the one that ran the step, in threads,
    tasks and generators that take turns."""
    assert_steps_are_where_they_ran(record(PROGRAMS / f"{name}.py", tmp_path), tmp_path)


@pytest.mark.parametrize(
    ("library", "source"), [("greenlet", SWITCHES), ("gevent", POOL)], ids=["greenlet", "gevent"]
)
def test_stacks_that_are_exchanged_are_taken_up_again(
    library: str, source: str, tmp_path: Path
) -> None:
    """A library that switches stacks costs frames that are lost and entered again, and every step
    stays with the function that it is of, inside those that called it."""
    pytest.importorskip(library)
    script = write(tmp_path, source)
    plain = run([script])
    recorded = record(script, tmp_path, rules=SKIP_LIBRARIES)
    assert recorded.outcome == plain
    assert plain.status == 0, plain.output
    assert recorded.stats["failure"] is None
    assert recorded.stats["lost_frames"] > 3
    events = events_of(recorded)
    assert_frames_fit(events)
    if library == "greenlet":
        seen = [event[4]["seen"] for event in events if event[0] == "step" and "seen" in event[4]]
        assert {one[0] for one in seen} == {"a", "b", "c"}
        assert all(one[2] == one[1] * (one[1] + 1) for one in seen)
        entered = [event[2] for event in events if event[0] == "enter"]
        assert entered.count("body") == entered.count("inner")
    assert_steps_are_where_they_ran(recorded, tmp_path)


@pytest.mark.parametrize("core", ["ctrace", "sysmon"])
@pytest.mark.parametrize("is_outside", [True, False], ids=["around", "inside"])
def test_coverage_measures_the_same_beside_the_recorder(
    core: str, is_outside: bool, tmp_path: Path
) -> None:
    """Both of its cores report what they report alone, started before the recorder or after it."""
    pytest.importorskip("coverage")
    if sys.version_info < (3, 12) and (core == "sysmon" or not is_outside):
        pytest.skip("no sys.monitoring, and a tracer in C that is started later takes its place")
    script = write(tmp_path, COVERED)
    env = {"COVERAGE_CORE": core, "COVERAGE_FILE": str(tmp_path / "data")}
    measure = ["-m", "coverage", "run", f"--include={script}"]
    recording = ["-m", "codetracer_core", "record", "--out-dir", str(tmp_path / "out")]
    report = ["-m", "coverage", "report", "--show-missing"]

    assert run([*measure, script], env=env).status == 0
    alone = run(report, env=env).output
    both = [*measure, *recording] if is_outside else [*recording, *measure]
    assert run([*both, script], env=env).status == 0
    assert run(report, env=env).output == alone
    assert "9" in alone
    with Trace(tmp_path / "out" / "trace.ct") as trace:
        lines = {step.line for step in trace.steps() if step.path == os.fspath(script)}
    assert {1, 2, 3, 4, 5, 7, 8, 10, 13} <= lines
