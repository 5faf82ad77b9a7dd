"""Failures of the C part, injected at each of its entries: what becomes of program and trace.

The module is built with failures that a variable asks for; no other build has them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import codetracer_core._native as installed
import pytest

from codetracer_core.ctfs.reader import Trace
from core.recorder.drive import NATIVE_VARIABLE
from core.recorder.support import Decoder
from naive import journal
from workspace import ROOT

VARIABLE = "CODETRACER_TEST_INJECT_FAILURE"

SUBJECT = """\
import random
import sys
{imports}

noise = random.Random(5)


def numbers():
    for i in range(3):
        try:
            yield i
        except KeyError:
            pass


def twice(n):
    return n * 2


def fails(n):
    return 1 // n


def speak():
    sys.stderr.write("{{}}\\n")
    {speaks}


def run():
    total = 0
    speak()
    for turn in range(4):
        twice(turn)
        made = numbers()
        total += next(made) + next(made)
        made.throw(KeyError(turn))
        try:
            fails(0)
        except ZeroDivisionError: total += 1
    for turn in range(1500):
        text = noise.randbytes(400).hex()
        total += len(text)
    return total
"""
SPEAKS = {
    "input": ("", "sys.stdin.readline()"),
    "log": ("import logging", "logging.getLogger().error('{}')"),
    "mirror": ("import os", "os.writev(2, [b'{}\\n'])"),
    "thread": ("import _thread, time", "_thread.start_new_thread(twice, (5,)); time.sleep(0.05)"),
}
"""What has to be imported and to be done for some stages to be reached."""
RESULT = 4 * 2 + 1500 * 800

RUN = """\
import sys

sys.path[:0] = [{tests!r}, {folder!r}]
from core.recorder.drive import use_native

use_native()
import codetracer_core
import subject
from codetracer_core.monitoring.api import Event
from codetracer_core.monitoring.install import Installation


def tool_ids():
    if not hasattr(sys, "monitoring"):
        try:
            Installation.claim(Event.LINE).remove()
        except codetracer_core.RecorderError as error:
            return [error]
        return [None] * 6
    return [sys.monitoring.get_tool(number) for number in range(6)]


def attempt(name, function, *arguments, **options):
    try:
        print(name, function(*arguments, **options), flush=True)
    except codetracer_core.RecorderError as error:
        print(name, type(error).__name__, error.code, flush=True)


def start():
    policy = {{"on_recorder_error": {policy!r}, "json_errors": True, **{options!r}}}
    codetracer_core.start({out!r}, policy=policy, trace_filter={filter_file!r})


def stop():
    codetracer_core.stop()


streams = sys.stdin, sys.stdout, sys.stderr
attempt("start", start)
attempt("run", subject.run)
print("free", tool_ids() == [None] * 6, flush=True)
{leave}
attempt("stop", stop)
attempt("again", subject.run)
print("free", tool_ids() == [None] * 6)
print("same", streams == (sys.stdin, sys.stdout, sys.stderr), codetracer_core.is_tracing())
"""
ONLY_SUBJECT = """\
[meta]
name = "the subject"
version = 1

[scope]
default_exec = "skip"
default_value_action = "allow"

