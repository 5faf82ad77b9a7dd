"""What a trace has of the program's input."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest

from core.io.support import joined, run, written
from integration.recording import RECORDER
from naive import ct


@pytest.mark.parametrize(
    ("statement", "read"),
    [
        ("input()", [b"one\n"]),
        ("sys.stdin.readline()", [b"one\n"]),
        ("sys.stdin.read(2)", [b"on"]),
        ("sys.stdin.read()", [b"one\ntwo\n"]),
        ("sys.stdin.readlines()", [b"one\n", b"two\n"]),
        ("list(sys.stdin)", [b"one\n", b"two\n"]),
        ("next(sys.stdin)", [b"one\n"]),
        ("sys.stdin.buffer.readline()", [b"one\n"]),
        ("sys.stdin.buffer.read()", [b"one\ntwo\n"]),
        ("sys.stdin.buffer.read1()", [b"one\ntwo\n"]),
        ("sys.stdin.buffer.readinto(bytearray(3))", [b"one"]),
        ("list(sys.stdin.buffer)", [b"one\n", b"two\n"]),
        ("os.read(0, 5)", [b"one\nt"]),
    ],
)
def test_every_way_to_read_is_recorded_once(
    statement: str, read: list[bytes], tmp_path: Path
) -> None:
    """What the program has got, at the line that read it, and not what was read ahead."""
    done = run(tmp_path, f"import os, sys\n{statement}\n", stdin=b"one\ntwo\n")
    assert [(event.stream, event.text, event.line) for event in done.written] == [
        ("stdin", part, 2) for part in read
    ]
    assert all("input" in event.flags for event in done.written)


def test_the_end_of_input_is_no_event(tmp_path: Path) -> None:
    """Nothing was read then."""
    assert run(tmp_path, "import sys\nsys.stdin.read()\n").written == []


def test_a_prompt_comes_before_what_it_asks_for(tmp_path: Path) -> None:
    """Both at the line of ``input``."""
    done = run(tmp_path, "name = input('name? ')\nprint(name)\n", stdin=b"Ada\n")
    assert [(event.stream, event.text, event.line) for event in done.written] == [
        ("stdout", b"name? ", 1),
        ("stdin", b"Ada\n", 1),
        ("stdout", b"Ada\n", 2),
    ]


def test_a_terminal_stays_one(tmp_path: Path) -> None:
    """The program finds a terminal, and what is typed at a prompt is recorded."""
    (tmp_path / "main.py").write_text(
        "import sys\nname = input('name? ')\nprint(sys.stdin.isatty(), sys.stdout.isatty(), name)\n"
    )
    ours, theirs = pty.openpty()
    command = [os.fspath(RECORDER), "record", "-q", "-o", "out", "main.py"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE
    ) as process:
        os.close(theirs)
        os.write(ours, b"Ada\n")
        assert process.wait(60) == 0
    os.close(ours)
    trace = ct.load(tmp_path / "out" / "trace.ct")
    told = [written(trace, event) for event in trace.events]
    assert joined(told) == [
        ("stdout", b"name? ", 2),
        ("stdin", b"Ada\n", 2),
        ("stdout", b"True True Ada\n", 3),
    ]
