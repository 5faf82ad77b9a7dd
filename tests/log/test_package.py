"""The package as a whole: its exports, and the form of its errors."""

from __future__ import annotations

import copy
import pickle

import codetracer_log
from codetracer_log import LogError, LogSpecError


def test_every_exported_name_exists() -> None:
    """Each name in ``__all__`` can be imported from the package."""
    assert all(hasattr(codetracer_log, name) for name in codetracer_log.__all__)


def test_errors_carry_code_kind_context_and_a_message() -> None:
    """The text of an error shows its code, its message and its context."""
    error = LogError("ERR_IO", "no space", path="/t")
    assert (error.code, error.kind, error.message) == ("ERR_IO", "Usage", "no space")
    assert error.context == {"path": "/t"}
    assert str(error) == "[ERR_IO] no space (path=/t)"
    assert str(LogError("ERR_IO", "no space")) == "[ERR_IO] no space"


def test_errors_cross_processes() -> None:
    """Pickling and copying an error keep its class, text and context."""
    error = LogSpecError("ERR_INVALID_LOG_SPEC", "no level", spec="loud", at="1")
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is LogSpecError
        assert str(other) == str(error) == "[ERR_INVALID_LOG_SPEC] no level (at=1, spec=loud)"
