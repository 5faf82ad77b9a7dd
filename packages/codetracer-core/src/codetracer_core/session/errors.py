"""Failures of a session, and the one place where errors of the sibling packages become core's."""

from __future__ import annotations

from codetracer_core.errors import (
    EnvironmentError_,
    InternalError,
    RecorderError,
    TargetError,
    UsageError,
)

__all__ = [
    "AlreadyTracingError",
    "TraceDirConflictError",
    "TraceDirError",
    "UnsupportedFormatError",
    "as_recorder_error",
]


class AlreadyTracingError(UsageError, RuntimeError):
    """A session runs in this process, and there can be only one."""

    def __init__(self, directory: object) -> None:
        super().__init__(
            "ERR_ALREADY_TRACING",
            "this process is being recorded already; stop that session first",
            path=directory,
        )


class TraceDirConflictError(UsageError, ValueError):
    """The output folder is no folder, or holds something that a new trace would overwrite."""

    def __init__(self, message: str, path: object) -> None:
        super().__init__("ERR_TRACE_DIR_CONFLICT", message, path=path)


class TraceDirError(EnvironmentError_, OSError):
    """The system does not let us make the output folder or write into it."""


class UnsupportedFormatError(UsageError, ValueError):
    """The trace was asked for in a format that does not exist."""

    def __init__(self, given: str, known: tuple[str, ...]) -> None:
        super().__init__(
            "ERR_UNSUPPORTED_FORMAT",
            f"there is no trace format {given!r}: use one of {', '.join(known)}",
        )


_BY_KIND: dict[str, type[RecorderError]] = {
    "Usage": UsageError,
    "Environment": EnvironmentError_,
    "Target": TargetError,
    "Internal": InternalError,
}


def as_recorder_error(error: Exception) -> RecorderError:
    """`error` as a RecorderError with the same code, kind, message and context.

    Errors of the sibling packages carry these four as attributes. Anything else is a defect of
    ours, with the code ERR_UNKNOWN.
    """
    if isinstance(error, RecorderError):
        return error
    code = getattr(error, "code", None)
    family = _BY_KIND.get(getattr(error, "kind", ""))
    if not isinstance(code, str) or family is None:
        return InternalError(
            "ERR_UNKNOWN",
            f"{type(error).__name__}: {error}; please report this",
        )
    message = getattr(error, "message", None) or str(error)
    context = getattr(error, "context", None) or {}
    return family(code, message, **context)
