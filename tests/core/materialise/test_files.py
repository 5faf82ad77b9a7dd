"""The files that materialising leaves, and the failures that leave none."""

from __future__ import annotations

import hashlib
import json
import os
import resource
from pathlib import Path

import pytest

from codetracer_core.ctfs.materialiser import materialise
from codetracer_core.ctfs.reader import Trace
from codetracer_core.errors import EnvironmentError_, TraceError
from core.materialise.builder import END, METADATA, RECORDING_ID, Builder, Function
from naive import ct
from naive import journal as naive

FLAGS = 0x0F18


def recording(path: str = "/w/demo.py", steps: int = 3) -> Builder:
    builder = Builder()
    builder.call(Function(0, "<__main__>", path=path, flags=1))
    for number in range(steps):
        builder.step(1 + number % 3, named={"n": number})
    builder.end(0x08)
    return builder


def test_the_container_says_what_was_recorded(tmp_path: Path) -> None:
    """meta.dat names the session, the program, its arguments, paths and filters."""
    meta = ct.load(materialise(recording().write(tmp_path), tmp_path).path).meta
    assert meta["flags"] == FLAGS
    assert meta["recording_id"] == RECORDING_ID
    assert (meta["program"], meta["args"], meta["workdir"]) == ("demo.py", ["-v"], "/w")
    assert meta["paths"] == ["/w/demo.py"]
    assert meta["filters"] == [("<f>", "ab" * 32)]


def test_the_folder_holds_three_files(tmp_path: Path) -> None:
    """Beside the journal lie the container, its metadata and its paths, for the owner only."""
    journal = recording().write(tmp_path)
    made = materialise(journal, tmp_path)
    names = {"trace.ct", "trace_metadata.json", "trace_paths.json", journal.name}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert made.path == tmp_path / "trace.ct"
    assert made.size == made.path.stat().st_size
    for name in names - {journal.name}:
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_the_metadata_tells_how_the_trace_came_to_be(tmp_path: Path) -> None:
    """trace_metadata.json repeats the journal's facts and adds counts and sources."""
    script = tmp_path / "demo.py"
    script.write_bytes(b"x = 1\ny = 2\n")
    journal = recording(str(script)).write(
        tmp_path, metadata={**METADATA, "main_script": str(script)}
    )
    made = materialise(journal, tmp_path)
    document = json.loads((tmp_path / "trace_metadata.json").read_text())
    assert (document["program"], document["args"], document["workdir"]) == ("demo.py", ["-v"], "/w")
    assert document["process_exit_status"] == {"code": 0, "label": None}
    assert document["recorder"] == {
        "name": "codetracer-core",
        "version": "0.1.0",
        "target_script": str(script),
    }
    assert document["interpreter"] == METADATA["interpreter"]
    assert document["trace_filter"]["stats"] == END["trace_filter_stats"]
    assert document["trace_filter"]["filters"][0]["sha256"] == "ab" * 32
    assert document["counts"]["steps"] == made.steps == 4
    assert document["counts"]["calls"] == made.calls == 2
    assert document["complete"] is True
    digest = hashlib.sha256(script.read_bytes()).hexdigest()
    assert document["sources"] == [{"path": str(script), "sha256": digest, "lines": 3}]
    assert json.loads((tmp_path / "trace_paths.json").read_text()) == [str(script)]


def test_losses_are_counted(tmp_path: Path) -> None:
    """What values lack is counted once where it was recorded, not at each step that shows it."""
    builder = Builder()
    builder.call(Function(0, "f", slots=("a", "b", "c", "d")))
    cut = [naive.Cut("str", 9, "x"), naive.Cut("list", 9, [1]), naive.Cut("int", 900, False)]
    builder.step(1, {0: cut, 1: naive.Absent("redacted"), 2: naive.Absent("omitted")})
    builder.step(2)
    builder.step(3, {3: naive.Absent("unknown")})
    builder.end(0x08, naive.Absent("dropped"))
    materialise(builder.write(tmp_path), tmp_path)
    counts = json.loads((tmp_path / "trace_metadata.json").read_text())["counts"]
    assert counts["values_cut"] == 3
    assert [
        counts[f"values_{why}"] for why in ("redacted", "omitted", "dropped", "unsupported")
    ] == [
        1,
        1,
        1,
        1,
    ]


