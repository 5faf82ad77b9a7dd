"""Writes ``docs/performance.md`` and its plot.

``python -m benchmarks.document`` measures everything. With files of earlier results it only writes:
``python -m benchmarks.document py312.json py313.json again312.json``. The first file of each
interpreter is what the page shows; further ones are further runs, whose ratios stand beside.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import suite
from benchmarks.peers.environment import packages
from benchmarks.peers.tools import OURS, TOOLS
from benchmarks.support import arguments, results
from benchmarks.support.figures import short
from benchmarks.support.options import CLOCKS, Options
from benchmarks.support.places import ROOT
from benchmarks.support.plots import draw_bars
from benchmarks.support.tables import arrange, as_markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.support.figures import Figure
    from benchmarks.support.results import Results

__all__ = ["main", "write"]

_PAGE = "performance.md"
_PLOT = "performance.svg"
_PLOTTED = "Slowdown against the plain program, in process"
_INTRODUCTION = f"""# Performance

What recording costs, beside other tools and beside what is aimed at.
`python -m benchmarks.document` measures all of it and writes this page;
[benchmarking.md](benchmarking.md) says how each figure is taken. A figure is the median of the
rounds of one run, with the quartiles in brackets. A target stands behind the figure that it is for.
The plot is of the first interpreter below.

![Slowdown of each tool]({_PLOT})

"""


def write(folder: Path, found: Sequence[Results]) -> None:
    """Write the page and the plot of these results to `folder`; the first one is plotted."""
    runs: dict[str, list[Results]] = {}
    for one in found:
        runs.setdefault(str(one.metadata["python_version"]), []).append(one)
    text = _INTRODUCTION + _tools() + _targets([one for one, *_ in runs.values()])
    for shown, *further in runs.values():
        text += _machine(shown)
        for title, rows in arrange(suite.figures(), shown.measured).items():
            text += f"\n### {title}\n\n{as_markdown(rows)}"
        if further:
            text += _runs([shown, *further])
    (folder / _PAGE).write_text(text, encoding="utf-8")
    _plot(folder / _PLOT, found[0])


def _targets(found: Sequence[Results]) -> str:
    """The figures that have a target, with a column for each interpreter."""
    rows = [["", "target", *(_interpreter(one) for one in found)]]
    for spec in suite.figures():
        if spec.target:
            figures = [spec.figure(one.measured) for one in found]
            if any(figures):
                rows.append([spec.name, str(spec.target), *map(_median, figures)])
    return f"\n## Beside the targets\n\n{as_markdown(rows)}"


def _runs(runs: Sequence[Results]) -> str:
    """How far the ratios of several runs lie apart."""
    rows = [["", *(f"run {number}" for number in range(1, len(runs) + 1)), "apart"]]
    for spec in suite.figures():
        figures = [spec.figure(one.measured) for one in runs] if spec.is_ratio else []
        medians = [figure.median for figure in figures if figure]
        if len(medians) > 1:
            apart = (max(medians) / min(medians) - 1) * 100
            rows.append([spec.name, *map(_median, figures), f"{apart:.0f} %"])
    return f"\n### Ratios of {len(runs)} runs\n\n{as_markdown(rows)}"


def _median(figure: Figure | None) -> str:
    return "" if figure is None else short(figure.median)


def _interpreter(found: Results) -> str:
    return f"CPython {found.metadata['python_version']}"


def _tools() -> str:
    """What each tool records."""
    rows = [["tool", "version", "runs on CPython", "records"]]
    for tool in TOOLS:
        if tool.package:
            version = packages()[tool.package].version
        else:
            version = "of this commit" if tool.name == OURS else "in `benchmarks/peers`"
        pythons = f"{tool.pythons[0]} to {tool.pythons[-1]}"
        rows.append([tool.name, version, pythons, tool.records])
    return f"## The tools\n\n{as_markdown(rows, text=True)}"


def _machine(found: Results) -> str:
    about = found.metadata
    clock = " The times are those of the CPU." if about.get("clock") == "cpu" else ""
    seconds = about.get("seconds_in_all")
    taken = f" Measuring it took {int(seconds) / 60:.1f} minutes." if seconds else ""
    return (
        f"\n## {_interpreter(found)}\n\n"
        f"{str(about['date'])[:10]}, commit {str(about['commit'])[:12]}; {about['cpu_count']}"
        f" processors, {about['cpu_model_name']}; {about['platform']}; the interpreter was compiled"
        f" by {about['python_build']}.{clock}{taken}\n"
    )


def _plot(path: Path, found: Results) -> None:
    specs = [spec for spec in suite.figures(["peers"]) if spec.table == _PLOTTED]
    workloads = list(dict.fromkeys(spec.column for spec in specs))
    bars: dict[str, list[float | None]] = {}
    for spec in specs:
        figure = spec.figure(found.measured)
        bars.setdefault(spec.row, []).append(None if figure is None else figure.median)
    draw_bars(path, f"{_PLOTTED} (logarithmic)", workloads, bars)


def main() -> None:
    """Measure unless there are results already, and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.document", description=__doc__)
    parser.add_argument(
        "files",
        nargs="*",
        type=arguments.kept_results,
        metavar="FILE",
        help="results to write, instead of new ones",
    )
    parser.add_argument("--fast", action="store_true", help="measure in the fast form")
    parser.add_argument("--only-ours", action="store_true", help="leave other tools out")
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    parser.add_argument(
        "--out", type=arguments.folder, default=ROOT / "docs", help="folder to write to"
    )
    given = parser.parse_args()
    options = Options(fast=given.fast, clock=given.clock, only_ours=given.only_ours)
    write(given.out, given.files or [_measure(options)])


def _measure(options: Options) -> Results:
    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as name:
        kept = Path(name, "results.json")
        measured, seconds = suite.measure(options)
        results.save(kept, measured, {"clock": options.clock, "seconds_in_all": seconds})
        return results.load(kept)


if __name__ == "__main__":
    main()
