"""How figures went from commit to commit: ``python -m benchmarks.trend FILES``.

The files are those that ``--json`` of ``python -m benchmarks`` and of ``benchmarks.gate`` keep.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from benchmarks import suite
from benchmarks.regression import instructions
from benchmarks.support import arguments
from benchmarks.support.figures import short
from benchmarks.support.plots import draw_lines
from benchmarks.support.tables import as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.support.figures import FigureSpec
    from benchmarks.support.results import Results

__all__ = ["main"]

Trend = dict[str, list[float | None]]


def _trend(specs: Sequence[FigureSpec], history: Sequence[Results]) -> Trend:
    """The medians of each figure, None where a file does not have it."""
    found: Trend = {}
    for spec in specs:
        figures = [spec.figure(one.measured) for one in history]
        if any(figures):
            found[spec.name] = [None if figure is None else figure.median for figure in figures]
    return found


def _relative(values: Sequence[float | None]) -> list[float | None]:
    """Each value over the first one that there is."""
    first = next((value for value in values if value), None)
    return [None if value is None or first is None else value / first for value in values]


def main() -> None:
    """Print a table with a column for each file, oldest commit first."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trend", description=__doc__)
    parser.add_argument("files", nargs="+", type=arguments.kept_results, metavar="FILE")
    parser.add_argument(
        "--figure",
        metavar="TEXT",
        help="figures with this text in their name, not those with a target and instructions",
    )
    parser.add_argument(
        "--svg",
        type=arguments.new_plot,
        metavar="FILE",
        help="plot the figures over the first value of each",
    )
    given = parser.parse_args()
    history = sorted(
        given.files,
        key=lambda one: (str(one.metadata["commit_date"]), str(one.metadata["date"])),
    )
    specs = [
        spec
        for spec in (*suite.figures(), *instructions.FIGURES)
        if (
            given.figure in spec.name
            if given.figure
            else spec.target or spec in instructions.FIGURES
        )
    ]
    trend = _trend(specs, history)
    if not trend:
        parser.exit(1, "trend: the files have no such figure\n")
    commits = [str(one.metadata["commit"])[:10] for one in history]
    rows = [["", *commits]]
    rows += [
        [name, *("" if value is None else short(value) for value in values)]
        for name, values in trend.items()
    ]
    print(as_text("Medians, oldest commit first", rows))
    if given.svg:
        lines = {name: _relative(values) for name, values in trend.items()}
        draw_lines(given.svg, "Figures over their first value", commits, lines)


if __name__ == "__main__":
    main()
