"""Misuse and failures: one line with a code and a remedy, the right status, no traceback."""

from __future__ import annotations

import json
import os
import re
import stat
from typing import TYPE_CHECKING

import pytest

from core.recorder.support import NEEDS_MONITORING
from integration.recording import recorder, write_files

if TYPE_CHECKING:
    from pathlib import Path

GOOD_FILTER = """\
[meta]
name = "good"
version = 1
[scope]
default_exec = "inherit"
default_value_action = "inherit"
"""

MISUSES: dict[str, tuple[list[str], str]] = {
    "no command": ([], "ERR_COMMAND_LINE"),
    "unknown command": (["play"], "ERR_COMMAND_LINE"),
    "unknown option": (["record", "--fast", "ok.py"], "ERR_COMMAND_LINE"),
    "unknown short option": (["record", "-x", "ok.py"], "ERR_COMMAND_LINE"),
    "option without value": (["record", "--out-dir"], "ERR_COMMAND_LINE"),
    "value for a flag": (["record", "--quiet=1", "ok.py"], "ERR_COMMAND_LINE"),
    "folder without a name": (["record", "--out-dir", "", "ok.py"], "ERR_COMMAND_LINE"),
    "filter without a name": (["record", "--trace-filter", "", "ok.py"], "ERR_COMMAND_LINE"),
    "filters without names": (["record", "--trace-filter", " :: ", "ok.py"], "ERR_COMMAND_LINE"),
    "filter without an end": (
        ["record", "--trace-filter", "/dev/zero", "ok.py"],
        "ERR_FILTER_NOT_FOUND",
    ),
    "no program": (["record"], "ERR_NO_PROGRAM"),
    "no module": (["record", "-m"], "ERR_NO_PROGRAM"),
    "no code": (["record", "-c"], "ERR_NO_PROGRAM"),
    "missing script": (["record", "gone.py"], "ERR_SCRIPT_NOT_FOUND"),
    "script below a file": (["record", "ok.py/x.py"], "ERR_SCRIPT_NOT_FOUND"),
    "bytecode of another version": (["record", "old.pyc"], "ERR_SCRIPT_NOT_FOUND"),
    "missing filter": (["record", "--trace-filter", "gone.toml", "ok.py"], "ERR_FILTER_NOT_FOUND"),
    "filter that is a folder": (["record", "--trace-filter", ".", "ok.py"], "ERR_FILTER_NOT_FOUND"),
    "filter that is no TOML": (
        ["record", "--trace-filter", "broken.toml", "ok.py"],
        "ERR_FILTER_SYNTAX",
    ),
    "filter of two mistakes": (
        ["record", "--trace-filter", "wrong.toml", "ok.py"],
        r"ERR_FILTER_\w+",
    ),
    "folder that is a file": (["record", "-o", "ok.py", "ok.py"], "ERR_TRACE_DIR_CONFLICT"),
    "folder with a foreign trace": (["record", "-o", "foreign", "ok.py"], "ERR_TRACE_DIR_CONFLICT"),
    "nothing to show": (["show"], "ERR_COMMAND_LINE"),
    "two things to show": (["show", "a", "b"], "ERR_COMMAND_LINE"),
    "missing trace": (["show", "gone"], "ERR_TRACE_NOT_FOUND"),
    "folder without a trace": (["show", "empty"], "ERR_TRACE_NOT_FOUND"),
    "range that is none": (["show", "--steps", "a:b", "empty"], "ERR_COMMAND_LINE"),
    "range of three": (["show", "--steps", "1:2:3", "empty"], "ERR_COMMAND_LINE"),
    "unknown format": (["show", "--format", "xml", "empty"], "ERR_COMMAND_LINE"),
    "root without a sign": (["show", "--source-root", "a", "empty"], "ERR_COMMAND_LINE"),
}

