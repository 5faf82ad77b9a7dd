"""Recording from inside a program: ``start``, ``stop``, ``flush`` and ``trace``."""

from __future__ import annotations

import atexit
import os
import sys

from codetracer_core.errors import RecorderError
from codetracer_core.monitoring.capabilities import require_main_interpreter
from codetracer_core.session.bootstrap import TraceSessionBootstrap
from codetracer_core.session.errors import AlreadyTracingError
from codetracer_core.session.metadata import main_script_of
from codetracer_core.session.output import FORMAT_CT, OutputOptions
from codetracer_core.session.recording import TraceSession

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Any, ParamSpec, TypeVar

    from codetracer_core.runtime.sources import SourceBook
    from codetracer_core.session.filters import FilterArgument

    P = ParamSpec("P")
    R = TypeVar("R")

__all__ = ["TraceSession", "flush", "is_tracing", "save", "start", "stop", "trace"]

_current: TraceSession | None = None


def start(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002 - the name that callers know
    start_on_enter: str | os.PathLike[str] | None = None,
    trace_filter: FilterArgument = None,
    policy: Mapping[str, object] | None = None,
    apply_env_policy: bool = True,
) -> TraceSession:
    """Record this process from here on, into the folder `path`, which is made if need be.

    `format` is ``"ct"`` (also ``"ctfs"`` and ``"binary"``), the default, or ``"json"``. With
    `start_on_enter`, the path of a source file, only what happens below code of that file is
    recorded. `trace_filter` names filter files that apply after the built-in one and the project's.
    `policy` holds settings for this session only; the environment's come before them unless
    `apply_env_policy` is false. A session that nobody stops ends when the interpreter does.

    Raises RecorderError: AlreadyTracingError, a RuntimeError, when a session runs already.
    """
    require_main_interpreter()
    refuse_second()
    bootstrap = TraceSessionBootstrap.prepare(
        path,
        output=OutputOptions(format=format or FORMAT_CT),
        activation_path=start_on_enter,
        trace_filter=trace_filter,
        policy=policy,
        policy_environ=None if apply_env_policy else {},
        main_script=main_script_of(sys.modules.get("__main__")),
    )
    session = begin(bootstrap, adopt_running=True)
    atexit.unregister(_stop_at_exit)
    atexit.register(_stop_at_exit)
    return session


def stop(*, exit_code: int | None = None) -> None:
    """Stop the running session and finish its trace, which ends with `exit_code` if given.

    Does nothing when no session runs. Raises RecorderError when the trace cannot be finished; the
    session is over then, too.
    """
    session = _active_session()
    if session is not None:
        session.stop(exit_code=exit_code)


def flush() -> None:
    """Bring everything that was recorded so far into the journal and that to the disk.

    Does nothing when no session runs. Raises RecorderError when the journal cannot be written.
    """
    session = _active_session()
    if session is not None:
        session.flush()


def save(path: str | os.PathLike[str] | None = None) -> Path | None:
    """Save a copy of what the running session has recorded up to now; return its folder.

    See :meth:`TraceSession.save`. None when no session runs. Raises RecorderError.
    """
    session = _active_session()
    return session.save(path) if session is not None else None


def is_tracing() -> bool:
    """Whether this process is being recorded."""
    return _active_session() is not None


class trace:  # noqa: N801 - used like a function: ``with trace(DIR):``
    """A ``with`` block or a function that is recorded; the arguments are those of :func:`start`.

    ``as`` gives the session. Exceptions pass through. As a decorator, ``@trace(DIR)``, it records
    each call of the function, and one that comes while a session runs goes into that session's
    trace. A coroutine function is recorded until its coroutine ends, whatever else runs meanwhile;
    functions that yield are refused, because nobody might ever finish them.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        format: str | None = None,  # noqa: A002 - the name that callers know
        trace_filter: FilterArgument = None,
        policy: Mapping[str, object] | None = None,
        apply_env_policy: bool = True,
    ) -> None:
        self._path = path
        self._options: dict[str, Any] = {
            "format": format,
            "trace_filter": trace_filter,
            "policy": policy,
            "apply_env_policy": apply_env_policy,
        }
        self._session: TraceSession | None = None

    def __enter__(self) -> TraceSession:
        self._session = start(self._path, **self._options)
        return self._session

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.stop()

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Record the calls of `function`.

        Raises UsageError (``ERR_INVALID_ARGUMENT``), a TypeError, for what is no function, and for
        one that yields.
        """
        from codetracer_core.decorator import decorate

        recorded: Callable[P, R] = decorate(
            function, lambda: None if is_tracing() else self._again()
        )
        return recorded

    def _again(self) -> trace:
        return trace(self._path, **self._options)


def refuse_second() -> None:
    """Raise AlreadyTracingError when a session runs that was begun in this process."""
    session = _active_session()
    if session is None:
        return
    if not session.is_child:
        raise AlreadyTracingError(session.path)
    # A forked child that records itself wants this and not what its parent has asked for.
    session.stop()


def begin(
    bootstrap: TraceSessionBootstrap,
    *,
    adopt_running: bool = False,
    muted: bool = False,
    sources: SourceBook | None = None,
) -> TraceSession:
    """Start the session that `bootstrap` prepared and make it the running one.

    The arguments are those of :meth:`TraceSession.begin`.
    """
    global _current
    _current = TraceSession.begin(
        bootstrap, adopt_running=adopt_running, muted=muted, sources=sources
    )
    return _current


def _active_session() -> TraceSession | None:
    return _current if _current is not None and _current.active else None


def _stop_at_exit() -> None:
    """Finish a session that the program left running; at this point nobody can catch an error."""
    try:
        stop()
    except RecorderError as error:
        line = f"codetracer-core: error: {error}\n".encode("utf-8", "backslashreplace")
        try:
            os.write(2, line)
        except OSError:
            return
