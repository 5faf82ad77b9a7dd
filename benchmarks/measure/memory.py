"""The most memory that recording takes, however long the program runs."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.support.children import peak_memory
from benchmarks.support.figures import FigureSpec, at_most
from benchmarks.support.places import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.support.options import Options
    from benchmarks.support.rounds import Measured

__all__ = ["FIGURES", "measure"]

_MIB = 1 << 20
_LOOP, _CALLS = (500_000, 50), (27, 5)
"""Full and fast arguments of loop and fib: 2 million steps, 0.8 million calls."""
_ROUNDS = 3
_SUBJECT = "memory"
_TABLE = "Peak memory"
FIGURES = (
    FigureSpec(_TABLE, "plain program", "MiB", _SUBJECT, lambda taken: taken["plain bytes"] / _MIB),
    FigureSpec(
        _TABLE,
        "record of 2 million steps, above plain",
        "MiB",
        _SUBJECT,
        lambda taken: (taken["once bytes"] - taken["plain bytes"]) / _MIB,
        at_most(16),
    ),
    FigureSpec(
        _TABLE,
        "ten times the steps, in addition",
        "MiB",
        _SUBJECT,
        lambda taken: (taken["ten bytes"] - taken["once bytes"]) / _MIB,
        at_most(2),
    ),
    FigureSpec(
        _TABLE,
        "record of 0.8 million calls, above plain",
        "MiB",
        _SUBJECT,
        lambda taken: (taken["calls bytes"] - taken["plain calls bytes"]) / _MIB,
        at_most(16),
    ),
)


def measure(options: Options) -> Measured:
    """Peak memory of `record` at n and 10 n steps, and of a program that calls most of the time."""
    size, argument = _LOOP[options.fast], _CALLS[options.fast]
    return {
        _SUBJECT: [
            {
                "plain bytes": _peak("loop", size * 10, recorded=False),
                "once bytes": _peak("loop", size, recorded=True),
                "ten bytes": _peak("loop", size * 10, recorded=True),
                "plain calls bytes": _peak("fib", argument, recorded=False),
                "calls bytes": _peak("fib", argument, recorded=True),
            }
            for _ in range(options.rounds(_ROUNDS))
        ]
    }


def _peak(workload: str, size: int, *, recorded: bool) -> int:
    program = [str(WORKLOADS / f"{workload}.py"), str(size)]
    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as folder:
        command: Sequence[str] = [sys.executable, *program]
        if recorded:
            recorder = ["-m", "codetracer_core", "record", "-q", "-o", str(Path(folder, "out"))]
            command = [sys.executable, *recorder, *program]
        return peak_memory(command, Path(folder))
