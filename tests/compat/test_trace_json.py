"""``trace.json``: the same story as the recorder of PyPI tells, in the same records."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from codetracer_core.ctfs import streams
from codetracer_core.errors import EnvironmentError_, TraceError
from codetracer_core.trace_json import events, write_trace_json
from compat.programs import PROGRAMS
from event_array import EventArray
from reference_wheel import MODULE, clean_environment, run_compatible, run_reference


def record(folder: Path, source: str, name: str = "trace") -> Path:
    """Record `source` into ``folder/name`` as a ``.ct``; return that folder."""
    script = folder / "program.py"
    script.write_text(source, encoding="utf-8")
    words = ["-m", "codetracer_core", "record", "-q", "--out-dir", str(folder / name), str(script)]
    subprocess.run([sys.executable, *words], env=clean_environment(), check=False)
    return folder / name


def agreed(ours: Any, theirs: Any) -> Any:
    """`ours` with the text of `theirs` where that is all they tell of an object."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return {name: agreed(value, theirs.get(name)) for name, value in ours.items()}
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        if theirs[:1] == ("Raw",) and ours[:1] == ("Sequence",):
            return theirs
        if len(ours) == len(theirs):
            return tuple(map(agreed, ours, theirs))
    return ours


def written(folder: Path, source: str) -> EventArray:
    """What ``trace.json`` says about a recording of `source`."""
    trace = record(folder, source)
    return EventArray.read(write_trace_json(trace / "trace.ct", trace))


