"""Keeping what was measured in the format of pyperf, which compares and plots such files too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.support.machine import describe

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.support.rounds import Measured

__all__ = ["Results", "load", "save"]

_UNITS = {
    "bytes": "byte",
    "instructions": "integer",
    "steps": "integer",
    "calls": "integer",
    "size": "integer",
}
"""Units of values that are not seconds, by the last word of their name."""
_NEEDED = {"commit", "commit_date", "date", "python_version", "python_build"}
"""What a file has to say of where its values come from."""


@dataclass(frozen=True, slots=True)
class Results:
    """The values of a file, and what it says of the machine and the commit."""

    measured: Measured
    metadata: dict[str, str | int]


def save(path: Path, measured: Measured, extra: Mapping[str, str | int] | None = None) -> None:
    """Write one pyperf benchmark ``SUBJECT/VARIANT`` for each subject and variant to `path`.

    Its values are in the order of the rounds, so that ratios inside a round can be taken again
    later. `extra` is added to what each benchmark says of the machine and the commit.
    """
    import pyperf

    metadata = describe() | dict(extra or {})
    suite = []
    for subject, rounds in measured.items():
        for variant in rounds[0]:
            unit = _UNITS.get(variant.rpartition(" ")[2], "second")
            own = {**metadata, "name": f"{subject}/{variant}", "unit": unit}
            run = pyperf.Run([taken[variant] for taken in rounds], metadata=own)
            suite.append(pyperf.Benchmark([run]))
    pyperf.BenchmarkSuite(suite).dump(str(path), replace=True)


def load(path: Path) -> Results:
    """Read what `save` wrote; raises OSError, and ValueError for another file."""
    import pyperf

    measured: Measured = {}
    try:
        suite = pyperf.BenchmarkSuite.load(str(path))
        for benchmark in suite:
            subject, _, variant = benchmark.get_name().rpartition("/")
            values = benchmark.get_values()
            rounds = measured.setdefault(subject, [{} for _ in values])
            for taken, value in zip(rounds, values, strict=True):
                taken[variant] = value
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("it is no suite of pyperf") from error
    metadata = dict(next(iter(suite)).get_metadata())
    missing = _NEEDED - metadata.keys()
    if missing:
        raise ValueError(f"it does not tell {', '.join(sorted(missing))}")
    return Results(measured, metadata)
