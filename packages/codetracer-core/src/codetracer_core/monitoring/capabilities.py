"""What this interpreter offers to the recorder, and why it does not offer the rest."""

from __future__ import annotations

import sys

from codetracer_core.errors import EnvironmentError_

__all__ = ["BRANCH_HAS_SIDES", "TOOL_IDS", "require_monitoring"]

BRANCH_HAS_SIDES = hasattr(sys.monitoring.events, "BRANCH_LEFT")
"""Whether the two ways of a branch are two events (from CPython 3.14 on)."""

TOOL_IDS = (5, 4, 3)
"""The tool ids of ``sys.monitoring`` that are tried, in this order.

0, 1 and 2 belong to debuggers, coverage and profilers.
"""


def require_monitoring() -> None:
    """Raise an error that says what is missing if this interpreter cannot be recorded."""
    if sys.implementation.name != "cpython":
        raise EnvironmentError_(
            "ERR_UNSUPPORTED_INTERPRETER",
            f"programs of {sys.implementation.name} cannot be recorded; run them with CPython",
        )
    is_gil_enabled = getattr(sys, "_is_gil_enabled", None)
    if is_gil_enabled is not None and not is_gil_enabled():
        raise EnvironmentError_(
            "ERR_UNSUPPORTED_INTERPRETER",
            "a free-threaded interpreter cannot be recorded; use the build with the GIL",
        )
