"""All measurements: which there are, and taking them one after the other."""

from __future__ import annotations

import importlib
import time
from typing import TYPE_CHECKING

from benchmarks.support.tables import print_figures

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.support.figures import FigureSpec
    from benchmarks.support.options import Options
    from benchmarks.support.rounds import Measured

__all__ = ["SUBJECTS", "figures", "measure"]

SUBJECTS = (
    "hot_path",
    "startup",
    "materialising",
    "reading",
    "memory",
    "filter_calls",
    "filter_events",
    "filter_sessions",
    "reporting",
    "peers",
)
"""The modules of ``benchmarks.measure``, in the order in which they are run and printed."""


def figures(subjects: Iterable[str] = SUBJECTS) -> list[FigureSpec]:
    """What is made of the values of these subjects."""
    return [
        spec
        for subject in subjects
        for spec in importlib.import_module(f"benchmarks.measure.{subject}").FIGURES
    ]


def measure(options: Options, subjects: Sequence[str] = SUBJECTS) -> tuple[Measured, int]:
    """Measure these subjects and print the tables of each when it is done.

    The second value is how many seconds everything took.
    """
    measured: Measured = {}
    started = time.monotonic()
    for subject in subjects:
        began = time.monotonic()
        taken = importlib.import_module(f"benchmarks.measure.{subject}").measure(options)
        print(f"== {subject}, {time.monotonic() - began:.0f} s\n", flush=True)
        print_figures(figures([subject]), taken)
        measured |= taken
    return measured, round(time.monotonic() - started)