[[scope.rules]]
selector = "pkg:literal:subject"
exec = "trace"
"""
EVENTS = [
    *("py_start:3", "py_resume:2", "py_throw", "py_return:3", "py_yield:4", "py_unwind"),
    *("line:40", "seal", "exception_handled", "branch:2", "output:5", "input", "log", "mirror"),
]
AFTER = f"again {RESULT}", "free True", "same True False"

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True, slots=True)
class Injected:
    """What a process with an injected failure has printed, and its output folder."""

    lines: Sequence[str]
    trailers: Sequence[dict[str, object]]
    out: Path


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a module that fails on request."""
    out = tmp_path_factory.mktemp("injection") / "codetracer_core"
    build = ROOT / "packages" / "codetracer-core" / "native_build.py"
    subprocess.run(
        [sys.executable, build, "--test-injection", "--csrc", ROOT / "csrc", "--out", out],
        env={**os.environ, "CODETRACER_NATIVE_CFLAGS": "-O0"},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return out


def run_injected(
    native: Path, folder: Path, stage: str, policy: str, *, leave: str = ""
) -> Injected:
    """Record the subject in a process of its own, with a failure at `stage`, then do `leave`."""
    out = folder / "out"
    name = stage.partition(":")[0]
    imports, speaks = SPEAKS.get(name, ("", ""))
    subject = SUBJECT.format(imports=imports, speaks=speaks)
    (folder / "subject.py").write_text(subject, encoding="utf-8")
    (folder / "filter.toml").write_text(ONLY_SUBJECT, encoding="utf-8")
    source = RUN.format(
        tests=str(ROOT / "tests"),
        folder=str(folder),
        out=str(out),
        filter_file=str(folder / "filter.toml"),
        policy=policy,
        leave=leave,
        options={
            "capture_logging": name == "log",
            "io_capture_fd_fallback": name.startswith("mirror"),
        },
    )
    done = subprocess.run(
        [sys.executable, "-c", source],
        env={**os.environ, NATIVE_VARIABLE: str(native), VARIABLE: stage},
        input="a line\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    entries = [json.loads(line) for line in done.stderr.splitlines()]
    trailers = [entry for entry in entries if "error_kind" in entry]
    return Injected(done.stdout.splitlines(), trailers, out)


def assert_trace_is_kept(out: Path) -> None:
    """The journal and the trace hold the program up to the failure."""
    (path,) = out.glob("trace.*.ctj")
    decoder = Decoder()
    for chunk in journal.chunks(path):
        decoder.next_chunk(chunk)
    steps = [event for event in decoder.events if event[0] == "step"]
    with Trace(out / "trace.ct") as trace:
        assert len(trace) >= len(steps) > 0
    assert all(step[4].get("turn") != 1499 for step in steps)
    assert json.loads((out / "trace_metadata.json").read_text(encoding="utf-8"))["counts"]["calls"]


def assert_is_whole(out: Path) -> None:
    """The journal holds the program to its last line."""
    (path,) = out.glob("trace.*.ctj")
    steps = [event for event in journal.load(path) if event[0] == "step"]
    assert [step[4]["turn"] for step in steps if "turn" in step[4]][-1] == 1499


@pytest.mark.parametrize("stage", EVENTS)
def test_with_the_policy_disable_the_program_runs_on_after_a_failure(
    stage: str, native: Path, tmp_path: Path
) -> None:
    """Its result is right, the tool id is free at once, one trailer says what happened, and the
    trace up to there is finished."""
    injected = run_injected(native, tmp_path, stage, "disable")
    assert injected.lines == ["start None", f"run {RESULT}", "free True", "stop None", *AFTER]
    assert [trailer["error_code"] for trailer in injected.trailers] == ["ERR_TRACE_INCOMPLETE"]
    assert_trace_is_kept(injected.out)


@pytest.mark.parametrize("stage", EVENTS)
def test_with_the_policy_abort_a_failure_is_raised_in_the_program(
    stage: str, native: Path, tmp_path: Path
) -> None:
    """The program gets the error where it is; afterwards nothing of the recorder is left in it."""
    injected = run_injected(native, tmp_path, stage, "abort")
    raised = "run InternalError ERR_TRACE_INCOMPLETE"
    assert injected.lines == ["start None", raised, "free True", "stop None", *AFTER]
    assert [trailer["error_code"] for trailer in injected.trailers] == ["ERR_TRACE_INCOMPLETE"]
    assert_trace_is_kept(injected.out)


@pytest.mark.parametrize("stage", ["line:40", "open"])
def test_a_failure_is_told_of_where_the_program_leaves_at_once(
    stage: str, native: Path, tmp_path: Path
) -> None:
    """``os._exit``, by which children of multiprocessing end, waits for the one trailer, and the
    journal is closed."""
    leave = "__import__('os')._exit(0)"
    injected = run_injected(native, tmp_path, stage, "disable", leave=leave)
    assert injected.lines == ["start None", f"run {RESULT}", "free True"]
    assert [trailer["error_code"] for trailer in injected.trailers] == ["ERR_TRACE_INCOMPLETE"]
    assert [path.suffix for path in injected.out.iterdir()] == [".ctj"]


@pytest.mark.parametrize(
    ("policy", "lines"),
    [
        ("disable", ["start None", f"run {RESULT}", "free True", "stop None", *AFTER]),
        ("abort", ["start InternalError ERR_TRACE_INCOMPLETE"]),
    ],
)
def test_a_failure_at_the_start_leaves_the_program_alone(
    policy: str, lines: list[str], native: Path, tmp_path: Path
) -> None:
    """With disable it runs unrecorded; with abort the session does not start and leaves no file."""
    injected = run_injected(native, tmp_path, "open", policy)
    expected = lines if policy == "disable" else [*lines, f"run {RESULT}", "free True", "stop None"]
    assert injected.lines == [*expected, *AFTER][: len(injected.lines)]
    assert [trailer["error_code"] for trailer in injected.trailers] == ["ERR_TRACE_INCOMPLETE"]
    assert injected.out.exists() is (policy == "disable")


@pytest.mark.parametrize(
    ("policy", "stopped"),
    [("disable", "stop None"), ("abort", "stop InternalError ERR_TRACE_INCOMPLETE")],
)
def test_a_failure_at_the_end_keeps_the_whole_trace(
    policy: str, stopped: str, native: Path, tmp_path: Path
) -> None:
    """With abort it is raised by ``stop``; the journal is complete either way."""
    injected = run_injected(native, tmp_path, "finish", policy)
    assert injected.lines == ["start None", f"run {RESULT}", "free False", stopped, *AFTER]
    assert [trailer["error_code"] for trailer in injected.trailers] == ["ERR_TRACE_INCOMPLETE"]
    assert_is_whole(injected.out)


def test_a_failure_in_another_thread_ends_the_recording_of_all(
    native: Path, tmp_path: Path
) -> None:
    """With disable both threads run on, and the trace up to there is finished."""
    injected = run_injected(native, tmp_path, "thread", "disable")
    assert injected.lines == ["start None", f"run {RESULT}", "free True", "stop None", *AFTER]
    assert [trailer["error_code"] for trailer in injected.trailers] == ["ERR_TRACE_INCOMPLETE"]
    assert_trace_is_kept(injected.out)


@pytest.mark.parametrize(
    ("stage", "raised"),
    [
        ("capture", "start InternalError ERR_UNKNOWN"),
        ("mirror_open", "start EnvironmentError_ ERR_IO"),
    ],
)
def test_output_that_cannot_be_recorded_keeps_the_session_from_starting(
    stage: str, raised: str, native: Path, tmp_path: Path
) -> None:
    """The caller is told, whatever the policy; nothing is hooked, and no file is left."""
    injected = run_injected(native, tmp_path, stage, "disable")
    assert injected.lines == [raised, f"run {RESULT}", "free True", "stop None", *AFTER]
    assert [trailer["error_code"] for trailer in injected.trailers] == [raised.rpartition(" ")[2]]
    assert not injected.out.exists()


def test_a_writer_that_does_not_start_leaves_its_work_to_the_program(
    native: Path, tmp_path: Path
) -> None:
    """The trace is whole: chunks are written where they are full."""
    injected = run_injected(native, tmp_path, "writer", "disable")
    assert injected.lines == ["start None", f"run {RESULT}", "free False", "stop None", *AFTER]
    assert injected.trailers == []
    assert_is_whole(injected.out)


@pytest.mark.parametrize("policy", ["disable", "abort"])
def test_a_defect_is_contained_like_any_other_failure(
    policy: str, native: Path, tmp_path: Path
) -> None:
    """An exception that nobody expected takes the recorder out, and the program only with abort."""
    injected = run_injected(native, tmp_path, "panic:2", policy)
    ran = f"run {RESULT}" if policy == "disable" else "run InternalError ERR_UNKNOWN"
    assert injected.lines == ["start None", ran, "free True", "stop None", *AFTER]
    assert [trailer["error_code"] for trailer in injected.trailers] == ["ERR_UNKNOWN"]
    assert_trace_is_kept(injected.out)


def test_a_session_whose_events_do_not_come_records_nothing(native: Path, tmp_path: Path) -> None:
    """Nothing fails and nothing is in the trace."""
    injected = run_injected(native, tmp_path, "suppress-events", "disable")
    assert injected.lines == ["start None", f"run {RESULT}", "free False", "stop None", *AFTER]
    assert injected.trailers == []
    (path,) = injected.out.glob("trace.*.ctj")
    assert journal.load(path) == []


def test_no_build_but_this_one_fails_on_request() -> None:
    """What users get does not even know the variable."""
    assert VARIABLE.encode() not in Path(installed.__file__).read_bytes()
