"""Programs that record themselves because ``CODETRACER_TRACE`` is set."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from integration.recording import (
    auto_record,
    record,
    recorder,
    run_plain,
    with_auto_start,
    write_files,
)
from naive import ct
from reference_wheel import require_reference

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROGRAM = """\
import sys
def work(n):
    return n + 1
print(work(len(sys.argv)))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a program."""
    write_files(tmp_path / "program", {"main.py": PROGRAM})
    return tmp_path / "program"


def status_of(out_dir: Path) -> object:
    """How the trace in `out_dir` says that the process ended."""
    metadata = json.loads((out_dir / "trace_metadata.json").read_bytes())
    return metadata["process_exit_status"]


def test_the_main_module_is_recorded_from_its_first_line_and_nothing_before_it(
    folder: Path, tmp_path: Path
) -> None:
    """Neither ``site`` and what it runs nor the recorder's own start is in the trace."""
    done = auto_record(["main.py", "x"], folder, tmp_path / "out")
    assert (done.stdout, done.stderr, done.returncode) == (b"3\n", b"", 0)
    trace = ct.load(tmp_path / "out" / "trace.ct")
    assert [call["function"] for call in trace.calls[1:]] == ["<__main__>", "work"]
    assert trace.steps[0]["line"] == 1
    assert {step["path"] for step in trace.steps} == {str(folder / "main.py")}
    assert trace.meta["program"] == "main.py"
    assert trace.meta["args"] == ["x"]


@pytest.mark.parametrize(
    ("words", "stdin"),
    [
        (["-c", PROGRAM, "x"], b""),
        ([f"-Bc{PROGRAM}", "x"], b""),
        (["-", "x"], PROGRAM.encode()),
    ],
)
def test_programs_that_are_in_no_file_are_recorded(
    words: list[str], stdin: bytes, folder: Path, tmp_path: Path
) -> None:
    """Those of ``-c`` and of standard input, but no other code of their names."""
    stdin += b"exec('hidden = 1')\n" if stdin else b""
    done = auto_record(words, folder, tmp_path / "out", stdin)
    assert (done.stdout, done.stderr, done.returncode) == (b"3\n", b"", 0)
    trace = ct.load(tmp_path / "out" / "trace.ct")
    assert [call["function"] for call in trace.calls[1:]] == ["<__main__>", "work"]
    assert {step["path"] for step in trace.steps} == {"<stdin>" if stdin else "<string>"}


@pytest.mark.parametrize("options", [["-E"], ["-I"], ["-S"]])
def test_options_that_ignore_the_environment_ignore_the_variable(
    options: list[str], folder: Path, tmp_path: Path
) -> None:
    """So does an interpreter that does not import ``site``."""
    line = (tmp_path / "program").with_name("program customs")
    with_auto_start(folder)
    # With these options PYTHONPATH is ignored too, so the line is run as if it had been installed.
    code = "" if options == ["-S"] else (line / "sitecustomize.py").read_text()
    (folder / "isolated.py").write_text(f"{code}\nprint('ran')\n")
    done = auto_record([*options, "isolated.py"], folder, tmp_path / "out")
    assert (done.stdout, done.stderr) == (b"ran\n", b"")
    assert not (tmp_path / "out").exists()


def test_an_empty_variable_asks_for_nothing(folder: Path) -> None:
    """Empty means unset."""
    done = run_plain(["main.py"], folder, b"", with_auto_start(folder, {"CODETRACER_TRACE": ""}))
    assert done.stdout == b"2\n"
    assert [path.name for path in folder.iterdir()] == ["main.py"]


