"""Programs that are killed at random moments, and recoveries that are.

The long form, 200 kills with a report of what was lost, is the named command of CONTRIBUTING.md.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from codetracer_core.ctfs.reader import Trace
from integration.recording import RECORDER, errors_of, record, recorder

LONG = bool(os.environ.get("CODETRACER_LONG_TESTS"))
KILLS = 67 if LONG else 4
LONGEST = 0.12 if LONG else 0.06
"""Seconds for which a program runs at most; its trace is read whole."""
RECOVERY_KILLS = 40 if LONG else 3

# Each writes what it has done to its output, by the line that is marked: "THREAD NUMBER".
PROGRAMS = {
    "computing": """\
import os

def collatz(number):
    length = 0
    while number != 1:
        number = number // 2 if number % 2 == 0 else 3 * number + 1
        length += 1
    return length

def search():
    best = (0, 0)
    for number in range(1, 10**9):
        best = max(best, (collatz(number), number))
        os.write(1, b"0 %d\\n" % number)  # mark

search()
""",
    "printing": """\
def report():
    number = 0
    while True:
        number += 1
        squares = [number * number, {"of": number}]
        print(0, number, flush=True)  # mark

report()
""",
    "threads": """\
import os, threading

def work(thread):
    number = 0
    while True:
        number += 1
        text = f"{thread} {number}"
        os.write(1, text.encode() + b"\\n")  # mark

threads = [threading.Thread(target=work, args=(thread,)) for thread in range(1, 4)]
for thread in threads:
    thread.start()
work(0)
""",
}

pytestmark = pytest.mark.timeout(3600 if LONG else 300)


def killed(program: str, folder: Path, delay: float) -> dict[int, int]:
    """Record `program`, kill it `delay` seconds after its first line; the last number a thread."""
    (folder / "program.py").write_text(PROGRAMS[program])
    process = subprocess.Popen(
        [RECORDER, "record", "-q", "--out-dir", "out", "program.py"],
        cwd=folder,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        text = process.stdout.readline()
        os.set_blocking(process.stdout.fileno(), False)
        until = time.monotonic() + delay
        while time.monotonic() < until:
            # An unread pipe would stop the program.
            text += process.stdout.read() or b""
            time.sleep(0.001)
        process.kill()
        assert process.wait(60) == -signal.SIGKILL
        os.set_blocking(process.stdout.fileno(), True)
        text += process.stdout.read()
    last: dict[int, int] = {}
    for line in text[: text.rindex(b"\n")].splitlines():
        thread, number = map(int, line.split())
        assert number == last.get(thread, 0) + 1
        last[thread] = number
    return last


def traced(program: str, file: Path) -> dict[int, list[int]]:
    """The numbers with which each thread came to the marked line, in the trace `file`."""
    lines = PROGRAMS[program].splitlines()
    mark = next(number for number, line in enumerate(lines, 1) if line.endswith("# mark"))
    numbers: dict[int, list[int]] = {}
    with Trace(file) as trace:
        for at, step in enumerate(trace.steps()):
            if step.kind == "line" and step.line == mark:
                found = {
                    each.name: int(str(each.value.data))
                    for each in trace.variables(at)
                    if each.name in ("number", "thread")
                }
                numbers.setdefault(found.get("thread", 0), []).append(found["number"])
    return numbers


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_a_killed_program_has_done_is_in_its_trace(program: str, tmp_path: Path) -> None:
    """After a kill at any moment the trace is recovered, and has each step whose effect was seen
    from outside, in its order and once; it ends at most one such step later."""
    chance = random.Random(f"kills of {program}")
    ahead: Counter[int] = Counter()
    for kill in range(KILLS):
        folder = tmp_path / str(kill)
        folder.mkdir()
        last = killed(program, folder, chance.uniform(0.0, LONGEST))
        done = recorder(["recover", "out"], folder)
        assert (done.returncode, errors_of(done)) == (0, [])
        numbers = traced(program, folder / "out" / "trace.ct")
        for thread, seen in last.items():
            steps = list(dict.fromkeys(numbers[thread]))
            assert steps == list(range(1, len(steps) + 1))
            ahead[len(steps) - seen] += 1
        shutil.rmtree(folder)
    print(f"{program}: steps of the trace behind the last one seen, and how often: {dict(ahead)}")
    assert set(ahead) <= {0, 1}


def test_a_recovery_that_is_killed_and_run_again_gives_the_same(tmp_path: Path) -> None:
    """Whenever it is killed there is no trace or the whole one; the next run makes it byte for
    byte as an undisturbed one does, and leaves nothing else."""
    (tmp_path / "program.py").write_text(
        PROGRAMS["computing"].replace("os.write(1,", "number < 2_000 or os.kill(os.getpid(), 9); (")
    )
    assert record(["program.py"], tmp_path, tmp_path / "out").returncode == -signal.SIGKILL
    files = len(list((tmp_path / "out").iterdir()))
    whole = tmp_path / "whole"
    shutil.copytree(tmp_path / "out", whole)
    begin = time.monotonic()
    assert recorder(["recover", "whole"], tmp_path).returncode == 0
    duration = time.monotonic() - begin
    expected = {file.name: file.read_bytes() for file in whole.iterdir()}
    chance = random.Random("kills of recoveries")
    ended: Counter[str] = Counter()
    for kill in range(RECOVERY_KILLS):
        folder = tmp_path / f"out{kill}"
        shutil.copytree(tmp_path / "out", folder)
        process = subprocess.Popen(
            [RECORDER, "recover", folder.name], cwd=tmp_path, stdout=subprocess.DEVNULL
        )
        if kill == 0:
            # Surely killed: when the trace is being made.
            while process.poll() is None and len(list(folder.iterdir())) == files:
                time.sleep(0.001)
        else:
            with suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0.05, duration))
        process.kill()
        ended["killed" if process.wait(60) else "finished"] += 1
        if (folder / "trace.ct").exists():
            assert (folder / "trace.ct").read_bytes() == expected["trace.ct"]
        assert recorder(["recover", folder.name], tmp_path).returncode == 0
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == expected
        shutil.rmtree(folder)
    print(f"recoveries: {dict(ended)}")
    assert ended["killed"]
