"""The benchmark commands run and print their tables; what they measure is no business of a test."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from workspace import ROOT, run

if TYPE_CHECKING:
    from pathlib import Path

BENCHMARKS = ROOT / "benchmarks"
WORKLOADS = ("fib", "loop", "lists", "objects")


@pytest.fixture(scope="module")
def parts() -> dict[str, str]:
    """Command to what it prints in its fast form."""
    printed = run(sys.executable, "-m", "benchmarks", "--fast", "--only-ours")
    pieces = printed.split("== ")[1:]
    return {piece.partition("\n")[0]: piece.partition("\n")[2] for piece in pieces}


def rows(output: str) -> dict[str, list[str]]:
    """First word to the other words of the lines of all tables."""
    words = [line.split() for line in output.splitlines() if line.startswith("  ")]
    return {line[0]: line[1:] for line in words}


def test_all_benchmarks_run_one_after_the_other(parts: dict[str, str]) -> None:
    """`python -m benchmarks` runs the five commands and prints the tables of each."""
    assert list(parts) == [
        "hot_path.py",
        "whole_process.py",
        "filters.py",
        "reporting.py",
        "reference.py",
    ]


def test_hot_path_prints_each_workload_beside_its_target(parts: dict[str, str]) -> None:
    """The hot path's tables have a line with measurements and a target for each workload."""
    printed = rows(parts["hot_path.py"])
    assert all("<=" in printed[name] for name in WORKLOADS)


def test_whole_process_prints_each_subject(parts: dict[str, str]) -> None:
    """Starting, making the trace, memory and skipped code each have a table."""
    titles = [line for line in parts["whole_process.py"].splitlines() if line[:1].strip()]
    assert titles == ["Start", "Making trace.ct", "Memory", "Skipped code"]


def test_filters_prints_each_figure_and_scenario(parts: dict[str, str]) -> None:
    """Five figures have a target; the three scenarios of the event stream follow."""
    assert parts["filters.py"].count("<=") == 5
    assert {"baseline", "glob", "regex"} <= set(rows(parts["filters.py"]))


def test_the_event_stream_has_the_size_that_is_stated() -> None:
    """A hundred functions have fifty locals each, and the rules treat them as their names say."""
    printed = run(
        sys.executable,
        "-c",
        "import pathlib, sys, tempfile; sys.path.insert(0, sys.argv[1])\n"
        "from figures.filter_events import LOCALS, SCENARIOS, functions\n"
        "codes = functions(pathlib.Path('/p'))\n"
        "print(len(codes), {code.co_nlocals for code, _ in codes}, len(LOCALS), len(SCENARIOS))",
        BENCHMARKS,
    )
    assert printed.split() == ["100", "{51}", "50", "3"]


def test_reporting_prints_each_call_beside_its_target(parts: dict[str, str]) -> None:
    """Filtered lines and trailers have a line with a measurement and a target."""
    printed = [line for line in parts["reporting.py"].splitlines() if "<=" in line]
    assert [line.split("  ")[1] for line in printed] == [
        "a filtered line",
        "a line filtered by its target",
        "a trailer",
    ]


def test_reference_can_be_left_out(parts: dict[str, str]) -> None:
    """Without the recorder of PyPI the comparison prints our times alone."""
    assert {"fib", "loop", "lists"} <= set(rows(parts["reference.py"]))
    assert "binary" not in parts["reference.py"]


def test_hot_path_keeps_every_value_in_the_format_of_pyperf(tmp_path: Path) -> None:
    """The file of `--json` is a suite of pyperf with one benchmark a workload and variant."""
    pyperf = pytest.importorskip("pyperf")
    kept = tmp_path / "kept.json"
    script = BENCHMARKS / "hot_path.py"
    run(sys.executable, script, "--fast", "--only", "loop", "--json", kept)
    suite = pyperf.BenchmarkSuite.load(str(kept))
    assert suite.get_benchmark_names() == ["loop/plain", "loop/empty", "loop/recorded"]
    assert all(benchmark.median() > 0 for benchmark in suite)


@pytest.mark.parametrize(
    ("name", "size", "result"),
    [("fib", 9, 34), ("loop", 9, 81), ("lists", 9, 86), ("objects", 60, 2), ("raising", 9, 9)],
)
def test_a_workload_is_a_program(name: str, size: int, result: int) -> None:
    """A workload run as a command prints its result and the seconds that it took."""
    script = BENCHMARKS / "workloads" / f"{name}.py"
    printed, seconds = run(sys.executable, script, str(size)).split()
    assert int(printed) == result
    assert float(seconds) > 0
