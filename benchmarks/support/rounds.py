"""Measuring variants against each other on a machine whose speed changes while one looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Measured", "Round", "interleave"]

Round = dict[str, float]
"""One value for each variant, all taken within moments, and counts that belong to them."""

Measured = dict[str, list[Round]]
"""Subject, as ``hot path/fib``, to the rounds in which it was measured."""


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
