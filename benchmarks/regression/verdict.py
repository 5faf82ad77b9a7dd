"""What ratios of head to base mean: which are regressions, and a summary in Markdown."""

from __future__ import annotations

import random
import statistics
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.support.tables import as_markdown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Comparison", "Thresholds", "summary"]

_RESAMPLINGS = 2000
_CONFIDENCE = 0.95
# Nobody notices less.
_NOTICED = 0.01


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The largest ratio that is let through, by kind and figure."""

    limits: dict[str, dict[str, float]]

    @classmethod
    def read(cls, path: Path) -> Thresholds:
        """From a TOML file with a table for each kind, which has a `default`."""
        return cls(tomllib.loads(path.read_text(encoding="utf-8")))

    def limit(self, kind: str, figure: str) -> float:
        """That of `figure`, or the default of its `kind`. Raises KeyError for an unknown kind."""
        table = self.limits[kind]
        return table.get(figure, table["default"])


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of both sides."""

    kind: str
    figure: str
    ratios: tuple[float, ...]
    """Head over base, one for each pair of measurements."""
    limit: float

    @property
    def median(self) -> float:
        """The ratio."""
        return statistics.median(self.ratios)

    @property
    def interval(self) -> tuple[float, float]:
        """Where the median lies with a confidence of 95 %, found by resampling the pairs."""
        if len(self.ratios) == 1:
            return self.ratios[0], self.ratios[0]
        chosen = random.Random(0)
        medians = sorted(
            statistics.median(chosen.choices(self.ratios, k=len(self.ratios)))
            for _ in range(_RESAMPLINGS)
        )
        outside = int((1 - _CONFIDENCE) / 2 * _RESAMPLINGS)
        return medians[outside], medians[-1 - outside]

    @property
    def is_regression(self) -> bool:
        """Whether head costs more than is let through, and surely more than base."""
        return self.median > self.limit and self.interval[0] > 1

    @property
    def verdict(self) -> str:
        """In a word or two."""
        low, high = self.interval
        if self.is_regression:
            return "**regression**"
        if high < 1 - _NOTICED:
            return "faster"
        return "slower, within the limit" if low > 1 + _NOTICED else "the same"


def summary(
    base: str, head: str, comparisons: Sequence[Comparison], notes: Sequence[str] = ()
) -> str:
    """What was compared and found, as Markdown."""
    found = [one for one in comparisons if one.is_regression]
    outcome = f"Regressions: {len(found)}" if found else "No regression"
    rows = [["figure", "measured by", "head / base", "limit", "verdict"]]
    for one in comparisons:
        low, high = one.interval
        spread = "" if low == high else f" ({low:.3f} to {high:.3f})"
        ratio = f"{one.median:.3f}{spread}"
        rows.append([one.figure, one.kind, ratio, f"{one.limit:g}", one.verdict])
    text = f"## Benchmarks of {head[:12]} against {base[:12]}\n\n{outcome}.\n\n"
    if comparisons:
        text += as_markdown(rows, text=True)
    return text + "".join(f"\n{note}\n" for note in notes)
