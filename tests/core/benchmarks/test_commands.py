"""The benchmark commands run and print their tables; what they measure is no business of a test."""

from __future__ import annotations

import importlib
import json
import sys
from typing import TYPE_CHECKING

import pytest

from workspace import ROOT, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.repository

WORKLOADS = (
    "fib", "loop", "lists", "objects", "text", "nested", "bfs", "generators", "threads", "tasks",
    "importing", "module_level", "prints",
)  # fmt: skip


def command(*arguments: str | Path) -> str:
    """What one of the commands prints, run in the root of the repository."""
    return run(sys.executable, "-m", *arguments, cwd=ROOT)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What all measurements print in their fast form, and the file of their values."""
    kept = tmp_path_factory.mktemp("results") / "results.json"
    return command("benchmarks", "--fast", "--only-ours", "--json", kept), kept


def rows(printed: str, title: str) -> dict[str, str]:
    """First cell to the line of each row of the table with this title."""
    lines = printed.partition(f"{title}\n")[2].partition("\n\n")[0].splitlines()
    assert lines, f"no table {title}"
    return {line[2:].partition("  ")[0]: line for line in lines[2:]}


def test_every_subject_prints_its_tables(results: tuple[str, Path]) -> None:
    """The subjects are measured one after the other, and each table of them is printed."""
    printed, _ = results
    subjects = [line.split()[1] for line in printed.splitlines() if line.startswith("== ")]
    assert subjects == [
        "hot_path,", "startup,", "materialising,", "reading,", "memory,", "filter_calls,",
        "filter_events,", "filter_sessions,", "reporting,", "peers,",
    ]  # fmt: skip


def test_the_hot_path_has_a_row_for_each_workload(results: tuple[str, Path]) -> None:
    """The workloads that are recorded are followed by those that are skipped or wait."""
    found = list(rows(results[0], "Recording, in process"))
    assert tuple(found[: len(WORKLOADS)]) == WORKLOADS
    assert found[len(WORKLOADS) :] == [
        "fib, skipped", "loop, skipped", "objects, skipped", "raising, skipped", "loop, waiting",
    ]  # fmt: skip


def test_targets_stand_beside_figures(results: tuple[str, Path]) -> None:
    """A table has the target of a figure behind it, and none where none is set."""
    found = rows(results[0], "Start, whole processes above plain python")
    assert found["record of an empty script"].endswith("<= 80")
    assert "<=" not in found["the same and its start and stop"]


def test_sessions_are_measured_under_each_kind_of_filter(results: tuple[str, Path]) -> None:
    """Sessions without rules, with globs and with regular expressions are compared."""
    found = rows(results[0], "Filters, a session of 100 functions with 50 locals")
    assert list(found) == ["baseline", "glob", "regex"]


def test_other_tools_can_be_left_out(results: tuple[str, Path]) -> None:
    """Without the tools of PyPI, our recorder and the one in Python alone are compared."""
    found = rows(results[0], "Slowdown against the plain program, in process")
    assert list(found) == ["codetracer-core", "Python on sys.monitoring"]


def test_values_are_kept_in_the_format_of_pyperf(results: tuple[str, Path]) -> None:
    """The file has one benchmark for each subject and variant, and the commit that was measured."""
    pyperf = pytest.importorskip("pyperf")
    suite = pyperf.BenchmarkSuite.load(str(results[1]))
    names = suite.get_benchmark_names()
    assert {f"hot path/loop/{variant}" for variant in ("plain", "empty", "recorded")} <= set(names)
    assert all(benchmark.median() > 0 for benchmark in suite)
    assert {benchmark.get_metadata()["commit"] for benchmark in suite} == {
        run("git", "rev-parse", "HEAD", cwd=ROOT).strip()
    }


def test_tables_can_be_made_of_kept_values(results: tuple[str, Path], tmp_path: Path) -> None:
    """The page has the figures that were printed, the ratios of further runs, and a plot."""
    printed, kept = results
    pytest.importorskip("pygal")
    command("benchmarks.document", kept, kept, "--out", tmp_path)
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    line = rows(printed, "Log and trailers, one call")["a trailer"].split()
    assert f"| a trailer | {line[2]} | <= 100 |" in page
    assert f"| Log and trailers, one call: a trailer, us | <= 100 | {line[2]} |" in page
    overhead = rows(printed, "Recording, in process")["loop"].split()[1]
    named = "| Recording, in process: loop, overhead / empty |"
    assert f"{named} {overhead} | {overhead} | 0 % |" in page
    assert "| codetracer-python-recorder, json | 0.3.0 | 3.12 to 3.13 |" in page
    assert "codetracer-core" in (tmp_path / "performance.svg").read_text(encoding="utf-8")


def test_the_trend_has_a_column_for_each_file(results: tuple[str, Path], tmp_path: Path) -> None:
    """Figures of several files stand side by side, and are plotted on request."""
    pytest.importorskip("pygal")
    plot = tmp_path / "trend.svg"
    kept = results[1]
    printed = command(
        "benchmarks.trend", kept, kept, "--figure", "a trailer", "--svg", plot
    ).splitlines()
    words = printed[3].split()
    assert words[-1] == words[-2]
    assert float(words[-1]) > 0
    assert "a trailer" in plot.read_text(encoding="utf-8")


@pytest.fixture
def refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """What a command says last that refuses its arguments."""

    def run_here(module: str, *arguments: str | Path) -> str:
        monkeypatch.setattr(sys, "argv", [module, *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            importlib.import_module(module).main()
        assert ended.value.code == 2
        return capsys.readouterr().err.splitlines()[-1]

    return run_here


def test_what_cannot_be_measured_is_refused_at_once(
    refused: Callable[..., str], tmp_path: Path
) -> None:
    """An unknown name, or a file that could not be kept, costs no minutes and is named."""
    suite = "benchmarks.__main__"
    assert "no subject is named speed" in refused(suite, "speed")
    assert "no workload is named fob; there are bfs, fib" in refused(suite, "--only", "fob")
    absent = tmp_path / "absent"
    assert f"there is no folder {absent}" in refused(suite, "--json", absent / "kept.json")
    assert f"{tmp_path} is a folder" in refused("benchmarks.gate", "--summary", tmp_path)
    assert f"there is no folder {absent}" in refused("benchmarks.document", "--out", absent)
    assert "there is no commit no-such-commit" in refused("benchmarks.gate", "no-such-commit")
    assert "-1 is not a number of pairs" in refused("benchmarks.gate", "--pairs=-1")
    said = refused(suite, "peers", "--only-ours", "--only", "bfs")
    assert "nothing of what is asked for has the workload bfs" in said


@pytest.mark.parametrize("command_of_files", ["benchmarks.trend", "benchmarks.document"])
def test_files_that_hold_no_results_are_refused(
    command_of_files: str, refused: Callable[..., str], tmp_path: Path
) -> None:
    """One that is absent, damaged, or of somebody else, is named in one line."""
    pyperf = pytest.importorskip("pyperf")
    other = tmp_path / "other.json"
    assert f"{other} cannot be read: No such file" in refused(command_of_files, other)
    for text in ("", "{", "[1]", json.dumps({"version": "1.0"}), "\0"):
        other.write_text(text, encoding="utf-8")
        said = refused(command_of_files, other)
        assert f"{other} is no file that --json has written, or is damaged" in said
    run_of_another = pyperf.Run([1.0], metadata={"name": "theirs"}, collect_metadata=False)
    pyperf.BenchmarkSuite([pyperf.Benchmark([run_of_another])]).dump(str(other), replace=True)
    assert "it does not tell commit, " in refused(command_of_files, other)


def test_the_event_stream_has_the_size_that_is_stated() -> None:
    """A hundred functions have fifty locals each, and there are three kinds of rules."""
    printed = run(
        sys.executable,
        "-c",
        "import pathlib\n"
        "from benchmarks.measure.filter_events import LOCALS, SCENARIOS, functions\n"
        "codes = functions(pathlib.Path('/p'))\n"
        "print(len(codes), {code.co_nlocals for code, _ in codes}, len(LOCALS), len(SCENARIOS))",
        cwd=ROOT,
    )
    assert printed.split() == ["100", "{51}", "50", "3"]


@pytest.mark.parametrize(
    ("name", "size", "result"),
    [
        ("fib", 9, 34),
        ("loop", 9, 81),
        ("lists", 9, 86),
        ("objects", 60, 2),
        ("raising", 9, 9),
        ("text", 60, 245),
        ("nested", 1, 54),
        ("bfs", 20, 28),
        ("generators", 20, 1330),
        ("threads", 20, 90),
        ("tasks", 20, 2470),
        ("module_level", 20, 400),
    ],
)
def test_a_workload_is_a_program(name: str, size: int, result: int) -> None:
    """A workload run as a command prints its result and the seconds that it took."""
    script = ROOT / "benchmarks" / "workloads" / f"{name}.py"
    printed, seconds = run(sys.executable, script, str(size)).split()
    assert int(printed) == result
    assert float(seconds) > 0
