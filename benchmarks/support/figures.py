"""Figures: what is made of the measured values, with quartiles, units and targets."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from benchmarks.support.rounds import Measured, Round

__all__ = ["Figure", "FigureSpec", "at_least", "at_most", "short", "summarise"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A median over rounds, with the quartiles that tell how far to trust it."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        if self.low == self.high:
            return short(self.median)
        return f"{short(self.median)} ({short(self.low)}-{short(self.high)})"


@dataclass(frozen=True, slots=True)
class Target:
    """What is aimed at."""

    value: float
    is_lower_bound: bool

    def __str__(self) -> str:
        return f"{'>=' if self.is_lower_bound else '<='} {self.value:,g}"


def at_most(value: float) -> Target:
    """The figure should not exceed `value`."""
    return Target(value, is_lower_bound=False)


def at_least(value: float) -> Target:
    """The figure should not be below `value`."""
    return Target(value, is_lower_bound=True)


@dataclass(frozen=True, slots=True)
class FigureSpec:
    """One figure of a table."""

    table: str
    row: str
    column: str
    """Head of its column, with the unit."""
    subject: str
    """Whose rounds it is made of."""
    of: Callable[[Round], float]
    target: Target | None = None
    is_ratio: bool = False
    """Whether it compares times of one round, so that other runs should come to the same."""

    @property
    def name(self) -> str:
        """Unique among all figures."""
        return f"{self.table}: {self.row}, {self.column}"

    def figure(self, measured: Measured) -> Figure | None:
        """The figure, or None where its subject or one of the variants was not measured."""
        try:
            return summarise(measured[self.subject], self.of)
        except KeyError:
            return None


def summarise(rounds: Iterable[Round], of: Callable[[Round], float]) -> Figure:
    """The median and quartiles of what `of` makes of each round."""
    values = sorted(of(taken) for taken in rounds)
    low, high = _quartiles(values)
    return Figure(statistics.median(values), low, high)


def short(value: float) -> str:
    """Three digits or so."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if value else "0"


def _quartiles(values: Sequence[float]) -> tuple[float, float]:
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high
