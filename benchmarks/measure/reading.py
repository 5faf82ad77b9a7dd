"""Reading a long trace: opening it, and reaching steps, their variables and calls at random."""

from __future__ import annotations

import importlib
import random
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.support.figures import FigureSpec, at_most
from benchmarks.support.places import WORKLOAD_PACKAGE
from benchmarks.support.recorded import Recording
from codetracer_core.ctfs.materialiser import materialise
from codetracer_core.ctfs.reader import Trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.support.options import Options
    from benchmarks.support.rounds import Measured, Round

__all__ = ["FIGURES", "measure"]

_SIZES = {"loop": (2_500_000, 50), "fib": (29, 6), "lists": (100_000, 20)}
"""Name to full and fast size: 10, 5 and 0.2 million steps, the last with large values."""
_ROUNDS = 101
_OPEN = "open"
_TABLE = "Reading a trace at random"
_TARGETS = {_OPEN: 50, "the first step of all": 5, "a step": 5, "its variables": 5, "its call": 5}
_SEED = 1


def _milliseconds(variant: str) -> Callable[[Round], float]:
    return lambda taken: taken[variant] * 1e3


FIGURES = tuple(
    spec
    for workload in _SIZES
    for spec in (
        FigureSpec(
            _TABLE, workload, "steps", f"read/{workload}", lambda taken: taken["steps"]
        ),
        *(
            FigureSpec(
                _TABLE,
                workload,
                f"{variant}, ms",
                f"read/{workload}",
                _milliseconds(variant),
                at_most(target),
            )
            for variant, target in _TARGETS.items()
        ),
    )
)  # fmt: skip


def measure(options: Options) -> Measured:
    """The seconds of each access: a round opens the trace anew and picks another step."""
    read = time.process_time if options.clock == "cpu" else time.perf_counter
    measured: Measured = {}
    for workload, sizes in _SIZES.items():
        if not options.wants(workload):
            continue
        run: Callable[[int], object]
        run = importlib.import_module(f"{WORKLOAD_PACKAGE}.{workload}").run
        with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as name:
            with Recording(Path(name)) as recording:
                run(sizes[options.fast])
            path = materialise(recording.journal, Path(name)).path
            chosen = random.Random(_SEED)
            _access(path, read, chosen)
            measured[f"read/{workload}"] = [
                _access(path, read, chosen) for _ in range(options.rounds(_ROUNDS))
            ]
    return measured


def _access(path: Path, read: Callable[[], float], chosen: random.Random) -> Round:
    """Open the trace and go to two places that have nothing to do with each other."""
    times = [read()]
    with Trace(path) as trace:
        steps = len(trace)
        times.append(read())
        trace.step(chosen.randrange(steps))
        times.append(read())
        number = chosen.randrange(steps)
        trace.step(number)
        times.append(read())
        trace.variables(number)
        times.append(read())
        trace.call_of_step(number)
        times.append(read())
    taken = [end - begin for begin, end in pairwise(times)]
    return dict(zip(_TARGETS, taken, strict=True)) | {"steps": steps}
