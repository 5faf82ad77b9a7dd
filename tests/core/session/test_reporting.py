"""What sessions tell the log, the metrics and readers of trailers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import codetracer_core
from codetracer_core.errors import RecorderError
from codetracer_filter import TraceFilterEngine
from codetracer_log import CollectedMetrics, install_metrics, recorder_logger, use_stderr

FILTER = """
[meta]
name = "test"
version = 1

[scope]
default_exec = "skip"
default_value_action = "allow"

[[scope.rules]]
selector = "pkg:literal:subject"
exec = "trace"

[[scope.rules]]
selector = "obj:glob:*.skipped"
exec = "skip"

[[scope.rules]]
selector = "obj:glob:*.secret"
value_default = "redact"

[[scope.rules.value_patterns]]
selector = "ret:glob:*"
action = "drop"
"""
SUBJECT = """
def secret(key):
    return key

def skipped():
    return 1

def run(turns):
    for turn in range(turns):
        secret(turn)
    skipped()
    exec("answer = 42")
    return "long" * 1000
"""


@pytest.fixture(autouse=True)
def _as_found() -> Iterator[None]:
    yield
    recorder_logger().configure()
    use_stderr()


@pytest.fixture
def sink() -> Iterator[CollectedMetrics]:
    """Where the metrics of the test go."""
    mine = CollectedMetrics()
    before = install_metrics(mine)
    yield mine
    install_metrics(before)


@pytest.fixture
def subject(tmp_path: Path) -> dict[str, Any]:
    """The names of a module that can be recorded."""
    path = tmp_path / "subject.py"
    path.write_text(SUBJECT)
    names: dict[str, Any] = {"__name__": "subject"}
    exec(compile(SUBJECT, str(path), "exec"), names)
    return names


@pytest.fixture
def test_filter(tmp_path: Path) -> Path:
    path = tmp_path / "filter.toml"
    path.write_text(FILTER)
    return path


def entries(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def command(
    program: Path, out: Path, *options: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Record `program` with these options and variables, and no other variables of ours."""
    kept = {name: value for name, value in os.environ.items() if "CODETRACER" not in name}
    return subprocess.run(
        [sys.executable, "-m", "codetracer_core", "record", "-q", *options, "-o", out, program],
        env={**kept, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_counters_of_a_session_reach_the_sink(
    tmp_path: Path, sink: CollectedMetrics, subject: dict[str, Any], test_filter: Path
) -> None:
    """Steps, calls, bytes, cuts, redactions and drops are those of the recorded program."""
    with codetracer_core.trace(tmp_path / "out", trace_filter=test_filter):
        subject["run"](5)
    (counters,) = sink.sessions
    assert counters["calls"] == 6  # run and five times secret; not skipped
    assert counters["steps"] > 6 * 2
    assert counters["bytes"] > counters["steps"]
    assert counters["cuts"] == 1
    assert counters["redactions.arg"] == 5
    assert counters["drops.return"] == 5
    assert "stalls" not in counters
    assert sink.dropped_events["filter_scope_skip"] >= 1
    assert sink.dropped_events["synthetic_filename"] >= 1
    assert sink.dropped_events["filter_value_redacted.arg"] == 5
    assert sink.dropped_events["filter_value_dropped.return"] == 5
    assert sink.detaches == []
    assert sink.panics == {}


def test_a_contained_failure_is_counted_with_its_code(
    tmp_path: Path,
    sink: CollectedMetrics,
    subject: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A defect while recording is a detach, a contained failure and a line with a trailer."""
    with codetracer_core.trace(tmp_path / "out", policy={"json_errors": True}):
        monkeypatch.setattr(TraceFilterEngine, "resolve_query", None)
        subject["run"](1)
        monkeypatch.undo()
    assert sink.detaches == [("policy_disable", "ERR_UNKNOWN")]
    assert sink.panics == {"filter": 1}
    assert sink.dropped_events["filter_resolution_error"] == 1
    log_line, trailer = entries(capfd.readouterr().err)
    assert log_line["level"] == "ERROR"
    assert log_line["error_code"] == trailer["error_code"] == "ERR_UNKNOWN"
    assert list(trailer) == sorted(trailer)
    assert log_line["trace_id"] == trailer["trace_id"] is not None


@pytest.mark.parametrize(
    ("policy", "levels", "trailers"),
    [
        ({}, [], 0),
        ({"json_errors": True}, [], 1),
        ({"log_level": "debug"}, ["ERROR"], 0),
        ({"log_level": "debug", "json_errors": True}, ["ERROR"], 1),
        ({"log_level": "off", "json_errors": True}, [], 1),
    ],
)
def test_an_error_that_is_raised_is_reported_where_lines_are_asked_for(
    policy: dict[str, Any],
    levels: list[str],
    trailers: int,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A failing start leaves the program's standard error alone unless a setting says otherwise."""
    (tmp_path / "file").touch()
    with pytest.raises(RecorderError, match="ERR_TRACE_DIR_CONFLICT"):
        codetracer_core.start(tmp_path / "file", policy=policy)
    written = entries(capfd.readouterr().err)
    assert [line["level"] for line in written if "level" in line] == levels
    assert len([line for line in written if "error_kind" in line]) == trailers
    assert all(line["error_code"] == "ERR_TRACE_DIR_CONFLICT" for line in written)


def test_what_is_odd_about_filters_that_are_wrong_is_logged_with_them(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A chain that is refused is logged with its warnings, each with its code."""
    path = tmp_path / "filter.toml"
    path.write_text(FILTER.replace("obj:glob:*.skipped", "obj:regex:(a+)+$"))
    with pytest.raises(RecorderError, match="ERR_FILTER_PATTERN"):
        codetracer_core.start(
            tmp_path / "out", trace_filter=[path, path], policy={"log_level": "warn"}
        )
    written = [(line["level"], line["error_code"]) for line in entries(capfd.readouterr().err)]
    assert written == [
        ("ERROR", "ERR_FILTER_PATTERN"),
        ("WARN", "WARN_FILTER_REPEATED"),
        ("WARN", "WARN_FILTER_REGEX"),
    ]


def test_a_trace_that_is_missing_is_one_failure(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Stopping without the trace that is required is logged once and has one trailer."""
    log = tmp_path / "log"
    policy = {"json_errors": True, "require_trace": True, "log_file": log, "log_level": "error"}
    with pytest.raises(RecorderError, match="ERR_TRACE_MISSING") as caught:
        codetracer_core.start(tmp_path / "out", policy=policy).stop()
    (trailer,) = entries(capfd.readouterr().err)
    assert trailer["error_code"] == caught.value.code
    (line,) = entries(log.read_text())
    assert line["message"].startswith("stop: nothing was recorded")


def test_the_command_has_one_trailer_for_a_failure(tmp_path: Path) -> None:
    """What fails is said once for people and once for programs, and the log file has it, too."""
    program = tmp_path / "main.py"
    program.write_text("print('ran')\n")
    for out, status in ((program, 2), (tmp_path / "out", 0)):
        log = tmp_path / f"log-{status}"
        done = command(
            program, out, CODETRACER_JSON_ERRORS="on", CODETRACER_LOG_FILE=os.fspath(log)
        )
        assert done.returncode == status
        failures = 1 if status else 0
        assert len(entries(done.stderr)) == failures
        assert len(entries(log.read_text())) == failures
        assert done.stderr.count("codetracer-core: error: ") == failures


def test_a_variable_that_is_wrong_does_not_hide_the_others(tmp_path: Path) -> None:
    """Trailers are written also when the failure is another variable's."""
    program = tmp_path / "main.py"
    program.write_text("")
    done = command(
        program, tmp_path / "out", CODETRACER_JSON_ERRORS="on", CODETRACER_MAX_DEPTH="deep"
    )
    (trailer,) = entries(done.stderr)
    assert trailer["error_code"] == "ERR_INVALID_POLICY_VALUE"
    assert trailer["context"] == {"settings": "CODETRACER_MAX_DEPTH"}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], "ERR_SCRIPT_NOT_FOUND"),
        (["--max-depth", "deep"], "ERR_SCRIPT_NOT_FOUND"),
        (["--io-capture", "tty"], "ERR_SCRIPT_NOT_FOUND"),
        (["--no-such"], "ERR_COMMAND_LINE"),
    ],
)
def test_options_say_how_a_misuse_is_reported(
    options: list[str], code: str, tmp_path: Path
) -> None:
    """A trailer, and a line in the log file, are given by options that stand beside wrong ones."""
    log = tmp_path / "log"
    done = command(
        tmp_path / "gone.py",
        tmp_path / "out",
        "--json-errors",
        "--log-file",
        os.fspath(log),
        *options,
        CODETRACER_MAX_TEXT="long",
    )
    assert done.returncode == 2
    (trailer,) = entries(done.stderr)
    assert trailer["error_code"] == code
    if "--io-capture" not in options:  # whose value is not read before the others'
        assert [line["error_code"] for line in entries(log.read_text())] == [code]


