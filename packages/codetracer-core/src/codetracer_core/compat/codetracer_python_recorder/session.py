"""Sessions: their arguments as this package takes them, and the one that is running."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from codetracer_core.errors import UsageError
from codetracer_core.session.errors import TraceDirConflictError

from .codetracer_python_recorder import configure_policy as _configure_policy
from .codetracer_python_recorder import configure_policy_from_env as _configure_policy_from_env
from .codetracer_python_recorder import flush_tracing as _flush_backend
from .codetracer_python_recorder import is_tracing as _is_tracing_backend
from .codetracer_python_recorder import start_tracing as _start_backend
from .codetracer_python_recorder import stop_tracing as _stop_backend
from .formats import DEFAULT_FORMAT, SUPPORTED_FORMATS, is_supported, normalize_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Self, TypeAlias

    FilterArgument: TypeAlias = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None

__all__ = ["TraceSession", "flush", "is_tracing", "policy_arguments", "start", "stop", "trace"]

_active_session: TraceSession | None = None


class ActiveSessionError(UsageError, RuntimeError):
    """A session runs already."""


class FilterNotFoundError(UsageError, FileNotFoundError):
    """A filter file does not exist."""


class ArgumentValueError(UsageError, ValueError):
    """There is no such format, or a filter was named that names nothing or is no file."""


class ArgumentTypeError(UsageError, TypeError):
    """A filter was given as something that is no path."""


class TraceSession:
    """A session: `path` is its folder as it was given, `format` the form of its trace.

    Leaving a ``with`` block stops it.
    """

    path: Path
    format: str

    def __init__(self, path: Path, format: str) -> None:  # noqa: A002 - the attribute's name
        self.path = path
        self.format = format

    def stop(self, *, exit_code: int | None = None) -> None:
        """Stop the session if it is the running one, and finish its trace."""
        if _active_session is self:
            stop(exit_code=exit_code)

    def flush(self) -> None:
        """Hand everything recorded so far to the system."""
        flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def start(
    path: str | os.PathLike[str],
    *,
    format: str = DEFAULT_FORMAT,  # noqa: A002 - the name that callers know
    start_on_enter: str | os.PathLike[str] | None = None,
    trace_filter: FilterArgument = None,
    policy: Mapping[str, object] | None = None,
    apply_env_policy: bool = True,
) -> TraceSession:
    """Record this process from here on, into the folder `path`.

    `format` is ``"binary"``, ``"ctfs"`` or ``"json"``. With `start_on_enter` only what happens
    below code of that file is recorded. `trace_filter` names filter files, also several in one
    text with ``::`` between them. The policy of this package changes by the environment, unless
    `apply_env_policy` is false, and then by `policy`, also for later sessions.

    Raises RecorderError: a RuntimeError while a session runs, a ValueError for a `path` that is a
    file, an unknown format and an empty `trace_filter`, a FileNotFoundError for a filter that does
    not exist, a TypeError for a filter that is no path and for a wrong setting.
    """
    global _active_session
    if _is_tracing_backend():
        raise ActiveSessionError(
            "ERR_ALREADY_TRACING", "tracing already active: stop that session first"
        )
    folder = _validate_trace_path(Path(path))
    form = _coerce_format(format)
    activation = _normalize_activation_path(start_on_enter)
    filters = _normalize_trace_filter(trace_filter)
    if apply_env_policy:
        _configure_policy_from_env()
    if policy:
        _configure_policy(**policy_arguments(policy))
    _start_backend(str(folder), form, activation, filters)
    _active_session = TraceSession(folder, form)
    return _active_session


def stop(*, exit_code: int | None = None) -> None:
    """Stop the running session, if any; its trace ends with `exit_code` if that is given."""
    global _active_session
    if not _is_tracing_backend():
        return
    _active_session = None
    _stop_backend(exit_code)


def is_tracing() -> bool:
    """Whether this process is being recorded."""
    return _is_tracing_backend()


def flush() -> None:
    """Hand everything recorded so far to the system."""
    if _is_tracing_backend():
        _flush_backend()


@contextmanager
def trace(
    path: str | os.PathLike[str],
    *,
    format: str = DEFAULT_FORMAT,  # noqa: A002 - the name that callers know
    trace_filter: FilterArgument = None,
    policy: Mapping[str, object] | None = None,
    apply_env_policy: bool = True,
) -> Iterator[TraceSession]:
    """A ``with`` block, or a function that this decorates, that is recorded.

    The arguments are those of :func:`start`.
    """
    session = start(
        path,
        format=format,
        trace_filter=trace_filter,
        policy=policy,
        apply_env_policy=apply_env_policy,
    )
    try:
        yield session
    finally:
        session.stop()


def _coerce_format(value: str | None) -> str:
    form = normalize_format(value)
    if not is_supported(form):
        names = ", ".join(sorted(SUPPORTED_FORMATS))
        raise ArgumentValueError(
            "ERR_UNSUPPORTED_FORMAT", f"unsupported trace format {value!r}: use one of {names}"
        )
    return form


def _validate_trace_path(path: Path) -> Path:
    path = path.expanduser()
    if path.exists() and not path.is_dir():
        raise TraceDirConflictError(
            "the output folder is a file; choose another name or remove it", path
        )
    return path


def _normalize_activation_path(value: str | os.PathLike[str] | None) -> str | None:
    return None if value is None else os.path.expanduser(os.fspath(value))


def _normalize_trace_filter(value: FilterArgument) -> list[str] | None:
    """The real paths of the files that `value` names, in order; None for None."""
    if value is None:
        return None
    names: list[str] = []
    for item in _filter_items(value):
        if not isinstance(item, str | os.PathLike):
            raise ArgumentTypeError(
                "ERR_INVALID_ARGUMENT",
                f"a trace filter is named by its path, not by a {type(item).__name__}",
            )
        parts = os.fspath(item).split("::")
        names += [part.strip() for part in parts if part.strip()]
    if not names:
        raise ArgumentValueError("ERR_INVALID_ARGUMENT", "trace_filter names no file: name one")
    return [_filter_file(name) for name in names]


def _filter_items(value: object) -> Sequence[object]:
    if isinstance(value, str | os.PathLike):
        return [value]
    if isinstance(value, Sequence):
        return value
    raise ArgumentTypeError(
        "ERR_INVALID_ARGUMENT",
        f"trace_filter is a path, a sequence of paths or None, not a {type(value).__name__}",
    )


def _filter_file(name: str) -> str:
    path = Path(name).expanduser()
    if not path.exists():
        raise FilterNotFoundError(
            "ERR_INVALID_POLICY_VALUE",
            "the trace filter does not exist: check its path",
            path=path,
        )
    path = path.resolve()
    if not path.is_file():
        raise ArgumentValueError(
            "ERR_INVALID_POLICY_VALUE", "the trace filter is not a file: name a file", path=path
        )
    return str(path)


def policy_arguments(policy: Mapping[str, object]) -> dict[str, Any]:
    """What ``configure_policy`` is given for `policy`: paths and others as the texts it wants."""
    arguments = dict(policy)
    for name in ("on_recorder_error", "log_level"):
        if arguments.get(name) is not None:
            arguments[name] = str(arguments[name])
    if isinstance(log_file := arguments.get("log_file"), os.PathLike):
        arguments["log_file"] = os.fspath(log_file)
    return arguments
