"""The trailer: one line of JSON for each failure."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import pytest

from codetracer_log import (
    LogError,
    emit_error_trailer,
    log_recorder_error,
    recorder_logger,
    run_id,
    set_active_trace_id,
    use_stderr,
)


@pytest.fixture(autouse=True)
def _as_found() -> Iterator[None]:
    yield
    set_active_trace_id(None)
    recorder_logger().configure()


def run(program: str, *folders: Path) -> subprocess.CompletedProcess[str]:
    """Run a program that can import what this test can, and what is in the folders before it."""
    return subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": os.pathsep.join([*map(str, folders), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_trailer_has_its_keys_in_alphabetical_order(capfd: pytest.CaptureFixture[str]) -> None:
    """The line holds context, code, kind, message, run id and trace id, and ends as a line."""
    set_active_trace_id("session")
    assert emit_error_trailer(LogError("ERR_IO", "no space", path="/t", io="28"))
    written = capfd.readouterr().err
    assert written.endswith("}\n")
    entry = json.loads(written)
    assert list(entry) == sorted(entry)
    assert entry == {
        "context": {"io": "28", "path": "/t"},
        "error_code": "ERR_IO",
        "error_kind": "Usage",
        "message": "no space",
        "run_id": run_id(),
        "trace_id": "session",
    }


def test_outside_sessions_the_trace_id_is_null(capfd: pytest.CaptureFixture[str]) -> None:
    """Every key is there even when there is nothing to say."""
    emit_error_trailer(LogError("ERR_IO", "no space"))
    entry = json.loads(capfd.readouterr().err)
    assert (entry["trace_id"], entry["context"]) == (None, {})


def test_one_failure_has_one_trailer(capfd: pytest.CaptureFixture[str]) -> None:
    """Neither a second report nor one of the exception that wraps it writes another line."""
    inner = LogError("ERR_IO", "no space")
    outer = LogError("ERR_TRACE_INCOMPLETE", "stopped")
    try:
        try:
            raise inner
        except LogError as error:
            raise outer from error
    except LogError:
        pass
    assert emit_error_trailer(inner)
    assert not emit_error_trailer(inner)
    assert not emit_error_trailer(outer)
    assert emit_error_trailer(LogError("ERR_IO", "no space")), "another failure of the same text"
    assert len(capfd.readouterr().err.splitlines()) == 2


def test_a_circle_of_causes_ends(capfd: pytest.CaptureFixture[str]) -> None:
    """Exceptions that are each other's cause are one failure."""
    one, two = LogError("ERR_IO", "one"), LogError("ERR_IO", "two")
    one.__cause__, two.__cause__ = two, one
    assert emit_error_trailer(one)
    assert not emit_error_trailer(two)
    assert len(capfd.readouterr().err.splitlines()) == 1


def test_any_exception_has_a_trailer(capfd: pytest.CaptureFixture[str]) -> None:
    """An exception without a code is an internal failure described by its type."""
    emit_error_trailer(MemoryError())
    entry = json.loads(capfd.readouterr().err)
    assert entry["error_code"] == "ERR_UNKNOWN"
    assert entry["error_kind"] == "Internal"
    assert entry["message"] == "MemoryError"


