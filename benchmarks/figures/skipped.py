"""What code costs that the filters leave out, after its first call."""

from __future__ import annotations

import gc
import importlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from support.command import CLOCKS
from support.figure_row import FigureRow
from support.recorded import Recording
from support.rounds import interleave, summarise

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.rounds import Round

__all__ = ["measure"]

_SIZES = {"fib": (24, 5), "loop": (500_000, 50), "objects": (50_000, 50), "raising": (200_000, 50)}
"""Name to full and fast size."""
_ROUNDS = 15
_SKIP_ALL = """
[meta]
name = "skip everything"
version = 1

[scope]
default_exec = "skip"
default_value_action = "drop"
"""


def measure(*, fast: bool, clock: str) -> list[FigureRow]:
    """The slowdown of skipped workloads, and what an exception that leaves a frame costs."""
    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as name:
        folder = Path(name)
        skip_all = folder / "skip.toml"
        skip_all.write_text(_SKIP_ALL, encoding="utf-8")
        rows = []
        for workload, sizes in _SIZES.items():
            size = sizes[fast]
            rounds = _measure(workload, size, folder, skip_all, 1 if fast else _ROUNDS, clock)
            if workload == "raising":
                cost = summarise(
                    rounds,
                    lambda taken, size=size: (  # type: ignore[misc]
                        (taken["skipped"] - taken["plain"]) / size * 1e9
                    ),
                )
                rows.append(FigureRow("an exception leaves a skipped frame", f"{cost} ns", "<= 50"))
                continue
            slower = summarise(rounds, lambda taken: (taken["skipped"] / taken["plain"] - 1) * 100)
            target = "" if workload == "objects" else "<= 2 %"
            rows.append(FigureRow(f"{workload}, skipped", f"{slower} %", target))
    return rows


def _measure(
    workload: str, size: int, folder: Path, skip_all: Path, rounds: int, clock: str
) -> list[Round]:
    read = CLOCKS[clock]
    run: Callable[[int], object] = importlib.import_module(f"workloads.{workload}").run

    def timed() -> float:
        run(2)
        gc.collect()
        began = read()
        run(size)
        return read() - began

    def skipped() -> float:
        with Recording(folder, [skip_all]):
            return timed()

    skipped()
    return interleave({"plain": timed, "skipped": skipped}, rounds)
