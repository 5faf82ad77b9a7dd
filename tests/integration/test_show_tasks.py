"""Tests of what ``show`` prints of the tasks of asyncio."""

from __future__ import annotations

import json
from pathlib import Path

from integration.recording import record, recorder, write_files
from naive import ct

PROGRAM = """\
import asyncio
async def inner(name):
    await asyncio.sleep(0)
async def worker(name, turns):
    for turn in range(turns):
        await inner(name)
async def main():
    await asyncio.gather(
        asyncio.create_task(worker("fetch 1", 2), name="fetch 1"),
        asyncio.create_task(worker('it"s \\u00e9\\ud800\\n', 1), name='it"s \\u00e9\\ud800\\n'),
    )
    await asyncio.gather(*(
        asyncio.create_task(worker(f"many {n}", 1500), name=f"many {n}") for n in range(3)
    ))
asyncio.run(main())
"""


def test_each_call_of_a_coroutine_tells_its_task(tmp_path: Path) -> None:
    """Whether it begins or goes on, in whatever order tasks take turns; what it awaits says nothing
    of its own, and neither does other code."""
    write_files(tmp_path, {"main.py": PROGRAM})
    done = record(["main.py"], tmp_path, tmp_path / "out")
    assert (done.returncode, done.stdout) == (0, b"")
    shown = recorder(["show", "--format", "json", "--calls", "out"], tmp_path)
    calls = [json.loads(line) for line in shown.stdout.decode().splitlines()]
    expected: dict[int, str | None] = {}
    names = ["fetch 1", 'it"s é\\ud800\n', "many 0", "many 1", "many 2"]
    waiting = {"main": ["Task-1"], "worker": []}
    for call in calls:
        parent, function = call["parent"], call["function"]
        if function == "main":
            expected[call["call"]] = "Task-1"
        elif function == "worker":
            queue = waiting["worker"]
            if call["entry"] == "call":
                queue.append(names.pop(0))
                name = queue[-1]
            else:  # tasks take turns: the one that has waited longest goes on
                name = queue.pop(0)
                if call["exit"] == "yield":
                    queue.append(name)
            expected[call["call"]] = name
        else:
            assert function in ("inner", "<toplevel>", "<__main__>", "main.<locals>.<genexpr>")
            assert function != "inner" or expected[parent] is not None
            expected[call["call"]] = None
    assert len(calls) > 2 * 4096
    assert {call["call"]: call["task"] for call in calls} == expected
    text = recorder(["show", "--calls", "out"], tmp_path).stdout.decode().splitlines()
    assert any("worker goes on in task fetch 1 -> None" in line for line in text)
    assert any(r'in task it"s é\ud800\n yields None' in line for line in text)


def test_a_trace_without_tasks_has_no_room_for_them(tmp_path: Path) -> None:
    """The streams are there when they say something."""
    write_files(tmp_path, {"main.py": "async def f(): pass\nf().close()\n"})
    assert record(["main.py"], tmp_path, tmp_path / "out").returncode == 0
    assert "tasks.dat" not in ct.read_files((tmp_path / "out" / "trace.ct").read_bytes())