def test_settings_of_the_log_that_cannot_be_used_are_warned_about(tmp_path: Path) -> None:
    """The program is recorded, and each warning belongs to the session."""
    program = tmp_path / "main.py"
    program.write_text("print('ran')\n")
    done = command(
        program, tmp_path / "out", CODETRACER_LOG="loud", CODETRACER_LOG_FILE=os.fspath(tmp_path)
    )
    assert (done.returncode, done.stdout) == (0, "ran\n")
    warnings = entries(done.stderr)
    assert [line["error_code"] for line in warnings] == ["ERR_IO", "ERR_INVALID_LOG_SPEC"]
    (journal,) = (tmp_path / "out").glob("trace.*.ctj")
    assert {line["trace_id"] for line in warnings} == {journal.name.split(".")[1]}


def test_an_option_with_unusable_levels_is_warned_about_like_the_variable(tmp_path: Path) -> None:
    """The program is recorded with the default levels and its own exit status."""
    program = tmp_path / "main.py"
    program.write_text("print('ran')\n")
    done = command(program, tmp_path / "out", "--log-level=loud")
    assert (done.returncode, done.stdout) == (0, "ran\n")
    assert [line["error_code"] for line in entries(done.stderr)] == ["ERR_INVALID_LOG_SPEC"]


