"""The functions below the sessions of this package, under the names of its native module."""

from __future__ import annotations

from codetracer_core import api
from codetracer_core.errors import (
    EnvironmentError,  # noqa: A004 - the name that callers know
    InternalError,
    RecorderError,
    TargetError,
    UsageError,
)

from . import _policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

__all__ = [
    "EnvironmentError",
    "InternalError",
    "RecorderError",
    "TargetError",
    "UsageError",
    "configure_policy",
    "configure_policy_from_env",
    "flush_tracing",
    "is_tracing",
    "policy_snapshot",
    "start_tracing",
    "stop_tracing",
]


class AlreadyTracingError(UsageError, RuntimeError):
    """A session runs in this process, and there can be only one."""


def start_tracing(
    path: str,
    format: str,  # noqa: A002 - the name that callers know
    activation_path: str | None = None,
    trace_filter: Sequence[str] | None = None,
) -> None:
    """Record this process into the folder `path`, as the policy of this package says.

    Raises RecorderError: UsageError with the code ERR_ALREADY_TRACING, a RuntimeError, when a
    session runs already.
    """
    if api.is_tracing():
        raise AlreadyTracingError(
            "ERR_ALREADY_TRACING", "tracing already active: stop that session first"
        )
    api.start(
        path,
        format=format,
        start_on_enter=activation_path,
        trace_filter=trace_filter,
        policy=_policy.session_settings(),
        apply_env_policy=False,
    )


def stop_tracing(exit_code: int | None = None) -> None:
    """Stop the running session, if any, and finish its trace.

    Raises RecorderError when that fails; the session is over then, too.
    """
    api.stop(exit_code=exit_code)


def is_tracing() -> bool:
    """Whether this process is being recorded, whoever started that."""
    return api.is_tracing()


def flush_tracing() -> None:
    """Hand everything recorded so far to the system, so that only a power cut can lose it."""
    api.flush()


def configure_policy(
    on_recorder_error: str | None = None,
    require_trace: bool | None = None,
    keep_partial_trace: bool | None = None,
    log_level: str | None = None,
    log_file: str | os.PathLike[str] | None = None,
    json_errors: bool | None = None,
    io_capture_line_proxies: bool | None = None,
    io_capture_fd_fallback: bool | None = None,
    module_name_from_globals: bool | None = None,
    propagate_script_exit: bool | None = None,
    **unknown: object,
) -> None:
    """Change the policy of this package's sessions; None leaves a setting as it is.

    All or nothing. Raises UsageError, which for an unknown name and a wrong type is a TypeError,
    too.
    """
    values = (
        *(on_recorder_error, require_trace, keep_partial_trace),
        *(log_level, log_file, json_errors),
        *(io_capture_line_proxies, io_capture_fd_fallback),
        *(module_name_from_globals, propagate_script_exit),
    )
    _policy.change(dict(zip(_policy.SETTINGS, values, strict=True)) | unknown)


def configure_policy_from_env() -> None:
    """Put what the environment says into the policy. Raises UsageError for a wrong variable."""
    _policy.change_from_env()


def policy_snapshot() -> dict[str, object]:
    """The policy as plain values; ``io_capture`` is a dictionary."""
    return _policy.snapshot()
