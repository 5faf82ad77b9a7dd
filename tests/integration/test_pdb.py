"""Tests of the debugger of the standard library inside a recording."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from integration.recording import RECORDER, recorder, write_files

PROGRAM = """\
def double(a):
    b = a * 2
    return b
def stopped(a):
    c = a + 1
    breakpoint()
    return c
print(double(4))
print(stopped(1))
"""


def run_with(folder: Path, command: list[str], words: str) -> tuple[int, str, str]:
    """Status and outputs of a command that is given `words` on standard input."""
    done = subprocess.run(
        command, input=words, cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


def test_a_debugger_that_runs_the_program_sees_what_it_sees_alone(tmp_path: Path) -> None:
    """It stops, steps and shows the same, and what ran is in the trace."""
    write_files(tmp_path, {"main.py": PROGRAM.replace("    breakpoint()\n", "")})
    words = "b 2\nc\np a\nn\np b\nw\nc\nq\n"
    command = ["-m", "pdb", "main.py"]
    alone = run_with(tmp_path, [sys.executable, *command], words)
    recording = [str(RECORDER), "record", "--quiet", "--out-dir", "out"]
    assert run_with(tmp_path, [*recording, *command], words) == alone
    assert "(Pdb) 8" in alone[1]
    shown = recorder(["show", "--calls", "out"], tmp_path).stdout.decode()
    assert "double(a=4) -> 8" in shown


def test_a_program_can_stop_in_the_debugger(tmp_path: Path) -> None:
    """Values are those of the place, and the program goes on from there."""
    write_files(tmp_path, {"main.py": PROGRAM})
    recording = [str(RECORDER), "record", "--quiet", "--out-dir", "out", "main.py"]
    status, output, errors = run_with(tmp_path, recording, "p c\np a\nc\n")
    assert (status, errors) == (0, "")
    assert "(Pdb) 2\n(Pdb) 1\n(Pdb) 2\n" in output
    shown = recorder(["show", "--calls", "out"], tmp_path).stdout.decode()
    assert "stopped(a=1) -> 2" in shown
