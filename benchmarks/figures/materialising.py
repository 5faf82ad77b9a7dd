"""Making ``trace.ct`` from a journal: time and size."""

from __future__ import annotations

import importlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from codetracer_core.ctfs.container import Container
from codetracer_core.ctfs.materialiser import materialise
from codetracer_core.ctfs.reader import Trace
from codetracer_core.ctfs.streams import Chunks
from support.command import CLOCKS
from support.figure_row import FigureRow
from support.recorded import Recording
from support.rounds import interleave, summarise

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["measure"]

_SIZES = {"fib": (23, 6), "loop": (100_000, 50), "lists": (50_000, 20)}
"""Name to full and fast size."""
_ROUNDS = 5
_SECONDS_A_STEP = 0.5e-6
_SECONDS_A_BYTE = 0.2e-9
_STREAMS = ("steps", "values", "calls", "events")


@dataclass(frozen=True, slots=True)
class _Trace:
    steps: int
    bytes: int
    inflated: int

    @property
    def budget(self) -> float:
        """The seconds that making it may take."""
        return self.steps * _SECONDS_A_STEP + self.inflated * _SECONDS_A_BYTE


def measure(*, fast: bool, clock: str) -> list[FigureRow]:
    """For each workload the time against its budget, and the size of the trace."""
    read = CLOCKS[clock]
    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as name:
        folder = Path(name)
        journals = {
            workload: _record(workload, sizes[fast], folder) for workload, sizes in _SIZES.items()
        }

        def timed(journal: Path) -> Callable[[], float]:
            def run() -> float:
                began = read()
                materialise(journal, journal.parent)
                return read() - began

            return run

        variants = {workload: timed(journal) for workload, journal in journals.items()}
        rounds = interleave(variants, 1 if fast else _ROUNDS)
        traces = {workload: _weigh(journal.parent) for workload, journal in journals.items()}
    rows = []
    for workload, trace in traces.items():
        seconds = summarise(rounds, lambda taken, name=workload: taken[name])  # type: ignore[misc]
        rows += [
            FigureRow(
                f"materialise {workload}, {trace.steps:,} steps",
                f"{seconds.median / trace.steps * 1e6:.2f} us a step,"
                f" {seconds.median / trace.inflated * 1e9:.2f} ns a byte",
            ),
            FigureRow(
                f"  in all, for {trace.inflated / trace.steps:,.0f} inflated bytes a step",
                f"{seconds.median * 1e3:.1f} ms",
                f"<= {trace.budget * 1e3:.1f} ms",
            ),
            FigureRow("  trace.ct, bytes a step", f"{trace.bytes / trace.steps:.2f}", "<= 8"),
        ]
    return rows


def _record(workload: str, size: int, folder: Path) -> Path:
    """The journal of a run of the workload, in a folder of its own below `folder`."""
    run: Callable[[int], object] = importlib.import_module(f"workloads.{workload}").run
    own = folder / workload
    own.mkdir()
    with Recording(own) as recording:
        run(size)
    return recording.journal


def _weigh(folder: Path) -> _Trace:
    path = folder / "trace.ct"
    with Container(path) as container:
        streams = [Chunks(container, name) for name in _STREAMS]
        inflated = sum(
            len(chunks.inflate(number)) for chunks in streams for number in range(chunks.count)
        )
    with Trace(path) as trace:
        return _Trace(len(trace), path.stat().st_size, inflated)
