"""The trailer: one line of JSON for each failure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from types import MappingProxyType

import pytest

from codetracer_log import LogError, emit_error_trailer, run_id, set_active_trace_id


@pytest.fixture(autouse=True)
def _no_session() -> Iterator[None]:
    yield
    set_active_trace_id(None)


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
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "False\n")
