"""The most memory that recording takes, however long the program runs."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from support.children import peak_memory
from support.figure_row import FigureRow
from support.places import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["measure"]

_MIB = 1 << 20
_LOOP = (500_000, 50)
_CALLS = {"normal": (27, "832,000"), "fast": (5, "15"), "long": (33, "11.4 million")}
"""The argument of fib and how many calls that is."""


def measure(*, fast: bool, long: bool) -> list[FigureRow]:
    """Peak memory of `record` at n and 10 n steps, and of a program that calls most of the time."""
    size = _LOOP[fast]
    plain, once, ten = (
        _peak("loop", size * 10, recorded=False),
        _peak("loop", size, recorded=True),
        _peak("loop", size * 10, recorded=True),
    )
    argument, calls = _CALLS["fast" if fast else "long" if long else "normal"]
    plain_calls = _peak("fib", argument, recorded=False)
    recorded_calls = _peak("fib", argument, recorded=True)
    return [
        FigureRow("peak memory of the plain program", f"{plain / _MIB:.1f} MiB"),
        FigureRow(
            f"record of {size * 4:,} steps, above plain",
            f"{(once - plain) / _MIB:.1f} MiB",
            "<= 16 MiB",
        ),
        FigureRow("ten times the steps, in addition", f"{(ten - once) / _MIB:.1f} MiB", "<= 2 MiB"),
        FigureRow(
            f"record and stop after {calls} calls, above plain",
            f"{(recorded_calls - plain_calls) / _MIB:.1f} MiB",
            "<= 16 MiB",
        ),
    ]


def _peak(workload: str, size: int, *, recorded: bool) -> int:
    program = [str(WORKLOADS / f"{workload}.py"), str(size)]
    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as folder:
        command: Sequence[str] = [sys.executable, *program]
        if recorded:
            recorder = ["-m", "codetracer_core", "record", "-q", "-o", str(Path(folder, "out"))]
            command = [sys.executable, *recorder, *program]
        return peak_memory(command, Path(folder))
