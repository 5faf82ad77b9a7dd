"""The comparison of two commits tells what became slower, and refuses it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.regression.instructions import is_possible
from benchmarks.regression.verdict import Comparison, Thresholds, summary
from benchmarks.support.places import BENCHMARKS
from workspace import ROOT, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.repository

RATIOS = st.lists(st.floats(0.1, 10), min_size=1, max_size=9).map(tuple)


def gate(*arguments: str | Path, status: int = 0) -> str:
    """What the command prints, with no times taken: they depend on the machine."""
    return run(
        sys.executable, "-m", "benchmarks.gate", *arguments, "--pairs", "0", "--short",
        cwd=ROOT, status=status,
    )  # fmt: skip


@pytest.mark.skipif(not is_possible(), reason="instructions are counted by valgrind")
def test_a_slower_head_is_refused(tmp_path: Path) -> None:
    """The same sources compiled without optimisation fail against their own commit."""
    text = tmp_path / "summary.md"
    kept = tmp_path / "kept.json"
    printed = gate("HEAD", "--head-cflags=-O0", "--summary", text, "--json", kept, status=1)
    refused = [line for line in printed.splitlines() if "**regression**" in line]
    assert {line.split(" | ")[0] for line in refused} >= {"| fib, recording", "| loop, recording"}
    assert text.read_text(encoding="utf-8") in printed
    # The trend reads what was kept of head.
    trend = run(sys.executable, "-m", "benchmarks.trend", kept, "--figure", "fib", cwd=ROOT)
    assert "Millions of instructions: fib, recording" in trend


def test_a_checkout_without_a_parent_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first commit of a repository has nothing to be compared with, which is no failure."""
    run("git", "init", "--quiet", cwd=tmp_path)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    assert gate() == "gate: this checkout has no parent commit to compare with\n"


def test_limits_are_those_of_the_figure_or_the_default() -> None:
    """A figure that the thresholds name has its own limit, every other one the default."""
    thresholds = Thresholds.read(BENCHMARKS / "thresholds.toml")
    assert thresholds.limit("wall", "prints") > thresholds.limit("wall", "fib")
    assert thresholds.limit("instructions", "fib") < thresholds.limit("wall", "fib")


def test_a_ratio_above_the_limit_is_refused_only_when_it_is_sure() -> None:
    """Pairs that disagree on who is slower refuse nothing, whatever their median is."""
    assert Comparison("wall", "fib", (1.4, 1.5, 1.6), 1.25).is_regression
    assert not Comparison("wall", "fib", (0.7, 1.5, 1.6), 1.25).is_regression
    assert not Comparison("wall", "fib", (1.1, 1.2, 1.2), 1.25).is_regression


@given(RATIOS, st.floats(1, 2))
def test_an_interval_has_the_median_in_it(ratios: tuple[float, ...], limit: float) -> None:
    """The interval of a median contains it and reaches no further than the pairs do."""
    compared = Comparison("wall", "fib", ratios, limit)
    low, high = compared.interval
    assert min(ratios) <= low <= compared.median <= high <= max(ratios)
    assert compared.is_regression <= (compared.median > limit)


def test_a_summary_is_a_table_in_markdown() -> None:
    """Each figure has a row with ratio, limit and verdict; the first line counts regressions."""
    text = summary(
        "b" * 40,
        "h" * 40,
        [
            Comparison("wall", "fib", (1.4, 1.5, 1.6), 1.25),
            Comparison("instructions", "fib, recording", (0.9,), 1.05),
        ],
        ["Said beside."],
    )
    lines = text.splitlines()
    assert lines[0] == "## Benchmarks of hhhhhhhhhhhh against bbbbbbbbbbbb"
    assert lines[2] == "Regressions: 1."
    assert "| fib | wall | 1.500 (1.400 to 1.600) | 1.25 | **regression** |" in lines
    assert "| fib, recording | instructions | 0.900 | 1.05 | faster |" in lines
    assert lines[-1] == "Said beside."