def test_metadata_may_lack_everything(tmp_path: Path) -> None:
    """A journal whose metadata is empty gives a trace without those facts."""
    made = materialise(recording().write(tmp_path, metadata={}, end=None), tmp_path)
    document = json.loads((tmp_path / "trace_metadata.json").read_text())
    assert document["process_exit_status"] == {"code": None, "label": "<unfinished>"}
    assert document["complete"] is False
    trace = ct.load(made.path)
    assert trace.paths[0] == "<unknown>"
    assert trace.meta["filters"] == []


@pytest.mark.parametrize("value", [7, None, "text", ["x"], {"x": 1}, True])
def test_metadata_of_wrong_types_is_ignored(tmp_path: Path, value: object) -> None:
    """Whatever stands in the metadata, the trace is made."""
    metadata = dict.fromkeys([*METADATA, "trace_filter"], value)
    end = {"exit_status": value, "trace_filter_stats": value}
    ct.load(materialise(recording().write(tmp_path, metadata=metadata, end=end), tmp_path).path)
    filters = {"trace_filter": {"filters": [value, {"path": value, "sha256": value}]}}
    ct.load(materialise(recording().write(tmp_path, metadata=filters), tmp_path).path)


def test_a_program_with_odd_bytes_in_its_arguments_is_described(tmp_path: Path) -> None:
    """Lone surrogates in metadata are escaped in the container."""
    metadata = {**METADATA, "args": ["\udc80"], "program": "a\udcff.py"}
    meta = ct.load(materialise(recording().write(tmp_path, metadata=metadata), tmp_path).path).meta
    assert meta["args"] == ["\\udc80"]
    assert meta["program"] == "a\\udcff.py"


def test_the_product_reads_what_it_made(tmp_path: Path) -> None:
    """The random-access reader finds the steps that the second decoder finds."""
    made = materialise(recording(steps=5000).write(tmp_path), tmp_path)
    found = ct.load(made.path)
    with Trace(made.path) as trace:
        assert len(trace) == made.steps == len(found.steps)
        for number in (0, 1, 4095, 4096, 5000):
            step = trace.step(number)
            assert (str(step.path), step.line) == ("/w/demo.py", found.steps[number]["line"])


def test_an_older_trace_is_replaced(tmp_path: Path) -> None:
    """Materialising again gives the same container."""
    journal = recording().write(tmp_path)
    first = materialise(journal, tmp_path).path.read_bytes()
    (tmp_path / "trace.ct").write_bytes(b"old")
    assert materialise(journal, tmp_path).path.read_bytes() == first


def test_progress_rises_to_its_end(tmp_path: Path) -> None:
    """Progress is reported in whole chunks, twice the number of chunks in all."""
    builder = recording()
    for _ in range(4):
        builder.seal()
    seen: list[tuple[int, int]] = []
    materialise(
        builder.write(tmp_path), tmp_path, progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(done, 10) for done in range(1, 11)]


def test_an_error_in_progress_leaves_nothing(tmp_path: Path) -> None:
    """An exception from the caller's progress, such as Ctrl-C, ends the work cleanly."""

    def progress(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    journal = recording().write(tmp_path)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(KeyboardInterrupt):
        materialise(journal, tmp_path, progress=progress)
    assert [path.name for path in tmp_path.iterdir()] == [journal.name]
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """An output folder that does not exist gives one clear error."""
    journal = recording().write(tmp_path)
    with pytest.raises(EnvironmentError_) as caught:
        materialise(journal, tmp_path / "missing")
    assert caught.value.code == "ERR_IO"
    assert str(tmp_path / "missing") in caught.value.context["path"]


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    """The journal is checked before anything is written."""
    (tmp_path / "x.ctj").write_bytes(b"nothing")
    with pytest.raises(TraceError):
        materialise(tmp_path / "x.ctj", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["x.ctj"]


@pytest.mark.parametrize("limit", [0, 5_000, 20_000, 100_000])
def test_a_full_disk_leaves_only_the_journal(tmp_path: Path, limit: int) -> None:
    """When a file cannot grow, the error says so and no part of a trace stays."""
    builder = recording(steps=50)
    for number in range(2000):
        builder.call(Function(1, "f", slots=("x", "y")), {0: "é" * 100 + str(number), 1: number})
        builder.end(0x08, str(number) * 30)
    journal = builder.write(tmp_path)
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            materialise(journal, tmp_path)
        except EnvironmentError_ as error:
            status = 0 if error.code == "ERR_IO" else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert [path.name for path in tmp_path.iterdir()] == [journal.name]