@pytest.fixture(params=sorted(PROGRAMS), scope="module")
def told_twice(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[EventArray, EventArray]:
    """One program as the recorder of PyPI and as ours tell it."""
    tmp_path = tmp_path_factory.mktemp("told")
    script = tmp_path / "program.py"
    script.write_text(PROGRAMS[request.param], encoding="utf-8")
    arrays = []
    for run in (run_reference, run_compatible):
        out = tmp_path / run.__name__
        run(["-m", MODULE, "--trace-dir", out, "--format", "json", script], tmp_path)
        arrays.append(EventArray.read(out / "trace.json"))
    return arrays[0], arrays[1]


def test_calls_returns_and_lines_are_those_of_the_recorder_of_pypi(
    told_twice: tuple[EventArray, EventArray],
) -> None:
    """Both arrays have the same calls with arguments, steps and returns in the same order."""
    theirs, ours = told_twice
    assert list(map(agreed, ours.flow, theirs.flow)) == theirs.flow
    assert ours.functions == theirs.functions
    assert ours.paths == theirs.paths


def test_variables_are_those_of_the_recorder_of_pypi(
    told_twice: tuple[EventArray, EventArray],
) -> None:
    """Each variable at each step has the same value in both, as far as both tell it."""
    theirs, ours = told_twice
    differing = [
        (ours.flow[step], name, value, theirs.variables[step].get(name))
        for step, variables in ours.variables.items()
        for name, value in variables.items()
        if agreed(value, theirs.variables[step].get(name)) != theirs.variables[step].get(name)
    ]
    assert not differing


def test_every_call_returns_once_also_between_threads(tmp_path: Path) -> None:
    """Calls of threads that take turns begin and end once each, with their own results."""
    array = written(
        tmp_path,
        "import threading, time\n"
        "def work(n):\n"
        "    total = 0\n"
        "    for i in range(n):\n"
        "        total += i\n"
        "        time.sleep(0.002)\n"
        "    return total\n"
        "threads = []\n"
        "for n in (3, 4, 5): threads.append(threading.Thread(target=work, args=(n,)))\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n",
    )
    entered = [item for item in array.flow if item[0] == "call"]
    left = [item for item in array.flow if item[0] == "return"]
    assert [item[1] for item in entered] == ["<toplevel>", "<__main__>", *["work"] * 3]
    results = sorted(value[1] for _, value in left if value[0] == "Int")
    assert results == [0, 3, 6, 10]
    assert len(left) == len(entered)


def test_what_is_thrown_into_a_coroutine_goes_on_with_what_waits_for_it(tmp_path: Path) -> None:
    """In a session begun by the program, too, each coroutine is entered once with the exception."""
    (tmp_path / "work.py").write_text(PROGRAMS["coroutines"], encoding="utf-8")
    (tmp_path / "start.py").write_text(
        f"import {MODULE} as recorder\n"
        "with recorder.trace('out', format='json'):\n    import work\n",
        encoding="utf-8",
    )
    run_compatible(["start.py"], tmp_path)
    array = EventArray.read(tmp_path / "out" / "trace.json")
    thrown = [item for item in array.flow if item[0] == "call" and "exception" in item[2]]
    assert [item[1:] for item in thrown] == [
        (name, {"exception": ("Raw", "boom", ())}) for name in ("checkpoint", "work")
    ]
    assert len([item for item in array.flow if item[:2] == ("call", "work")]) == 4


def test_two_functions_of_one_name_stay_two(tmp_path: Path) -> None:
    """A function that takes the place of another of its name has a number and line of its own."""
    array = written(tmp_path, "def f():\n    pass\nf()\ndef f():\n    pass\nf()\n")
    assert [function[2] for function in array.functions if function[0] == "f"] == [1, 4]


def test_odd_texts_give_valid_json(tmp_path: Path) -> None:
    """Control characters, quotes, lone surrogates and other scripts survive as JSON strings."""
    array = written(
        tmp_path,
        'größe = "\\x00\\x1f\\"\\\\\\u2028\\ud800"\nname = "\\U0001f600\\x7f"\nlast = 1\n',
    )
    final = array.variables[max(array.variables)]
    assert final["name"] == ("String", "\U0001f600\x7f", ())
    assert final["größe"][0] == "Raw"
    assert str(final["größe"][1]).startswith('\x00\x1f"\\\u2028')


def test_metadata_and_paths_stand_beside_the_events(tmp_path: Path) -> None:
    """Metadata tell program, arguments, folder, filters and exit; paths are those of the events."""
    trace = record(tmp_path, "import sys\nsys.exit(4)\n")
    out = tmp_path / "elsewhere"
    out.mkdir()
    array = EventArray.read(write_trace_json(trace / "trace.ct", out))
    metadata = json.loads((out / "trace_metadata.json").read_bytes())
    assert metadata["program"] == str(tmp_path / "program.py")
    assert metadata["args"] == []
    assert metadata["process_exit_status"] == {"code": 4, "label": None}
    assert metadata["trace_filter"]["filters"][0]["path"] == "<inline:builtin-default>"
    assert set(metadata["trace_filter"]["stats"]) >= {"scopes_skipped", "value_redactions"}
    assert json.loads((out / "trace_paths.json").read_bytes()) == array.paths
    assert array.flow[-1] == ("return", ("Int", 4, ()))


def test_a_trace_alone_gives_its_metadata(tmp_path: Path) -> None:
    """Without the metadata beside it the container tells the program, its end and its filters."""
    trace = record(tmp_path, "x = 1\n")
    alone = tmp_path / "alone"
    alone.mkdir()
    (trace / "trace.ct").rename(alone / "trace.ct")
    write_trace_json(alone / "trace.ct", alone)
    metadata = json.loads((alone / "trace_metadata.json").read_bytes())
    assert metadata["program"] == str(tmp_path / "program.py")
    assert metadata["process_exit_status"] == {"code": 0, "label": None}
    assert [used["path"] for used in metadata["trace_filter"]["filters"]] == [
        "<inline:builtin-default>"
    ]


def test_the_trace_of_a_killed_program_ends_as_unfinished(tmp_path: Path) -> None:
    """What a killed program leaves becomes an array in which every call has its return."""
    source = f"import os\ndef f(n):\n    os.kill(os.getpid(), {int(signal.SIGKILL)})\nf(1)\n"
    trace = record(tmp_path, source)
    words = ["-m", "codetracer_core", "show", "--calls", str(trace)]
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    array = EventArray.read(write_trace_json(trace / "trace.ct", trace))
    kinds = [item[0] for item in array.flow]
    assert kinds.count("call") == kinds.count("return") == 3
    assert array.flow[-1] == ("return", ("String", "<unfinished>", ()))


def test_secrets_stay_redacted(tmp_path: Path) -> None:
    """A redacted variable is an error of the type Redacted, and its value is nowhere."""
    trace = record(tmp_path, 'def f(password):\n    return 1\nf("correct horse")\n')
    path = write_trace_json(trace / "trace.ct", trace)
    array = EventArray.read(path)
    (call,) = [item for item in array.flow if item[:2] == ("call", "f")]
    assert call[2]["password"] == ("Error", "<redacted>", ())
    assert "Redacted" in [kind["lang_type"] for kind in array.types]
    assert b"correct horse" not in path.read_bytes()


def test_a_failed_write_leaves_the_older_file(tmp_path: Path) -> None:
    """When the array cannot be written the error says so, and nothing half-written is left."""
    trace = record(tmp_path, "x = 1\n")
    out = tmp_path / "out"
    (out / "trace.json").mkdir(parents=True)
    with pytest.raises(EnvironmentError_) as caught:
        write_trace_json(trace / "trace.ct", out)
    assert caught.value.code == "ERR_IO"
    assert sorted(os.listdir(out)) == ["trace.json", "trace_metadata.json", "trace_paths.json"]


def test_a_damaged_trace_is_refused(tmp_path: Path) -> None:
    """A file that is no trace raises TraceError, and no array is written."""
    (tmp_path / "trace.ct").write_bytes(b"not a trace")
    with pytest.raises(TraceError):
        write_trace_json(tmp_path / "trace.ct", tmp_path)
    assert not (tmp_path / "trace.json").exists()


def test_memory_does_not_grow_with_the_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three times as many steps need hardly more memory, once the caches are full."""
    monkeypatch.setattr(streams, "_CACHE_WEIGHT", 1 << 14)
    monkeypatch.setattr(events, "_KEPT", 128)
    peaks = []
    for turns in (1_500, 4_500):
        trace = record(
            tmp_path, f"def f():\n    for i in range({turns}):\n        x = i\nf()\n", str(turns)
        )
        tracemalloc.start()
        write_trace_json(trace / "trace.ct", trace)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]
