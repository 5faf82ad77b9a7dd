"""The exceptions that callers of the recorder see."""

from __future__ import annotations

import pickle

import pytest

from codetracer_core import errors


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("Usage", errors.UsageError),
        ("Environment", errors.EnvironmentError),
        ("Target", errors.TargetError),
        ("Internal", errors.InternalError),
        ("Environment", errors.TraceError),
    ],
)
def test_every_failure_is_a_recorder_error_with_a_kind(
    kind: str, error: type[errors.RecorderError]
) -> None:
    """Each class belongs to the family and says who can act on it."""
    assert issubclass(error, errors.RecorderError)
    assert error("ERR_X", "message").kind == kind


def test_the_text_has_code_message_and_context() -> None:
    """The text names the code first and the context last, all as text."""
    error = errors.UsageError("ERR_X", "do that instead", number=5, name="a")
    assert str(error) == "[ERR_X] do that instead (name=a, number=5)"
    assert dict(error.context) == {"number": "5", "name": "a"}
    assert (error.code, error.message) == ("ERR_X", "do that instead")
    assert str(errors.TargetError("ERR_Y", "no context")) == "[ERR_Y] no context"


def test_errors_cross_process_borders() -> None:
    """An error that was pickled is the same error again."""
    error = errors.TraceError("ERR_X", "message", offset=3)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (errors.TraceError, str(error))
