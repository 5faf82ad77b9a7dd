"""Recording that begins with the import of this package, for a program that is not changed."""

from __future__ import annotations

import os

from .formats import DEFAULT_FORMAT

__all__ = ["ENV_TRACE_FILTER", "ENV_TRACE_FORMAT", "ENV_TRACE_PATH", "auto_start_from_env"]

ENV_TRACE_PATH = "CODETRACER_TRACE"
ENV_TRACE_FORMAT = "CODETRACER_FORMAT"
ENV_TRACE_FILTER = "CODETRACER_TRACE_FILTER"


def auto_start_from_env() -> None:
    """Start a session when ``CODETRACER_TRACE`` names a folder and none runs yet.

    The trace is finished when the program stops the session, and else at its exit. Raises
    RecorderError when the session cannot start.
    """
    path = os.environ.get(ENV_TRACE_PATH)
    if not path:
        return
    from . import session

    if session.is_tracing():
        return
    session.start(
        path,
        format=os.environ.get(ENV_TRACE_FORMAT) or DEFAULT_FORMAT,
        trace_filter=os.environ.get(ENV_TRACE_FILTER) or None,
    )
