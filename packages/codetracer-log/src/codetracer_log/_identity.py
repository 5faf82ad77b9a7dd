"""Which process, session and failure a line belongs to."""

from __future__ import annotations

import os
from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import Token
    from types import TracebackType

__all__ = [
    "active_error_code",
    "active_trace_id",
    "run_id",
    "set_active_trace_id",
    "with_error_code",
]

_runs: dict[int, str] = {}
"""The id of each process, by its number: this one's, and those of the processes it was forked from.
"""
_trace_id: str | None = None
_error_code: ContextVar[str | None] = ContextVar("codetracer_log.error_code", default=None)


def run_id() -> str:
    """A random UUID that is the same for all lines of one process; a forked child gets its own."""
    pid = os.getpid()
    known = _runs.get(pid)
    # One step, so that of several threads with a first line one gives all of them its id.
    return known if known is not None else _runs.setdefault(pid, _uuid4())


def _uuid4() -> str:
    # The uuid module takes 6 ms to import and, on some systems, starts processes.
    value = bytearray(os.urandom(16))
    value[6] = value[6] & 0x0F | 0x40
    value[8] = value[8] & 0x3F | 0x80
    digits = value.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def set_active_trace_id(trace_id: str | None) -> None:
    """Put the id of a session on every line from now on, or on none with None."""
    global _trace_id
    _trace_id = trace_id


def active_trace_id() -> str | None:
    """The id of the session that is being recorded, or None."""
    return _trace_id


def active_error_code() -> str | None:
    """The code that ``with_error_code`` has set here, or None."""
    return _error_code.get()


class with_error_code:  # noqa: N801 - used like a function: ``with with_error_code(...)``
    """Within the block, lines of this thread or task without a code of their own carry this one."""

    __slots__ = ("_code", "_token")

    def __init__(self, code: str) -> None:
        self._code = code
        self._token: Token[str | None] | None = None

    def __enter__(self) -> None:
        self._token = _error_code.set(self._code)

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._token is not None:
            _error_code.reset(self._token)
            self._token = None
