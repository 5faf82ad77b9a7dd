"""Recording the calls of a function: ``@codetracer_core.trace(DIR)``."""

from __future__ import annotations

from contextlib import nullcontext
from functools import wraps

from codetracer_core.session.errors import InvalidTypeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Any, TypeAlias

    Recording: TypeAlias = AbstractContextManager[object]

__all__ = ["decorate"]

# Flags of code objects (the module inspect, which names them, is slow to import).
_GENERATOR = 0x20
_COROUTINE = 0x80
_ASYNC_GENERATOR = 0x200


def decorate(function: Any, recording: Callable[[], Recording | None]) -> Any:
    """`function` with each call inside what `recording` gives; None for a call that needs none.

    Raises InvalidTypeError for what is no function, and for a generator function.
    """
    flags = _flags(function)
    if flags & (_GENERATOR | _ASYNC_GENERATOR):
        raise _misuse(
            f"{function.__qualname__} is a generator function, whose calls may never end:"
            " record what uses it"
        )
    if flags & _COROUTINE:

        @wraps(function)
        async def recorded_coroutine(*args: Any, **kwargs: Any) -> Any:
            with recording() or nullcontext():
                return await function(*args, **kwargs)

        return recorded_coroutine

    @wraps(function)
    def recorded(*args: Any, **kwargs: Any) -> Any:
        with recording() or nullcontext():
            return function(*args, **kwargs)

    return recorded


def _flags(function: Any) -> int:
    """The flags of the function's code; 0 for a callable that has none."""
    if not callable(function) or isinstance(function, type):
        raise _misuse(f"only functions can be decorated, not {function!r:.80}")
    code = getattr(function, "__code__", None)
    flags: int = getattr(code, "co_flags", 0)
    return flags


def _misuse(message: str) -> InvalidTypeError:
    return InvalidTypeError("ERR_INVALID_ARGUMENT", message)
