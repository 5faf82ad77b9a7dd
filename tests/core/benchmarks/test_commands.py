"""The benchmark commands run and print their tables; what they measure is no business of a test."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from workspace import ROOT, run

if TYPE_CHECKING:
    from pathlib import Path

BENCHMARKS = ROOT / "benchmarks"
WORKLOADS = ("fib", "loop", "lists", "objects")


def bench(name: str, *options: str | Path) -> str:
    """The output of a benchmark command in its fast form."""
    return run(sys.executable, BENCHMARKS / f"{name}.py", "--fast", *options)


def rows(output: str) -> dict[str, list[str]]:
    """First word to the other words of the lines of all tables."""
    words = [line.split() for line in output.splitlines() if line.startswith("  ")]
    return {line[0]: line[1:] for line in words}


def test_hot_path_prints_each_workload_beside_its_target() -> None:
    """The hot path's table has a line with measurements and a target for each workload."""
    printed = rows(bench("hot_path"))
    assert set(WORKLOADS) <= set(printed)
    assert all("<=" in printed[name] for name in WORKLOADS)


def test_hot_path_keeps_every_value_in_the_format_of_pyperf(tmp_path: Path) -> None:
    """The file of `--json` is a suite of pyperf with one benchmark a workload and variant."""
    pyperf = pytest.importorskip("pyperf")
    kept = tmp_path / "kept.json"
    bench("hot_path", "--only", "loop", "--json", kept)
    suite = pyperf.BenchmarkSuite.load(str(kept))
    assert suite.get_benchmark_names() == ["loop/plain", "loop/empty", "loop/recorded"]
    assert all(benchmark.median() > 0 for benchmark in suite)


def test_whole_process_prints_each_subject(tmp_path: Path) -> None:
    """Starting, making the trace, memory and skipped code each have figures, kept by `--json`."""
    kept = tmp_path / "kept.json"
    printed = bench("whole_process", "--json", kept)
    found = json.loads(kept.read_text(encoding="utf-8"))
    assert list(found) == ["Start", "Making trace.ct", "Memory", "Skipped code"]
    assert all(row["measured"] in printed for part in found.values() for row in part)


def test_reference_can_be_left_out() -> None:
    """Without the recorder of PyPI the comparison prints our times alone, and needs no network."""
    output = bench("reference", "--only-ours")
    printed = rows(output)
    assert {"fib", "loop", "lists"} <= set(printed)
    assert "binary" not in output


@pytest.mark.parametrize("name", [*WORKLOADS, "raising"])
def test_a_workload_is_a_program(name: str) -> None:
    """A workload run as a command prints its result and the seconds that it took."""
    result, seconds = run(sys.executable, BENCHMARKS / "workloads" / f"{name}.py", "7").split()
    assert int(result) > 0 or name == "objects"
    assert float(seconds) > 0
