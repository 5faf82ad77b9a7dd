"""Errors of the sibling packages become errors of core in one place."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest

import codetracer_core
from codetracer_core.errors import EnvironmentError_, InternalError, RecorderError, UsageError
from codetracer_core.session.errors import (
    AlreadyTracingError,
    FilterPathError,
    TraceDirConflictError,
    TraceDirError,
    UnsupportedFormatError,
    as_recorder_error,
)


class ForeignError(Exception):
    """An error with the four attributes that all packages give theirs."""

    def __init__(self) -> None:
        super().__init__()
        self.code = "ERR_FOREIGN"
        self.kind = "Environment"
        self.message = "what happened; what to do"
        self.context = {"place": "here"}


def test_code_kind_message_and_context_survive() -> None:
    """The kind decides the class."""
    error = as_recorder_error(ForeignError())
    assert type(error) is EnvironmentError_
    assert error.code == "ERR_FOREIGN"
    assert str(error) == "[ERR_FOREIGN] what happened; what to do (place=here)"


@pytest.mark.parametrize(
    ("arguments", "builtin"),
    [
        ({"policy": {"max_depth": -1}}, ValueError),
        ({"policy": {"max_dept": 1}}, TypeError),
        ({"policy": {"json_errors": "on"}}, TypeError),
        ({"trace_filter": "missing.toml"}, FileNotFoundError),
        ({"trace_filter": "/"}, ValueError),
        ({"trace_filter": 3}, TypeError),
        ({"trace_filter": b"filter.toml"}, TypeError),
        ({"trace_filter": ""}, ValueError),
        ({"trace_filter": ["::"]}, ValueError),
    ],
)
def test_what_the_caller_got_wrong_is_also_a_builtin_error(
    arguments: dict[str, Any], builtin: type[Exception], tmp_path: Path
) -> None:
    """Code that catches the builtin exception for such a mistake goes on to work."""
    with pytest.raises(builtin) as caught:
        codetracer_core.start(tmp_path / "out", **arguments)
    assert isinstance(caught.value, UsageError)


def test_the_context_is_shown_in_order() -> None:
    """The text of an error has its context sorted by name, whatever the order it was given in."""
    error = EnvironmentError_("ERR_X", "full", path="/p", io="28")
    assert str(error) == "[ERR_X] full (io=28, path=/p)"


@pytest.mark.parametrize(
    "error",
    [
        UsageError("ERR_X", "wrong", path="/p"),
        AlreadyTracingError("/p"),
        TraceDirConflictError("taken", "/p"),
        TraceDirError("ERR_X", "refused", io="28"),
        UnsupportedFormatError("x", ("ct",)),
        FilterPathError("ERR_FILTER_NOT_FOUND", "gone", path="/p"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_cross_processes(error: RecorderError) -> None:
    """Pickling and copying keep class, text, code, kind and context."""
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is type(error)
        assert str(other) == str(error)
        assert (other.code, other.kind, other.context) == (error.code, error.kind, error.context)


def test_an_error_of_core_stays_the_same_object() -> None:
    """Nothing is wrapped twice."""
    error = AlreadyTracingError("x")
    assert as_recorder_error(error) is error
    assert isinstance(error, RuntimeError)


def test_anything_else_is_a_defect_of_ours() -> None:
    """The code is ERR_UNKNOWN, and the message names the exception."""
    error = as_recorder_error(ZeroDivisionError("division by zero"))
    assert type(error) is InternalError
    assert error.code == "ERR_UNKNOWN"
    assert "ZeroDivisionError: division by zero" in error.message
