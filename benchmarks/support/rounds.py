"""Measuring variants against each other on a machine whose speed changes while one looks."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["Figure", "Round", "interleave", "summarise"]

Round = dict[str, float]
"""One value for each variant, all taken within moments."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A median over rounds, with the quartiles that tell how far to trust it."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{_short(self.median)} ({_short(self.low)}-{_short(self.high)})"


def interleave(variants: Mapping[str, Callable[[], float]], rounds: int) -> list[Round]:
    """Measure every variant once a round; each round begins with another one.

    What slows the machine for longer than a round then slows all variants of it, and a ratio
    inside the round stays what it is.
    """
    names = list(variants)
    measured = []
    for number in range(rounds):
        first = number % len(names)
        taken = {name: variants[name]() for name in names[first:] + names[:first]}
        measured.append({name: taken[name] for name in names})
    return measured


def summarise(rounds: Iterable[Round], figure: Callable[[Round], float]) -> Figure:
    """The median and quartiles of what `figure` makes of each round."""
    values = sorted(figure(taken) for taken in rounds)
    low, high = _quartiles(values)
    return Figure(statistics.median(values), low, high)


def _quartiles(values: Sequence[float]) -> tuple[float, float]:
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def _short(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
