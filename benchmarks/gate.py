"""Compares this checkout with another commit: ``python -m benchmarks.gate [BASE]``.

The base, the parent unless named, is built in a worktree. Prints a summary in Markdown. Ends with
status 1 when something costs more than ``benchmarks/thresholds.toml`` lets through, and with 2
when this checkout cannot be measured or there is no such BASE.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure.hot_path import CASES, measure_apart
from benchmarks.regression import instructions, wall
from benchmarks.regression.trees import (
    BaseError,
    Tree,
    base_tree,
    commit_of,
    compiled_copy,
    head_tree,
)
from benchmarks.regression.verdict import Comparison, Thresholds, summary
from benchmarks.support import arguments, results
from benchmarks.support.options import CLOCKS
from benchmarks.support.places import BENCHMARKS

if TYPE_CHECKING:
    from benchmarks.support.rounds import Measured

_PAIRS, _SHORT_PAIRS = 8, 3


def main() -> int:
    """Measure both sides and tell what came out."""
    parser = _parser()
    options = parser.parse_args()
    commit = commit_of(options.base or "HEAD~1")
    if commit is None:
        if options.base:
            parser.error(f"there is no commit {options.base}")
        print("gate: this checkout has no parent commit to compare with")
        return 0
    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as name:
        folder = Path(name)
        flags = options.head_cflags
        head = compiled_copy(folder, flags) if flags else head_tree()
        try:
            with base_tree(commit, folder) as base:
                _try(base)
                comparisons, measured, notes = _compare(base, head, options)
        except BaseError as error:
            print(f"gate: {commit[:12]} cannot be compared with: {error}")
            return 0
        except subprocess.CalledProcessError as error:
            print(f"gate: a measurement failed: {error}\n{error.stderr or ''}", file=sys.stderr)
            return 2
    text = summary(base.commit, head.commit, comparisons, notes)
    print(text, end="")
    if options.summary:
        with options.summary.open("a", encoding="utf-8") as file:
            file.write(text)
    if options.json and measured:
        results.save(options.json, measured, {"clock": options.clock})
    return int(any(one.is_regression for one in comparisons))


def _try(base: Tree) -> None:
    """Raise BaseError when these benchmarks do not fit the recorder of the base."""
    try:
        measure_apart(CASES[0], "cpu", fast=True, packages=base.packages)
    except subprocess.CalledProcessError as error:
        raise BaseError("these benchmarks do not run with its recorder") from error


def _compare(
    base: Tree, head: Tree, options: argparse.Namespace
) -> tuple[list[Comparison], Measured, list[str]]:
    """Every comparison, the values of head, and what there is to say beside."""
    thresholds = Thresholds.read(BENCHMARKS / "thresholds.toml")
    comparisons: list[Comparison] = []
    notes: list[str] = []
    measured: Measured = {}

    def add(kind: str, figure: str, ratios: list[float]) -> None:
        limit = thresholds.limit(kind, figure)
        comparisons.append(Comparison(kind, figure, tuple(ratios), limit))

    if instructions.is_possible():
        chosen = instructions.SHORT if options.short else instructions.FULL
        # Nothing that runs at the same time changes how many they are.
        with ThreadPoolExecutor(2) as pool:
            below, above = pool.map(lambda tree: instructions.count(tree, chosen), (base, head))
        for spec in instructions.FIGURES:
            one, other = spec.figure(below), spec.figure(above)
            if one and other:
                figure = f"{spec.row}, {spec.column}"
                add("instructions", figure, [other.median / one.median])
        measured |= above
    else:
        notes.append("Instructions were not counted: valgrind is not installed.")
    pairs = (
        options.pairs if options.pairs is not None else _SHORT_PAIRS if options.short else _PAIRS
    )
    workloads = wall.SHORT if options.short else wall.FULL
    ratios, rounds = wall.compare(base, head, workloads, pairs, options.clock)
    for figure, found in ratios.items():
        add("wall", figure, found)
    return comparisons, measured | rounds, notes


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gate", description=__doc__)
    parser.add_argument(
        "base",
        nargs="?",
        metavar="BASE",
        help="commit to compare with, the parent unless given",
    )
    parser.add_argument("--short", action="store_true", help="few workloads, in under a minute")
    parser.add_argument(
        "--pairs",
        type=arguments.number_of_pairs,
        metavar="N",
        help="pairs of processes for each time; 0 takes no times",
    )
    parser.add_argument("--clock", choices=CLOCKS, default="cpu")
    parser.add_argument(
        "--head-cflags",
        default="",
        metavar="FLAGS",
        help="compile a copy of this checkout with these flags as well, such as -O0",
    )
    parser.add_argument(
        "--summary",
        type=arguments.new_file,
        metavar="FILE",
        help="append the summary to this file, too",
    )
    parser.add_argument(
        "--json",
        type=arguments.new_file,
        metavar="FILE",
        help="keep what was measured of this checkout",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