WATCHED = """
import os, sys
def watch(event, arguments):
    if event == "import" and arguments[0].partition(".")[0] in ("structlog", "codetracer_log"):
        os.write(1, arguments[0].encode() + b"\\n")
sys.addaudithook(watch)
print("ran", flush=True)
"""


def test_a_recording_without_warnings_never_loads_structlog(tmp_path: Path) -> None:
    """Neither the program nor the end of the session meets the log's modules; a warning does."""
    program = tmp_path / "main.py"
    program.write_text(WATCHED)
    assert command(program, tmp_path / "out").stdout == "ran\n"
    quiet = command(program, tmp_path / "out", CODETRACER_LOG_LEVEL="warn")
    assert "structlog" not in quiet.stdout
    loud = command(program, tmp_path / "out", CODETRACER_LOG_LEVEL="info")
    assert "structlog" in loud.stdout.splitlines()
    (line,) = entries(loud.stderr)
    assert line["fields"]["counters"]["bytes"] > 0


TAKES_THE_NUMBER = """
import os
os.close(2)
data = os.open("data", os.O_RDWR | os.O_CREAT)
assert data == 2
"""


def test_no_line_is_written_into_a_file_of_the_program(tmp_path: Path) -> None:
    """When the program's own file has got the number of standard error, lines are lost."""
    program = tmp_path / "main.py"
    program.write_text(TAKES_THE_NUMBER.replace('"data"', repr(os.fspath(tmp_path / "data"))))
    done = command(program, tmp_path / "out", CODETRACER_LOG_LEVEL="info")
    assert done.returncode == 0
    assert (tmp_path / "data").read_bytes() == b""


def test_the_programs_structlog_is_as_it_was(tmp_path: Path) -> None:
    """A recorded program that configures structlog finds its own configuration to the end."""
    program = tmp_path / "main.py"
    program.write_text(
        "import atexit, structlog\n"
        "assert not structlog.is_configured()\n"
        "structlog.configure(processors=[structlog.processors.KeyValueRenderer()])\n"
        "mine = structlog.get_config()\n"
        "atexit.register(lambda: print(structlog.get_config() == mine))\n"
        "structlog.get_logger().warning('own')\n"
    )
    done = command(program, tmp_path / "out", CODETRACER_LOG_LEVEL="info")
    assert done.stdout == "event='own'\nTrue\n"
    assert len(entries(done.stderr)) == 1
