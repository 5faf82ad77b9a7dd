"""Writes ``docs/performance.md`` and its plot.

``python -m benchmarks.document`` measures everything; with files of earlier results, one for each
interpreter, it only writes: ``python -m benchmarks.document py312.json py313.json``.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import suite
from benchmarks.peers.environment import versions
from benchmarks.peers.tools import OURS, TOOLS
from benchmarks.support import results
from benchmarks.support.options import CLOCKS, Options
from benchmarks.support.places import ROOT
from benchmarks.support.plots import draw_bars
from benchmarks.support.tables import arrange, as_markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

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

![Slowdown of each tool]({_PLOT})

"""


def write(folder: Path, found: Sequence[Results]) -> None:
    """Write the page and the plot of these results, whose first one is plotted, to `folder`."""
    text = _INTRODUCTION + _tools()
    for one in found:
        text += _machine(one)
        for title, rows in arrange(suite.figures(), one.measured).items():
            text += f"\n### {title}\n\n{as_markdown(rows)}"
    (folder / _PAGE).write_text(text, encoding="utf-8")
    _plot(folder / _PLOT, found[0])


def _tools() -> str:
    """What each tool records."""
    known = versions()
    rows = [["tool", "version", "records"]]
    for tool in TOOLS:
        version = known.get(tool.package, "of this commit" if tool.name == OURS else "")
        rows.append([tool.name, version or "in `benchmarks/peers`", tool.records])
    return f"## The tools\n\n{as_markdown(rows, text=True)}"


def _machine(found: Results) -> str:
    about = found.metadata
    clock = " The times are those of the CPU." if about.get("clock") == "cpu" else ""
    return (
        f"\n## CPython {about['python_version']}\n\n"
        f"{str(about['date'])[:10]}, commit {str(about['commit'])[:12]}; {about['cpu_count']}"
        f" processors, {about['cpu_model_name']}; {about['platform']}; the interpreter was compiled"
        f" by {about['python_build']}.{clock}\n"
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
    parser.add_argument("files", nargs="*", type=Path, help="results to write, instead of new ones")
    parser.add_argument("--fast", action="store_true", help="measure in the fast form")
    parser.add_argument("--only-ours", action="store_true", help="leave other tools out")
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="folder to write to")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as name:
        files = given.files
        if not files:
            options = Options(fast=given.fast, clock=given.clock, only_ours=given.only_ours)
            files = [Path(name, "results.json")]
            results.save(files[0], suite.measure(options), {"clock": given.clock})
        write(given.out, [results.load(path) for path in files])


if __name__ == "__main__":
    main()
