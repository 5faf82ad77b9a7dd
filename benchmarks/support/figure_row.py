"""A line of a table of figures."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FigureRow"]


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure beside what is aimed at."""

    what: str
    measured: str
    target: str = ""
