"""Making ``trace.ct`` from a journal: time and size."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.support.children import run_child
from benchmarks.support.figures import FigureSpec, at_most
from benchmarks.support.places import WORKLOADS
from benchmarks.support.rounds import interleave
from codetracer_core.ctfs.container import Container
from codetracer_core.ctfs.materialiser import materialise
from codetracer_core.ctfs.reader import Trace
from codetracer_core.ctfs.streams import Chunks

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.support.figures import Target
    from benchmarks.support.options import Options
    from benchmarks.support.rounds import Measured, Round

__all__ = ["FIGURES", "measure"]

_SIZES = {
    "fib": (23, 6),
    "loop": (100_000, 50),
    "lists": (100_000, 20),
    "objects": (20_000, 20),
    "text": (20_000, 20),
    "nested": (15, 1),
    "bfs": (20_000, 20),
    "generators": (20_000, 20),
    "threads": (50_000, 20),
    "tasks": (5_000, 20),
    "importing": (1, 1),
    "module_level": (50_000, 20),
    "prints": (20_000, 20),
}
"""Name to full and fast size."""
_ROUNDS = 5
_SECONDS_A_STEP = 0.5e-6
_SECONDS_A_BYTE = 0.2e-9
_STREAMS = ("steps", "values", "calls", "events")
_TABLE = "Making trace.ct"
_BOUNDED = ("fib", "loop", "lists")
"""Whose bytes a step have a target."""


def _of_budget(taken: Round) -> float:
    budget = taken["steps"] * _SECONDS_A_STEP + taken["inflated bytes"] * _SECONDS_A_BYTE
    return taken["seconds"] / budget * 100


_COLUMNS: dict[str, Callable[[Round], float]] = {
    "us a step": lambda taken: taken["seconds"] / taken["steps"] * 1e6,
    "% of its budget": _of_budget,
    "inflated bytes a step": lambda taken: taken["inflated bytes"] / taken["steps"],
    "trace.ct bytes a step": lambda taken: taken["trace bytes"] / taken["steps"],
}


def _target(workload: str, column: str) -> Target | None:
    if column == "% of its budget":
        return at_most(100)
    is_bounded = column == "trace.ct bytes a step" and workload in _BOUNDED
    return at_most(8) if is_bounded else None


FIGURES = tuple(
    FigureSpec(_TABLE, name, column, f"materialise/{name}", of, _target(name, column))
    for name in _SIZES
    for column, of in _COLUMNS.items()
)


def measure(options: Options) -> Measured:
    """The seconds of making each trace, and what is in it.

    The CPU clock is that of all threads, which work at the same time.
    """
    read = time.process_time if options.clock == "cpu" else time.perf_counter
    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as name:
        folder = Path(name)
        journals = {
            workload: _record(workload, sizes[options.fast], folder / workload)
            for workload, sizes in _SIZES.items()
            if options.wants(workload)
        }

        def timed(journal: Path) -> Callable[[], float]:
            def run() -> float:
                began = read()
                materialise(journal, journal.parent)
                return read() - began

            return run

        variants = {workload: timed(journal) for workload, journal in journals.items()}
        rounds = interleave(variants, options.rounds(_ROUNDS))
        counts = {workload: _weigh(journal.parent) for workload, journal in journals.items()}
    return {
        f"materialise/{workload}": [{"seconds": taken[workload], **counted} for taken in rounds]
        for workload, counted in counts.items()
    }


def _record(workload: str, size: int, folder: Path) -> Path:
    """The journal of a run of the workload, in `folder`."""
    record = ["-m", "codetracer_core", "record", "-q", "--materialise", "later", "-o", str(folder)]
    program = [str(WORKLOADS / f"{workload}.py"), str(size)]
    run_child([sys.executable, *record, *program], folder.parent)
    return next(folder.glob("*.ctj"))


def _weigh(folder: Path) -> Round:
    path = folder / "trace.ct"
    with Container(path) as container:
        streams = [Chunks(container, name) for name in _STREAMS]
        inflated = sum(
            len(chunks.inflate(number)) for chunks in streams for number in range(chunks.count)
        )
    with Trace(path) as trace:
        return {
            "steps": len(trace),
            "trace bytes": path.stat().st_size,
            "inflated bytes": inflated,
        }
