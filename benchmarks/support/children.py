"""Running a program to its end and weighing it: wall time, output, peak memory."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Child", "peak_memory", "run_child"]

# Settings of the recorders and of Python would change what is measured.
_DROPPED = ("CODETRACER_", "PYTHON")

# The system counts what a process was before `exec` towards its peak. A copy of the benchmark
# would be larger than many a program that is weighed; this launcher is smaller than all of them.
_LAUNCHER = """
import os, sys
process = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(process, 0)
with open(sys.argv[1], "w") as file:
    file.write(str(usage.ru_maxrss * 1024))
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"""


@dataclass(frozen=True, slots=True)
class Child:
    """A process that has ended with status 0."""

    seconds: float
    """By the chosen clock, from before it was started to after it had ended."""
    output: str


def run_child(command: Sequence[str | Path], cwd: Path, clock: str = "wall") -> Child:
    """Run `command` in the folder `cwd`; `clock` ``cpu`` counts what its processors did for it.

    Raises RuntimeError with what the program printed when its status is not 0.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
    read = time.perf_counter if clock == "wall" else _seconds_of_children
    began = read()
    ended = subprocess.run(
        command,
        cwd=cwd,
        env=kept,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = read() - began
    if ended.returncode != 0:
        said = ended.stdout + ended.stderr
        raise RuntimeError(f"{command[0]} ended with {ended.returncode}:\n{said}")
    return Child(seconds, ended.stdout)


def _seconds_of_children() -> float:
    """Processor time of all children that have ended, in user and system mode."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def peak_memory(command: Sequence[str | Path], cwd: Path) -> int:
    """The most bytes of memory that `command`, run like that, had resident at one time."""
    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as folder:
        answer = Path(folder, "peak")
        run_child([sys.executable, "-I", "-S", "-c", _LAUNCHER, answer, *command], cwd)
        return int(answer.read_text(encoding="ascii"))
