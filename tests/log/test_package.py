"""The package as a whole: its exports, and what the page of errors says about it."""

from __future__ import annotations

from pathlib import Path

import codetracer_log
from codetracer_log import LogError, errors

ERRORS_PAGE = Path(__file__).parents[2] / "docs/errors.md"
WARNED = {"ERR_IO", "ERR_UNKNOWN"}  # never raised here, so the page gives them the kind of others


def test_every_exported_name_exists() -> None:
    """Each name in ``__all__`` can be imported from the package."""
    assert all(hasattr(codetracer_log, name) for name in codetracer_log.__all__)


def test_every_code_is_documented() -> None:
    """Each error code of the package has its line, with the right kind, on the page of errors."""
    page = ERRORS_PAGE.read_text("utf-8")
    codes = {value for name, value in vars(errors).items() if name.startswith("ERR_")} | WARNED
    for code in codes:
        assert f"| `{code}` | " in page
        assert code in WARNED or f"| `{code}` | {LogError.kind} |" in page


def test_errors_carry_code_kind_context_and_a_message() -> None:
    """The text of an error shows its code, its message and its context."""
    error = LogError("ERR_IO", "no space", path="/t")
    assert (error.code, error.kind, error.message) == ("ERR_IO", "Usage", "no space")
    assert error.context == {"path": "/t"}
    assert str(error) == "[ERR_IO] no space (path=/t)"
    assert str(LogError("ERR_IO", "no space")) == "[ERR_IO] no space"