FAILURES: dict[str, tuple[list[str], str]] = {
    "folder that cannot be made": (
        ["record", "-o", "/proc/no/such", "ok.py"],
        "ERR_TRACE_DIR_CREATE_FAILED",
    ),
    "folder below a file": (["record", "-o", "ok.py/out", "ok.py"], "ERR_TRACE_DIR_CREATE_FAILED"),
    "folder that takes no files": (
        ["record", "-o", "/proc/self", "ok.py"],
        "ERR_TRACE_DIR_NOT_WRITABLE",
    ),
    "file that is no trace": (["show", "ok.py"], "ERR_TRACE_FORMAT"),
    "trace that is cut": (["show", "cut.ct"], r"ERR_TRACE_\w+"),
    "journal that is none": (["show", "journal"], "ERR_JOURNAL_FORMAT"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with everything that the command lines name."""
    write_files(
        tmp_path,
        {
            "ok.py": "print('ran')\n",
            "old.pyc": b"\0\0\0\0 and so on",
            "broken.toml": "[meta\n",
            "wrong.toml": GOOD_FILTER.replace("good", " ") + "[nonsense]\n",
            "good.toml": GOOD_FILTER,
            "foreign/trace.ct": "mine",
            "empty/file": "",
            "cut.ct": b"\xc0\xde\x72\xac\xe2\x04\0\0",
            "journal/trace.0199d3a2-0000-7000-8000-000000000000.ctj": b"CTJOURNL",
        },
    )
    return tmp_path


def the_error(words: list[str], folder: Path, status: int, code: str) -> str:
    """Run the command, check the form of its failure, and return the line."""
    before = sorted(path.relative_to(folder) for path in folder.rglob("*"))
    done = recorder(words, folder)
    (line,) = done.stderr.decode().splitlines()
    assert re.match(rf"codetracer-core: error: \[{code}\] [^ ]", line), line
    assert done.returncode == status
    assert done.stdout == b"", "the program must not run"
    assert sorted(path.relative_to(folder) for path in folder.rglob("*")) == before
    return line


@pytest.mark.parametrize("name", MISUSES)
def test_a_misuse_is_one_line_and_status_2(name: str, folder: Path) -> None:
    """The program does not run, and no file or folder appears."""
    words, code = MISUSES[name]
    the_error(words, folder, 2, code)


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_one_line_and_status_1(name: str, folder: Path) -> None:
    """The program does not run, and no file or folder appears."""
    words, code = FAILURES[name]
    the_error(words, folder, 1, code)


def test_an_invalid_setting_in_the_environment_is_a_misuse(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is named."""
    monkeypatch.setenv("CODETRACER_MAX_ITEMS", "many")
    line = the_error(["record", "ok.py"], folder, 2, "ERR_INVALID_POLICY_VALUE")
    assert "CODETRACER_MAX_ITEMS" in line


def test_an_unreadable_filter_names_the_file(folder: Path) -> None:
    """All problems of a filter are in the line, each with its place."""
    line = the_error(
        ["record", "--trace-filter", "wrong.toml", "ok.py"], folder, 2, r"ERR_FILTER_\w+"
    )
    assert line.count(f"{folder / 'wrong.toml'}:") >= 2


def test_programs_get_the_failure_as_json_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the setting on, the line for people is followed by one for programs."""
    monkeypatch.setenv("CODETRACER_JSON_ERRORS", "on")
    done = recorder(["record", "gone.py"], folder)
    human, trailer = done.stderr.decode().splitlines()
    assert "ERR_SCRIPT_NOT_FOUND" in human
    assert json.loads(trailer)["error_code"] == "ERR_SCRIPT_NOT_FOUND"
    assert json.loads(trailer)["error_kind"] == "Usage"


def test_a_filter_named_twice_is_warned_about_in_the_log(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program is recorded; the log file has one line, and the program's streams none."""
    monkeypatch.setenv("CODETRACER_LOG_FILE", os.fspath(folder / "log"))
    words = ["--trace-filter", "good.toml", "--trace-filter", "good.toml", "-o", "out", "ok.py"]
    done = recorder(["record", "-q", *words], folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"ran\n", b"")
    (line,) = (folder / "log").read_text().splitlines()
    entry = json.loads(line)
    assert entry["level"] == "WARN"
    assert "good.toml" in entry["message"]
    (journal,) = (folder / "out").glob("trace.*.ctj")
    assert journal.name == f"trace.{entry['trace_id']}.ctj"


@NEEDS_MONITORING
def test_no_free_monitoring_tool_is_a_misuse(folder: Path) -> None:
    """The program is not run unrecorded when recording cannot start."""
    write_files(
        folder,
        {
            "sitecustomize.py": "import sys\n"
            "for number in (3, 4, 5):\n    sys.monitoring.use_tool_id(number, 'taken')\n"
        },
    )
    environment = {"PYTHONPATH": os.fspath(folder)}
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "codetracer_core", "record", "-o", "out", "ok.py"],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == b""
    assert re.fullmatch(rb"codetracer-core: error: \[ERR_\w+\] .+\n", done.stderr)
    assert not (folder / "out").exists()


def test_help_and_version_are_no_errors(folder: Path) -> None:
    """They go to standard output, with examples, and exit 0."""
    for words in (["--help"], ["-h"], ["record", "--help"], ["show", "-h"]):
        done = recorder(words, folder)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"usage: codetracer-core" in done.stdout
        assert b"examples:" in done.stdout
    done = recorder(["--version"], folder)
    assert re.fullmatch(rb"codetracer-core \d+\.\d+\.\d+\n", done.stdout)


def test_a_trace_that_cannot_be_finished_turns_success_into_failure(folder: Path) -> None:
    """The program's output is kept, its status 0 becomes 1, and the line says what to do."""
    write_files(folder, {"block.py": "import os\nprint('ran')\nos.mkdir('out/trace.ct')\n"})
    done = recorder(["record", "-o", "out", "block.py"], folder)
    assert done.stdout == b"ran\n"
    assert done.returncode == 1
    (line,) = done.stderr.decode().splitlines()
    assert "error: [ERR_IO]" in line


def test_a_failing_program_keeps_its_own_status_when_its_trace_fails_too(folder: Path) -> None:
    """Only a status of 0 is changed."""
    write_files(folder, {"block.py": "import os\nos.mkdir('out/trace.ct')\nraise SystemExit(7)\n"})
    assert recorder(["record", "-o", "out", "block.py"], folder).returncode == 7


def test_a_replaced_standard_error_gets_no_line_of_ours(folder: Path) -> None:
    """A program that gives descriptor 2 to a file of its own finds only its own text there."""
    source = "import os\nfd = os.open('log', os.O_CREAT | os.O_WRONLY)\nos.dup2(fd, 2)\n"
    write_files(folder, {"daemon.py": source + "os.write(2, b'mine')\n"})
    done = recorder(["record", "-o", "out", "daemon.py"], folder)
    assert done.returncode == 0
    assert (folder / "log").read_bytes() == b"mine"


def test_the_folder_of_a_trace_is_private(folder: Path) -> None:
    """Values of a program are for its user's eyes only."""
    recorder(["record", "-q", "-o", "out", "ok.py"], folder)
    assert stat.S_IMODE((folder / "out").stat().st_mode) == 0o700
    for file in (folder / "out").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