def test_other_packages_exceptions_are_read_by_their_attributes(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Code, kind, message and a read-only context are taken from any exception that stores them."""

    class ForeignError(Exception):
        kind = "Target"

        def __init__(self) -> None:
            super().__init__("args are not used")
            self.code = "ERR_FOREIGN"
            self.message = "the script is gone"
            self.context = MappingProxyType({"script": "x.py"})

    emit_error_trailer(ForeignError())
    entry = json.loads(capfd.readouterr().err)
    assert entry["error_code"] == "ERR_FOREIGN"
    assert entry["error_kind"] == "Target"
    assert entry["message"] == "the script is gone"
    assert entry["context"] == {"script": "x.py"}


@pytest.mark.parametrize(
    "breakage", ["os.close(2)", "r, w = os.pipe(); os.close(r); os.dup2(w, 2)"]
)
def test_a_standard_error_that_is_gone_is_no_failure(breakage: str) -> None:
    """With standard error closed or unread no line is written and nothing is raised."""
    program = (
        "import os\nfrom codetracer_log import LogError, emit_error_trailer\n"
        f"{breakage}\nprint(emit_error_trailer(LogError('ERR_IO', 'x')))"
    )
    done = run(program)
    assert (done.returncode, done.stdout) == (0, "False\n")


def test_of_many_threads_one_writes_the_trailer(capfd: pytest.CaptureFixture[str]) -> None:
    """A failure that several threads report at the same time has one trailer."""
    errors = [LogError("ERR_IO", str(number)) for number in range(200)]
    barrier = threading.Barrier(4)

    def report() -> None:
        barrier.wait(30)
        for error in errors:
            emit_error_trailer(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=report) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    written = [json.loads(line)["message"] for line in capfd.readouterr().err.splitlines()]
    assert sorted(written, key=int) == [str(number) for number in range(200)]


@pytest.fixture
def datagrams() -> Iterator[socket.socket]:
    """Where each write to standard error arrives as one message."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with here, there:
        here.setblocking(False)
        use_stderr(there.fileno())
        yield here
        use_stderr()


def test_log_line_and_trailer_leave_in_one_write(datagrams: socket.socket) -> None:
    """Nothing that others write can come between the log's line and its trailer."""
    error = LogError("ERR_IO", "no space", path="/t")
    assert log_recorder_error("stop", error, trailer=True)
    line, trailer = map(json.loads, datagrams.recv(4096).splitlines())
    assert line["message"] == "stop: no space (path=/t)"
    assert (trailer["message"], trailer["error_code"]) == ("no space", "ERR_IO")
    assert not log_recorder_error("stop", error, trailer=True)
    with pytest.raises(BlockingIOError):
        datagrams.recv(4096)


def test_a_log_file_gets_the_line_and_standard_error_the_trailer(
    datagrams: socket.socket, tmp_path: Path
) -> None:
    """The trailer is for readers of standard error, wherever the log goes."""
    log = tmp_path / "log"
    recorder_logger().configure(log_file=log)
    log_recorder_error("stop", LogError("ERR_IO", "no space"), trailer=True)
    assert json.loads(log.read_text())["level"] == "ERROR"
    assert json.loads(datagrams.recv(4096))["error_kind"] == "Usage"


def test_a_log_that_is_off_leaves_the_trailer(datagrams: socket.socket) -> None:
    """Levels are about the log's lines only."""
    recorder_logger().configure(level="off")
    log_recorder_error("stop", LogError("ERR_IO", "no space"), trailer=True)
    (trailer,) = datagrams.recv(4096).splitlines()
    assert json.loads(trailer)["error_kind"] == "Usage"


def test_a_failure_that_was_logged_can_still_get_its_trailer(datagrams: socket.socket) -> None:
    """Being in the log already does not stand for the trailer."""
    error = LogError("ERR_IO", "no space")
    log_recorder_error("stop", error)
    datagrams.recv(4096)
    assert not log_recorder_error("stop", error, trailer=True)
    assert json.loads(datagrams.recv(4096))["message"] == "no space"


FIXED = """
import os
import codetracer_log._identity
codetracer_log._identity._runs[os.getpid()] = "fixed"
from codetracer_log import LogError, emit_error_trailer
error = LogError("ERR_IO", "no \\u00e9space\\udc80\\n", path="/t")
error.context["odd"] = object()
"""


def test_without_structlog_the_trailer_is_the_same(tmp_path: Path) -> None:
    """The standard library alone gives the bytes that structlog's processors give."""
    (tmp_path / "structlog.py").write_text("raise ImportError")
    program = FIXED + "emit_error_trailer(error)\n"
    check = "import sys; assert ('structlog' in sys.modules) is {}\n"
    with_structlog = run(program + check.format(True))
    without = run(program + check.format(False), tmp_path)
    assert with_structlog.returncode == without.returncode == 0
    assert json.loads(with_structlog.stderr)["context"] == {"odd": "<object>", "path": "/t"}
    assert without.stderr == with_structlog.stderr


def test_a_trailer_while_the_interpreter_goes_down_is_the_same() -> None:
    """Once there has been a line, later ones need no import, which would fail at the very end."""
    last = (
        "import sys\nemit_error_trailer(LogError('ERR_IO', 'first'))\nclass Last:\n"
        "    def __del__(self, emit=emit_error_trailer, error=error, sys=sys):\n"
        "        assert sys.is_finalizing()\n        emit(error)\nlast = Last()\n"
    )
    early, late = run(FIXED + "emit_error_trailer(error)\n"), run(FIXED + last)
    assert json.loads(early.stderr)["run_id"] == "fixed"
    assert late.stderr.splitlines(keepends=True)[1:] == [early.stderr]
