"""How much less time a recording takes than with ``codetracer-python-recorder`` of PyPI.

``python benchmarks/reference.py`` runs each workload plain, recorded by this recorder and recorded
by the reference in its formats, in turn. It compares the time of the work inside the process, and
the whole process until the trace is ready (``codetracer-core record``, ``trace.ct`` included).
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support import command, reference_recorder, results
from support.children import run_child
from support.places import WORKLOADS
from support.rounds import Figure, Round, interleave, summarise
from support.tables import print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Workload:
    """A program of `benchmarks/workloads` with its sizes and what is aimed at."""

    name: str
    size: int
    fast_size: int
    wall_target: float | None
    """Smallest factor between the whole processes; None where none is set."""


WORKLOADS_COMPARED = (
    Workload("fib", 18, 5, None),
    Workload("loop", 20_000, 20, 20),
    Workload("lists", 2_000, 10, None),
)
_IN_PROCESS_TARGET = 50
_ROUNDS = 5
_OURS = "ours"
_INSIDE, _WHOLE = "in process", "whole process"


def measure(
    workload: Workload, size: int, rounds: int, clock: str, reference: Path | None
) -> list[Round]:
    """Time the workload under every recorder; a round has two values for each of them.

    They are named ``RECORDER/in process`` and ``RECORDER/whole process``. Without `reference`
    only the plain program and our recorder are run.
    """
    program = [str(WORKLOADS / f"{workload.name}.py"), str(size)]
    inside: dict[str, list[float]] = {}

    def timed(name: str, make: Callable[[Path], Sequence[str | Path]]) -> Callable[[], float]:
        def run() -> float:
            with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as folder:
                child = run_child(make(Path(folder, "out")), Path(folder), clock)
            inside.setdefault(name, []).append(float(child.output.split()[1]))
            return child.seconds

        return run

    variants = {
        "plain": timed("plain", lambda _: [sys.executable, *program]),
        _OURS: timed(
            _OURS,
            lambda out: [sys.executable, "-m", "codetracer_core", "record", "-o", out, *program],
        ),
    }
    if reference is not None:
        for form in reference_recorder.FORMATS:
            variants[form] = timed(
                form,
                lambda out, form=form: reference_recorder.command(  # type: ignore[misc]
                    reference, form, out, program
                ),
            )
    for variant in variants.values():
        variant()  # fills the caches of the file system and of compiled modules
    inside.clear()
    whole = interleave(variants, rounds)
    return [
        {f"{name}/{_WHOLE}": seconds for name, seconds in taken.items()}
        | {f"{name}/{_INSIDE}": seconds[number] for name, seconds in inside.items()}
        for number, taken in enumerate(whole)
    ]


def report(measured: dict[Workload, list[Round]], formats: Sequence[str]) -> None:
    """Print what was taken inside the process, and then the whole processes."""
    for kind in (_INSIDE, _WHOLE):
        rows = []
        for workload, rounds in measured.items():
            target = _IN_PROCESS_TARGET if kind == _INSIDE else workload.wall_target
            row = [
                workload.name,
                *(
                    f"{_milliseconds(rounds, name, kind):.2f}"
                    for name in ("plain", _OURS, *formats)
                ),
                *(str(_factor(rounds, form, kind)) for form in formats),
                "" if target is None else f">= {target:g}",
            ]
            rows.append(row)
        print_table(
            f"{kind.capitalize()}: medians in ms, and the reference over ours (quartiles)",
            [
                "workload",
                "plain",
                _OURS,
                *formats,
                *(f"{form} / {_OURS}" for form in formats),
                "target",
            ],
            rows,
        )


def _milliseconds(rounds: list[Round], name: str, kind: str) -> float:
    return summarise(rounds, lambda taken: taken[f"{name}/{kind}"] * 1e3).median


def _factor(rounds: list[Round], form: str, kind: str) -> Figure:
    return summarise(rounds, lambda taken: taken[f"{form}/{kind}"] / taken[f"{_OURS}/{kind}"])


def main() -> None:
    """Measure every workload and print the tables."""
    parser = command.parser(__doc__ or "")
    parser.add_argument(
        "--only-ours", action="store_true", help="leave the reference out; needs no network"
    )
    options = parser.parse_args()
    reference = None if options.only_ours else reference_recorder.install()
    measured = {
        workload: measure(
            workload,
            workload.fast_size if options.fast else workload.size,
            1 if options.fast else _ROUNDS,
            options.clock,
            reference,
        )
        for workload in WORKLOADS_COMPARED
    }
    report(measured, () if reference is None else reference_recorder.FORMATS)
    if options.json:
        results.save(options.json, {workload.name: rounds for workload, rounds in measured.items()})


if __name__ == "__main__":
    main()
