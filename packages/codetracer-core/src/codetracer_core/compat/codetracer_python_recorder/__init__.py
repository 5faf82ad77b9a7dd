"""Sessions of codetracer-core under the names of the package ``codetracer_python_recorder``.

Importing it applies the policy of the environment and, when ``CODETRACER_TRACE`` names a folder,
starts to record. Every failure is a :class:`RecorderError` with ``code``, ``kind`` and ``context``;
where callers expect ValueError, RuntimeError, TypeError or FileNotFoundError it is one, too.
"""

from __future__ import annotations

from contextlib import suppress

from .api import (
    DEFAULT_FORMAT,
    TRACE_BINARY,
    TRACE_JSON,
    TraceSession,
    flush,
    is_tracing,
    start,
    stop,
    trace,
)
from .auto_start import auto_start_from_env
from .codetracer_python_recorder import (
    EnvironmentError,  # noqa: A004 - the name that callers know
    InternalError,
    RecorderError,
    TargetError,
    UsageError,
    configure_policy,
    configure_policy_from_env,
    policy_snapshot,
)

__all__ = [
    "DEFAULT_FORMAT",
    "TRACE_BINARY",
    "TRACE_JSON",
    "EnvironmentError",
    "InternalError",
    "RecorderError",
    "TargetError",
    "TraceSession",
    "UsageError",
    "configure_policy",
    "configure_policy_from_env",
    "flush",
    "is_tracing",
    "policy_snapshot",
    "start",
    "stop",
    "trace",
]

# A variable that is wrong is reported when a session starts; an import must not fail for it.
with suppress(RecorderError):
    configure_policy_from_env()
auto_start_from_env()
