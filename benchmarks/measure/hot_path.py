"""What recording costs inside the process, against callbacks that do nothing.

Each workload runs plain, under empty callbacks and recorded, in turn within one process. A round
of a few milliseconds often falls between two turns of other processes, so there are many of them.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.support.figures import FigureSpec, at_most
from benchmarks.support.options import CLOCKS
from benchmarks.support.places import BUILD, ROOT, WORKLOAD_PACKAGE
from benchmarks.support.rounds import Round, interleave

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.support.options import Options
    from benchmarks.support.rounds import Measured

__all__ = ["CASES", "FIGURES", "Case", "measure", "measure_apart", "overhead"]

_PROCESSES = 3
_THREADED = "threads"
"""The workload whose work is not done by the calling thread."""
_SKIP_ALL = """
[meta]
name = "skip everything"
version = 1

[scope]
default_exec = "skip"
default_value_action = "drop"
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A workload, how much of it, and under which circumstances it is recorded."""

    workload: str
    size: int
    fast_size: int
    target: float | None = None
    """Largest overhead, as a multiple of that of the empty callbacks."""
    how: str = ""
    """``skipped`` by a filter, or ``waiting`` for an activation file that never runs."""
    rounds: int = 41

    @property
    def name(self) -> str:
        """Unique among all cases."""
        return f"{self.workload}, {self.how}" if self.how else self.workload


CASES = (
    Case("fib", 18, 8, 2.5),
    Case("loop", 20_000, 100, 4),
    Case("lists", 20_000, 100, 6),
    Case("objects", 4_000, 50, 5),
    Case("text", 4_000, 50),
    Case("nested", 3, 1),
    Case("bfs", 300, 20),
    Case("generators", 10_000, 50),
    Case("threads", 20_000, 50),
    Case("tasks", 1_000, 20),
    Case("importing", 1, 1, rounds=3),
    Case("module_level", 10_000, 50),
    Case("prints", 2_000, 20),
    Case("fib", 22, 8, how="skipped"),
    Case("loop", 100_000, 50, how="skipped"),
    Case("objects", 10_000, 50, how="skipped"),
    Case("raising", 20_000, 50, how="skipped"),
    Case("loop", 100_000, 50, how="waiting"),
)
_SLOWDOWN_TARGETS = {"fib, skipped": 1.02, "loop, skipped": 1.02, "loop, waiting": 1.02}
_TABLE = "Recording, in process"
_RECORDED = [case for case in CASES if not case.how]


def overhead(taken: Round) -> float:
    """Of recording, as a multiple of that of the empty callbacks."""
    return (taken["recorded"] - taken["plain"]) / (taken["empty"] - taken["plain"])


def _above_plain(per: str) -> Callable[[Round], float]:
    return lambda taken: (taken["recorded"] - taken["plain"]) / taken[per] * 1e9


def _per_exception_event(taken: Round) -> float:
    # Each exception of `raising` leaves one frame and reaches a handler in the next.
    return _above_plain("size")(taken) / 2


def _spec(
    case: Case,
    column: str,
    of: Callable[[Round], float],
    target: float | None,
    table: str = _TABLE,
    *,
    is_ratio: bool = False,
) -> FigureSpec:
    aim = None if target is None else at_most(target)
    return FigureSpec(table, case.name, column, f"hot path/{case.name}", of, aim, is_ratio)


FIGURES = (
    *(
        _spec(
            case, "overhead / empty", overhead, case.target, is_ratio=case.target is not None
        )
        for case in CASES
    ),
    *(
        _spec(
            case,
            "recorded / plain",
            lambda taken: taken["recorded"] / taken["plain"],
            _SLOWDOWN_TARGETS.get(case.name),
            is_ratio=True,
        )
        for case in CASES
    ),
    *(_spec(case, "empty / plain", lambda taken: taken["empty"] / taken["plain"], None)
      for case in CASES),
    *(_spec(case, "ns a step", _above_plain("steps"), None) for case in _RECORDED),
    *(
        _spec(
            case,
            "journal bytes a step",
            lambda taken: taken["journal bytes"] / taken["steps"],
            1 if case.workload in ("fib", "loop", "lists") else None,
        )
        for case in _RECORDED
    ),
    *(
        _spec(case, column, of, target, "An exception in skipped code")
        for case in CASES
        if case.name == "raising, skipped"
        for column, of, target in (
            ("ns", _above_plain("size"), None),
            ("ns an event", _per_exception_event, 50),
        )
    ),
    *(
        _spec(case, "ns over a plain one", _above_plain("size"), 1500, "A turn that prints a line")
        for case in CASES
        if case.name == "prints"
    ),
)  # fmt: skip


def measure(options: Options) -> Measured:
    """Every case, in three processes each: hash seeds and addresses differ between them."""
    return {
        f"hot path/{case.name}": [
            taken
            for _ in range(options.rounds(_PROCESSES))
            for taken in measure_apart(case, options.clock, fast=options.fast)
        ]
        for case in CASES
        if options.wants(case.workload)
    }


def measure_apart(
    case: Case,
    clock: str,
    *,
    fast: bool = False,
    rounds: int | None = None,
    packages: Sequence[Path] = (),
) -> list[Round]:
    """The rounds of a process of its own, which imports the recorder from `packages` if given."""
    work = {
        "workload": case.workload,
        "how": case.how,
        "size": case.fast_size if fast else case.size,
        "rounds": 1 if fast else rounds or case.rounds,
        "clock": clock,
    }
    environ = {name: value for name, value in os.environ.items() if name[:11] != "CODETRACER_"}
    if packages:
        environ["PYTHONPATH"] = os.pathsep.join(map(str, packages))
    done = subprocess.run(
        [sys.executable, "-m", __name__, json.dumps(work)],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
    )
    rounds_taken: list[Round] = json.loads(done.stdout)
    return rounds_taken


def _measure_here(work: Mapping[str, str], size: int, rounds: int) -> list[Round]:
    """Run a workload `rounds` times in each variant, in this process."""
    from benchmarks.native.empty_callbacks import EmptyCallbacks
    from benchmarks.support.recorded import Recording

    run: Callable[[int], object]
    run = importlib.import_module(f"{WORKLOAD_PACKAGE}.{work['workload']}").run
    clock = CLOCKS[work["clock"]]
    if work["clock"] == "cpu" and work["workload"] == _THREADED:
        clock = time.process_time
    empty = EmptyCallbacks(BUILD)
    counts: dict[str, float] = {"size": size}
    warm_up = min(size, 2)

    def timed() -> float:
        # The first call makes the interpreter rewrite the code for whoever listens.
        run(warm_up)
        gc.collect()
        began = clock()
        run(size)
        return clock() - began

    def under_empty_callbacks() -> float:
        empty.install()
        try:
            return timed()
        finally:
            empty.uninstall()

    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as name:
        folder = Path(name)
        filters, activation = [], None
        if work["how"] == "skipped":
            filters.append(folder / "skip.toml")
            filters[0].write_text(_SKIP_ALL, encoding="utf-8")
        elif work["how"] == "waiting":
            activation = folder / "never.py"
            activation.touch()

        def recorded() -> float:
            with Recording(folder / "out", filters, activation) as recording:
                seconds = timed()
            if recording.steps:
                share = size / (size + warm_up) if size < 10 else 1
                counts["steps"] = recording.steps * share
                counts["journal bytes"] = recording.journal.stat().st_size * share
            return seconds

        # What a process does for the first time belongs to no round.
        for variant in (timed, under_empty_callbacks, recorded):
            variant()
        taken = interleave(
            {"plain": timed, "empty": under_empty_callbacks, "recorded": recorded}, rounds
        )
    return [one | counts for one in taken]


def _main() -> None:
    """Be the process that measures one case: the answer goes where standard output was."""
    work = json.loads(sys.argv[1])
    answer = os.fdopen(os.dup(1), "w")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    # Like a file or a pipe: not flushed at each line, whatever the environment says.
    sys.stdout.reconfigure(write_through=False, line_buffering=False)  # type: ignore[union-attr]
    with answer:
        json.dump(_measure_here(work, int(work["size"]), int(work["rounds"])), answer)


if __name__ == "__main__":
    _main()