def test_filter_and_format_come_from_the_environment_too(folder: Path, tmp_path: Path) -> None:
    """Any format that there is, and a filter that skips a function."""
    rules = (
        '[meta]\nname = "mine"\nversion = 1\n'
        '[scope]\ndefault_exec = "inherit"\ndefault_value_action = "inherit"\n'
        '[[scope.rules]]\nselector = "obj:*work"\nexec = "skip"\n'
    )
    write_files(tmp_path, {"mine.toml": rules})
    more = {
        "CODETRACER_TRACE_FILTER": str(tmp_path / "mine.toml"),
        "CODETRACER_FORMAT": "JSON",
    }
    done = auto_record(["main.py"], folder, tmp_path / "out", b"", more)
    assert (done.stdout, done.stderr) == (b"2\n", b"")
    events = json.loads((tmp_path / "out" / "trace.json").read_bytes())
    functions = [event["Function"]["name"] for event in events if "Function" in event]
    assert "<__main__>" in functions
    assert "work" not in functions


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"CODETRACER_FORMAT": "xml"}, b"ERR_UNSUPPORTED_FORMAT"),
        ({"CODETRACER_TRACE_FILTER": "missing.toml"}, b"ERR_FILTER_NOT_FOUND"),
        ({"CODETRACER_MAX_ITEMS": "many"}, b"ERR_INVALID_POLICY_VALUE"),
        ({"CODETRACER_TRACE": "main.py"}, b"ERR_TRACE_DIR_CONFLICT"),
    ],
)
def test_a_recording_that_cannot_start_is_reported_once_and_the_program_runs(
    more: dict[str, str], code: bytes, folder: Path, tmp_path: Path
) -> None:
    """One line with a code on standard error; status and output are the program's."""
    done = auto_record(["main.py"], folder, tmp_path / "out", b"", more)
    assert (done.stdout, done.returncode) == (b"2\n", 0)
    (line,) = done.stderr.splitlines()
    assert line.startswith(b"codetracer-core: error: [" + code)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "setting", [{"CODETRACER_REQUIRE_TRACE": "on"}, {"CODETRACER_ON_RECORDER_ERROR": "abort"}]
)
def test_a_program_that_must_be_recorded_does_not_run_without(
    setting: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    """It ends before its first line, with the status that ``record`` would give."""
    more = {"CODETRACER_FORMAT": "xml", **setting}
    done = auto_record(["main.py"], folder, tmp_path / "out", b"", more)
    assert (done.stdout, done.returncode) == (b"", 2)
    assert len(done.stderr.splitlines()) == 1


def test_the_trace_is_finished_after_an_exception_that_nobody_caught(
    folder: Path, tmp_path: Path
) -> None:
    """It says how the program ended, as far as that can be told at the interpreter's end."""
    ends = {
        "1 / 0\n": {"code": 1, "label": None},
        "raise KeyboardInterrupt\n": {"code": None, "label": "<SIGINT>"},
        "raise SystemExit(3)\n": {"code": None, "label": "<exit>"},
    }
    for number, (source, status) in enumerate(ends.items()):
        write_files(folder, {"main.py": source})
        auto_record(["main.py"], folder, tmp_path / f"out{number}")
        assert status_of(tmp_path / f"out{number}") == status


def test_the_journal_of_a_terminated_program_is_complete(folder: Path, tmp_path: Path) -> None:
    """No signal handler is installed, and showing the folder makes the trace."""
    source = (
        "import os, signal, time\nprint(signal.getsignal(signal.SIGTERM))\n"
        "last = 'the end'\nos.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(9)\n"
    )
    write_files(folder, {"main.py": source})
    done = auto_record(["main.py"], folder, tmp_path / "out")
    assert (done.returncode, done.stderr) == (-15, b"")
    shown = recorder(["show", str(tmp_path / "out")], tmp_path)
    assert b"last = 'the end'" in shown.stdout


def test_children_record_into_folders_of_their_own(folder: Path, tmp_path: Path) -> None:
    """They inherit the variable; helpers in which no code of the program runs leave nothing."""
    source = (
        "import multiprocessing, subprocess, sys\n"
        "def square(n):\n    return n * n\n"
        "if __name__ == '__main__':\n"
        "    subprocess.run([sys.executable, 'child.py'], check=True)\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(pool.map(square, [2, 3]))\n"
        "        pool.close()\n        pool.join()\n"
    )
    write_files(folder, {"main.py": source, "child.py": "print('child')\n"})
    done = auto_record(["main.py"], folder, tmp_path / "out")
    assert (done.stdout, done.stderr, done.returncode) == (b"child\n[4, 9]\n", b"", 0)
    traces = {}
    for path in (tmp_path / "out").rglob("trace.ct"):
        trace = ct.load(path)
        traces[path.parent.name] = {call["function"] for call in trace.calls}
        assert path.parent == tmp_path / "out" or path.parent.name.isdigit()
    assert len(traces) == 3
    assert sum("square" in functions for functions in traces.values()) == 1
    assert ct.load(tmp_path / "out" / "trace.ct").meta["program"] == "main.py"


def test_commands_of_the_recorder_do_not_record_themselves(folder: Path, tmp_path: Path) -> None:
    """With the variable set a trace can be shown, and a program recorded somewhere else."""
    auto_record(["main.py"], folder, tmp_path / "out")
    before = sorted(path.name for path in (tmp_path / "out").iterdir())
    environment = os.environ | with_auto_start(folder, {"CODETRACER_TRACE": str(tmp_path / "out")})
    command = [sys.executable, "-m", "codetracer_core"]
    for words in (["show", str(tmp_path / "out")], ["record", "-q", "-o", "other", "main.py"]):
        done = subprocess.run(
            [*command, *words], cwd=folder, env=environment, capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, b"")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == before
    assert len(ct.load(folder / "other" / "trace.ct").calls) == 3


def test_a_program_that_records_itself_as_well_is_told_so(folder: Path, tmp_path: Path) -> None:
    """It may stop the session that the environment has started, and start another."""
    source = (
        "import codetracer_core\nprint(codetracer_core.is_tracing())\n"
        "try:\n    codetracer_core.start('own')\n"
        "except RuntimeError as error:\n    print(error.code)\n"
        "codetracer_core.stop()\n"
        "with codetracer_core.trace('own'):\n    x = 1\n"
    )
    write_files(folder, {"main.py": source})
    done = auto_record(["main.py"], folder, tmp_path / "out")
    assert done.stderr == b""
    assert done.stdout == b"True\nERR_ALREADY_TRACING\n"
    for trace in (tmp_path / "out" / "trace.ct", folder / "own" / "trace.ct"):
        assert len(ct.load(trace).steps) > 1


def test_an_interactive_interpreter_is_as_it_always_is(folder: Path, tmp_path: Path) -> None:
    """Prompts, results and the last value of an exception."""
    text = b"1 + 1\nimport main\nmain.work(4)\n1 / 0\nprint('on')\n"
    words = ["-i", "-q"]
    plain = run_plain(words, folder, text, with_auto_start(folder))
    recorded = auto_record(words, folder, tmp_path / "out", text)
    assert recorded.stdout == plain.stdout
    assert recorded.stderr == plain.stderr
    assert recorded.returncode == plain.returncode == 0
    calls = [call["function"] for call in ct.load(tmp_path / "out" / "trace.ct").calls]
    assert calls.count("work") == 2


@pytest.mark.parametrize("way", [auto_record, record])
def test_the_recorder_of_pypi_stands_back(
    way: Callable[[list[str], Path, Path], subprocess.CompletedProcess[bytes]],
    folder: Path,
    tmp_path: Path,
) -> None:
    """It reads the same variable when it is imported, and two would take each other's tool id."""
    require_reference()
    source = (
        "import os, subprocess, sys\n"
        "import codetracer_python_recorder\n"
        "found = os.environ.get('CODETRACER_TRACE')\n"
        "print(codetracer_python_recorder.is_tracing(), found, flush=True)\n"
        "if not sys.argv[1:]:\n"
        "    subprocess.run([sys.executable, 'both.py', 'child'], check=True)\n"
    )
    write_files(folder, {"both.py": source})
    done = way(["both.py"], folder, tmp_path / "out")
    assert (done.stdout, done.stderr, done.returncode) == (b"False None\n" * 2, b"", 0)
    assert (tmp_path / "out" / "trace.ct").exists()
