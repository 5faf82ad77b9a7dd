"""Activation: with an activation file, what is recorded is what runs above a frame of that file."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.recorder.support import Event, assert_same, observe, record

ACTIVATION = """\
def gate(callback, *arguments):
    before = len(arguments)
    result = callback(*arguments)
    after = before + 1
    return result


def gate_recursion(depth, callback):
    if depth:
        return gate_recursion(depth - 1, callback) + callback(depth)
    return callback(0)


def gate_generator(callback):
    for number in range(3):
        got = yield callback(number)


async def gate_coroutine(callback, switch):
    first = callback(1)
    await switch
    return first + callback(2)


def gate_failure(callback):
    try:
        return callback(1) / 0
    finally:
        callback(2)
"""

PROGRAM = """\
import asyncio
import sys
import threading

import activation
from activation import *


def work(n):
    total = n
    for i in range(2):
        total += helper(i)
    return total


def helper(i):
    return i * 2


def numbers():
    for i in range(3):
        yield helper(i)


def waiting(turns):
    done = 0
    for turn in range(turns):
        done += helper(turn)
    return done


print(waiting(3), gate(work, 1), waiting(3), gate(work, 2))
print(gate_recursion(3, work), work(4))

made = gate_generator(work)
seen = numbers()
for one, other in zip(made, seen):
    print(one, other, work(one))
print(gate(list, numbers()))
left = gate_generator(work)
next(left)
left.close()

try:
    gate_failure(work)
except ZeroDivisionError:
    print(work(5))


async def beside():
    for _ in range(3):
        work(6)
        await asyncio.sleep(0)


async def both():
    return await asyncio.gather(gate_coroutine(work, asyncio.sleep(0)), beside())


print(asyncio.run(both()))


def run_threads(*targets):
    threads = []
    for number, (target, *arguments) in enumerate(targets):
        threads.append(threading.Thread(target=target, args=arguments, name=f"t{number}"))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


run_threads((gate, work, 7), (work, 8), (gate, waiting, 50), (waiting, 50))

# Long enough for places to be disabled, and then they are needed again.
print(waiting(9000), gate(work, 9), waiting(9000), gate(waiting, 3), waiting(2))
for turn in range(300):
    gate(helper, turn)
    helper(turn)


def started_outside(n):
    kept = work(n)
    inside = gate(work, n)
    return kept + inside


print(started_outside(1), gate(started_outside, 2), sys.gettrace())
"""

SKIP = """
[[scope.rules]]
selector = "file:regex:activation[.]py$"
exec = "skip"
"""


def write(folder: Path) -> tuple[Path, Path]:
    """The program and its activation file."""
    activation = folder / "activation.py"
    activation.write_text(ACTIVATION, encoding="utf-8")
    program = folder / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    return program, activation


def opens_gate(function: str) -> bool:
    return function.startswith(("gate", "<activation"))


def without_tasks(events: list[Event]) -> list[Event]:
    """The events but for those that name a task: which is the first to be named is another one."""
    return [event for event in events if event[0] != "task"]


def above_the_gate(events: list[Event]) -> list[Event]:
    """The events that happen while a function of the activation file is on the stack."""
    stack: list[str] = []
    kept: list[Event] = []
    for event in without_tasks(events):
        if event[0] in ("call", "resume", "throw"):
            stack.append(event[1])
        if any(map(opens_gate, stack)):
            kept.append(event)
        if event[0] in ("return", "yield", "unwind"):
            stack.pop()
    return kept


def without_gate(events: list[Event]) -> list[Event]:
    """The events of functions that are not of the activation file."""
    stack: list[str] = []
    kept: list[Event] = []
    for event in events:
        if event[0] in ("call", "resume", "throw"):
            stack.append(event[1])
        if not opens_gate(stack[-1]):
            kept.append(event)
        if event[0] in ("return", "yield", "unwind"):
            stack.pop()
    return kept


@pytest.mark.parametrize("is_skipped", [False, True], ids=["recorded", "skipped"])
def test_what_runs_above_the_activation_file_is_recorded_and_nothing_else(
    is_skipped: bool, tmp_path: Path
) -> None:
    """Calls, recursion, generators, coroutines, exceptions and threads open the gate for as long as
    their frame is on the stack, time and again, also where a filter leaves the file itself out."""
    program, activation = write(tmp_path)
    watched, observed = observe(program, tmp_path)
    rules = SKIP if is_skipped else ""
    recorded = record(program, tmp_path, rules=rules, activation=activation)
    assert recorded.outcome == watched
    assert recorded.stats["failure"] is None
    assert recorded.stats["lost_frames"] == 0
    expected = {}
    for thread, events in observed.items():
        kept = above_the_gate(events)
        if is_skipped:
            kept = without_gate(kept)
        if kept:
            expected[thread] = kept
    assert_same(
        {thread: without_tasks(events) for thread, events in recorded.events().items()}, expected
    )


def test_activation_compares_real_paths(tmp_path: Path) -> None:
    """A file that the program imports through a symbolic link opens the gate, too."""
    (tmp_path / "real").mkdir()
    write(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    linked = tmp_path / "link" / "program.py"
    recorded = record(linked, tmp_path, activation=tmp_path / "link" / "activation.py")
    functions = {event[1] for event in recorded.events()["MainThread"] if event[0] == "call"}
    assert {"<activation>", "gate", "work"} <= functions
    assert "<__main__>" not in functions
