"""Options of the interpreter that change how a program begins and what follows it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from integration.recording import RECORDER, write_files

if TYPE_CHECKING:
    from pathlib import Path

FILES: dict[str, str | bytes] = {
    "ends.py": "x = 5\nprint('on')\n",
    "exits.py": "import sys\nx = 5\nsys.exit(3)\n",
    "fails.py": "x = 5\n1 / 0\n",
    "interrupted.py": "x = 5\nraise KeyboardInterrupt\n",
    "asks.py": "import os\nx = 5\nos.environ['PYTHONINSPECT'] = '1'\n",
}
TYPED = b"""\
print(x, __name__)
import sys
print(getattr(sys, 'last_value', None), sys.excepthook is sys.__excepthook__)
undefined
"""
COMMANDS = {
    "command": [os.fspath(RECORDER), "record"],
    "module": ["-m", "codetracer_core", "record"],
}


def run(words: list[str], folder: Path, **variables: str) -> tuple[int, bytes, bytes]:
    """Status, output and errors of ``python`` with `words`, while `TYPED` is typed."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=os.environ | {"PYTHON_COLORS": "0"} | variables,
        input=TYPED,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("variables", [{}, {"PYTHONINSPECT": "1"}], ids=["", "PYTHONINSPECT"])
@pytest.mark.parametrize("options", [[], ["-i"]], ids=["", "-i"])
@pytest.mark.parametrize("name", FILES)
def test_what_follows_a_program_is_as_unrecorded(
    name: str, options: list[str], variables: dict[str, str], tmp_path: Path
) -> None:
    """An interactive session finds the program's names and last exception, or the process ends."""
    write_files(tmp_path, FILES)
    plain = run([*options, name], tmp_path, **variables)
    for way, command in COMMANDS.items():
        out_dir = tmp_path / way
        words = [*options, *command, "-q", "-o", os.fspath(out_dir), name]
        assert run(words, tmp_path, **variables) == plain
        assert (out_dir / "trace.ct").exists()


@pytest.mark.parametrize("options", [["-x"], ["-Bx", "-W", "ignore"]])
def test_the_first_line_can_be_skipped(options: list[str], tmp_path: Path) -> None:
    """With ``-x`` a first line that is no Python is left out, and lines keep their numbers."""
    write_files(tmp_path, {"main.py": "@echo off (\nprint(__file__)\n1 / 0\n"})
    plain = run([*options, "main.py"], tmp_path)
    assert b"line 3" in plain[2]
    words = [*options, *COMMANDS["module"], "-q", "-o", os.fspath(tmp_path / "out"), "main.py"]
    assert run(words, tmp_path) == plain
