"""Errors of the sibling packages become errors of core in one place."""

from __future__ import annotations

from codetracer_core.errors import EnvironmentError_, InternalError, UsageError
from codetracer_core.session.errors import AlreadyTracingError, as_recorder_error
from codetracer_policy import PolicyError, resolve_policy


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


def test_a_policy_error_is_the_callers() -> None:
    """The policy package's own exceptions are translated."""
    try:
        resolve_policy(overrides={"max_depth": -1})
    except PolicyError as error:
        assert type(as_recorder_error(error)) is UsageError


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
