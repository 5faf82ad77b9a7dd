"""What recording costs inside the process, against callbacks that do nothing.

``python benchmarks/hot_path.py`` runs each workload plain, under empty callbacks and recorded, in
turn within one process, and prints the overhead of recording as a multiple of the overhead of
the empty callbacks: ``(recorded - plain) / (empty - plain)``.
"""

from __future__ import annotations

import gc
import importlib
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support import command, results
from support.places import BUILD
from support.rounds import Round, interleave, summarise
from support.tables import print_table

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Workload:
    """A program of `benchmarks/workloads` with its sizes and what is aimed at."""

    name: str
    size: int
    fast_size: int
    target: float
    """Largest overhead, as a multiple of that of the empty callbacks."""


WORKLOADS = (
    Workload("fib", 18, 8, 2.5),
    Workload("loop", 20_000, 100, 4),
    Workload("lists", 20_000, 100, 6),
    Workload("objects", 4_000, 50, 5),
)
# Many short rounds: one that falls between two turns of other processes is undisturbed.
_ROUNDS = 41
_PROCESSES = 3
_BYTES_TARGET = 1


@dataclass(frozen=True, slots=True)
class Measured:
    """The rounds of one workload, and how much was recorded in one."""

    rounds: list[Round]
    steps: int
    calls: int
    journal_bytes: int
    stall_seconds: float


def measure(name: str, size: int, rounds: int, clock: Callable[[], float]) -> Measured:
    """Run a workload `rounds` times in each variant, in this process."""
    from empty_callbacks import EmptyCallbacks
    from support.recorded import Recording

    run: Callable[[int], object] = importlib.import_module(f"workloads.{name}").run
    empty = EmptyCallbacks(BUILD)
    recordings: list[Recording] = []

    def timed() -> float:
        # The first call makes the interpreter rewrite the code for whoever listens.
        run(2)
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

    def recorded() -> float:
        with Recording(folder) as recording:
            seconds = timed()
        recordings.append(recording)
        return seconds

    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as name_of_folder:
        folder = Path(name_of_folder)
        # What a process does for the first time belongs to no round.
        for variant in (timed, under_empty_callbacks, recorded):
            variant()
        taken = interleave(
            {"plain": timed, "empty": under_empty_callbacks, "recorded": recorded}, rounds
        )
        size_of_journal = recordings[-1].journal.stat().st_size
    stats = recordings[-1].stats
    stalled = [recording.stats.stall_ns for recording in recordings]
    return Measured(
        taken, stats.steps, stats.calls, size_of_journal, sum(stalled) / len(stalled) / 1e9
    )


def measure_apart(name: str, size: int, rounds: int, clock: str) -> Measured:
    """The same in a process of its own: hash seeds and addresses differ from one to the next."""
    arguments = ["--worker", name, "--size", str(size), "--rounds", str(rounds), "--clock", clock]
    output = subprocess.run(
        [sys.executable, __file__, *arguments], stdout=subprocess.PIPE, check=True
    ).stdout
    return Measured(**json.loads(output))


def join(parts: list[Measured]) -> Measured:
    """The measurements of several processes as one."""
    rounds = [taken for part in parts for taken in part.rounds]
    first = parts[0]
    stalled = sum(part.stall_seconds for part in parts) / len(parts)
    return Measured(rounds, first.steps, first.calls, first.journal_bytes, stalled)


def overhead(taken: Round) -> float:
    """Of recording, as a multiple of that of the empty callbacks."""
    return (taken["recorded"] - taken["plain"]) / (taken["empty"] - taken["plain"])


def report(measured: dict[Workload, Measured]) -> None:
    """Print the two tables."""
    rows, costs = [], []
    for workload, part in measured.items():
        rows.append(
            [
                workload.name,
                str(summarise(part.rounds, overhead)),
                f"<= {workload.target:g}",
                str(summarise(part.rounds, lambda taken: taken["recorded"] / taken["plain"])),
                str(summarise(part.rounds, lambda taken: taken["empty"] / taken["plain"])),
            ]
        )
        nanoseconds = summarise(
            part.rounds,
            lambda taken, steps=part.steps: (  # type: ignore[misc]
                (taken["recorded"] - taken["plain"]) / steps * 1e9
            ),
        )
        costs.append(
            [
                workload.name,
                f"{part.steps:,}",
                f"{part.calls:,}",
                str(nanoseconds),
                f"{part.journal_bytes / part.steps:.3f}",
                f"<= {_BYTES_TARGET}",
                f"{part.stall_seconds * 1e3:.2f}",
            ]
        )
    print_table(
        "Recording in process, medians of ratios inside a round (quartiles)",
        ["workload", "overhead / empty", "target", "recorded / plain", "empty / plain"],
        rows,
    )
    print_table(
        "What it comes to",
        ["workload", "steps", "calls", "ns a step", "journal B a step", "target", "stalled ms"],
        costs,
    )


def main() -> None:
    """Measure every workload, or be the process that measures one."""
    parser = command.parser(__doc__ or "")
    parser.add_argument("--only", metavar="NAME", help="measure this workload alone")
    parser.add_argument("--worker", metavar="NAME", help="measure one workload here, print JSON")
    parser.add_argument("--size", type=int, help="of the workload, with --worker")
    parser.add_argument("--rounds", type=int, help="with --worker")
    options = parser.parse_args()
    if options.worker:
        found = measure(options.worker, options.size, options.rounds, command.CLOCKS[options.clock])
        json.dump(
            {name: getattr(found, name) for name in Measured.__dataclass_fields__}, sys.stdout
        )
        return
    rounds, processes = (1, 1) if options.fast else (_ROUNDS, _PROCESSES)
    measured = {}
    for workload in WORKLOADS:
        if options.only in (None, workload.name):
            size = workload.fast_size if options.fast else workload.size
            measured[workload] = join(
                [
                    measure_apart(workload.name, size, rounds, options.clock)
                    for _ in range(processes)
                ]
            )
    report(measured)
    if options.json:
        results.save(options.json, {key.name: part.rounds for key, part in measured.items()})


if __name__ == "__main__":
    main()
