"""Failures of a session, and the one place where errors of the sibling packages become core's."""

from __future__ import annotations

import os

from codetracer_core.errors import (
    EnvironmentError_,
    InternalError,
    RecorderError,
    TargetError,
    UsageError,
)

__all__ = [
    "AlreadyTracingError",
    "FilterPathError",
    "InvalidTypeError",
    "InvalidValueError",
    "TraceDirConflictError",
    "TraceDirError",
    "TraceInUseError",
    "UnsupportedFormatError",
    "as_recorder_error",
    "path_text",
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


class TraceInUseError(UsageError, RuntimeError):
    """A recorder writes the recording, or another command makes its trace."""

    def __init__(self, path: object) -> None:
        super().__init__(
            "ERR_TRACE_IN_USE",
            "this recording is in use: its program still runs, or its trace is being made;"
            " try again when that has ended",
            path=path,
        )


class UnsupportedFormatError(UsageError, ValueError):
    """The trace was asked for in a format that does not exist."""

    def __init__(self, given: str, known: tuple[str, ...]) -> None:
        super().__init__(
            "ERR_UNSUPPORTED_FORMAT",
            f"there is no trace format {given!r}: use one of {', '.join(known)}",
        )


class InvalidTypeError(UsageError, TypeError):
    """A setting does not exist, or was given a value of the wrong type."""


class InvalidValueError(UsageError, ValueError):
    """A setting was given a value that it cannot take."""


class FilterPathError(UsageError, FileNotFoundError, ValueError):
    """A trace filter was named that does not exist or is no file."""


def path_text(given: object, what: str) -> str:
    """`given`, the path of `what`, as a text with the home folder in the place of ``~``.

    Raises UsageError (``ERR_INVALID_ARGUMENT``): InvalidTypeError for what is no path, and
    InvalidValueError for a text that cannot be one.
    """
    try:
        path = os.path.expanduser(os.fspath(given))  # type: ignore[call-overload]
    except TypeError:
        path = None
    if not isinstance(path, str):
        raise InvalidTypeError(
            "ERR_INVALID_ARGUMENT",
            f"{what} is named by a text or a path, not by a {type(given).__name__}",
        )
    if not path or "\0" in path:
        raise InvalidValueError(
            "ERR_INVALID_ARGUMENT", f"{path!r} cannot be the path of {what}: give another"
        )
    return path


_BY_KIND: dict[str, type[RecorderError]] = {
    "Usage": UsageError,
    "Environment": EnvironmentError_,
    "Target": TargetError,
    "Internal": InternalError,
}

_NO_MAPPING = ("failed to map segment", "Cannot allocate memory", "cannot allocate memory")
"""What the loader of shared objects says where address space or memory has run out."""


def as_recorder_error(error: Exception) -> RecorderError:
    """`error` as a RecorderError with the same code, kind, message and context.

    Errors of the sibling packages carry these four as attributes; a mistake of the caller that is a
    TypeError or ValueError there is one here, too. What the system refuses, wherever that shows, is
    ERR_IO or ERR_NO_MEMORY. Anything else is a defect of ours, with the code ERR_UNKNOWN.
    """
    if isinstance(error, RecorderError):
        return error
    if isinstance(error, MemoryError) or _is_unmapped(error):
        return EnvironmentError_("ERR_NO_MEMORY", "there is no memory left for the recorder")
    code = getattr(error, "code", None)
    family = _BY_KIND.get(getattr(error, "kind", ""))
    if isinstance(error, OSError) and error.strerror and not isinstance(code, str):
        return EnvironmentError_(
            "ERR_IO",
            f"the system refuses what the recorder needs: {error.strerror};"
            " check limits, space and rights",
            path=error.filename,
            errno=error.errno,
        )
    if not isinstance(code, str) or family is None:
        return InternalError(
            "ERR_UNKNOWN",
            f"{type(error).__name__}: {error}; please report this",
        )
    message = getattr(error, "message", None) or str(error)
    context = getattr(error, "context", None) or {}
    if family is UsageError:
        family = _usage_error(error, code)
    return family(code, message, **context)


def _usage_error(error: Exception, code: str) -> type[UsageError]:
    if code == "ERR_FILTER_NOT_FOUND":
        return FilterPathError
    if isinstance(error, TypeError):
        return InvalidTypeError
    return InvalidValueError if isinstance(error, ValueError) else UsageError


def _is_unmapped(error: Exception) -> bool:
    """Whether a module of the interpreter could not be loaded for want of memory."""
    return isinstance(error, ImportError) and any(reason in str(error) for reason in _NO_MAPPING)
