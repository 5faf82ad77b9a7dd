"""How much memory materialising takes: the same for any length of recording.

The long form, with ten million calls, runs when ``CODETRACER_LONG_TESTS`` is set.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.materialise.builder import Builder, Function

MODULE = Function(0, "<__main__>", flags=1)
F = Function(1, "f", line=2, slots=("x",))
CALLS_PER_CHUNK = 20_000
KIB = 1024

# Prints the peak of an interpreter that has made the trace, and of one that has done nothing.
PROGRAM = """
import sys
from pathlib import Path

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

plain = peak()
from codetracer_core.ctfs.materialiser import materialise

made = materialise(Path(sys.argv[1]), Path(sys.argv[2]))
print(made.calls, plain, peak())
"""


def journal(directory: Path, calls: int) -> Path:
    """Write a recording in which a module calls a function again and again."""
    builder = Builder(chunk_bytes=1 << 30)
    builder.call(MODULE)
    builder.seal()
    for number in range(CALLS_PER_CHUNK):
        builder.step(2, named={"i": number})
        builder.call(F, {0: number})
        builder.step(3)
        builder.end(0x08, number + 1)
    builder.seal()
    # Chunks stand alone and this one ends as it began: it can be repeated.
    builder.sealed[1:] *= calls // CALLS_PER_CHUNK
    builder.end(0x08)
    return builder.write(directory)


def peaks(directory: Path, calls: int) -> tuple[int, int]:
    """Return the peak memory of a plain interpreter and of one that made the trace, in KiB."""
    path = journal(directory, calls)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path), str(directory)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    made, plain, peak = map(int, run.stdout.split())
    assert made == calls + 2
    return plain, peak


def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    """Ten times the calls take at most 2 MB more, and all stays within 16 MB above plain Python."""
    (tmp_path / "short").mkdir()
    (tmp_path / "long").mkdir()
    _, short = peaks(tmp_path / "short", 40_000)
    plain, long = peaks(tmp_path / "long", 400_000)
    assert long - short <= 2 * KIB
    assert long - plain <= 16 * KIB


@pytest.mark.skipif("CODETRACER_LONG_TESTS" not in os.environ, reason="takes a minute")
@pytest.mark.timeout(1200)
def test_ten_million_calls_fit_in_16_mb(tmp_path: Path) -> None:
    """The long form of the test above."""
    plain, peak = peaks(tmp_path, 10_000_000)
    assert peak - plain <= 16 * KIB
