"""From an event to one line of bytes, by a private structlog logger or, failing that, without."""

from __future__ import annotations

import os
import sys
import time

from codetracer_log._identity import active_trace_id, run_id
from codetracer_log._json import encode, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from typing import Any

    Event = MutableMapping[str, Any]
    Step = Callable[[Any, str, Event], Event]

__all__ = ["LOG_LINE", "TRAILER", "Pipeline"]

_LOG_KEYS = (
    "ts_micros",
    "level",
    "target",
    "run_id",
    "trace_id",
    "message",
    "error_code",
    "module_path",
    "file",
    "line",
    "fields",
)
_TRAILER_KEYS = ("context", "error_code", "error_kind", "message", "run_id", "trace_id")


def _stamp(_logger: object, _method: str, event: Event) -> Event:
    event["ts_micros"] = time.time_ns() // 1000
    return event


def _identify(_logger: object, _method: str, event: Event) -> Event:
    event["run_id"] = run_id()
    event["trace_id"] = active_trace_id()
    return event


def _arrange_log_line(_logger: object, _method: str, event: Event) -> Event:
    """Keys in the order of the format; what is unknown or empty is left out."""
    return {key: plain(event[key]) for key in _LOG_KEYS if event.get(key) not in (None, {})}


def _arrange_trailer(_logger: object, _method: str, event: Event) -> Event:
    return {key: plain(event.get(key)) for key in _TRAILER_KEYS}


class _Encoder:
    """What structlog takes for the wrapped logger: its last processor's text becomes the line."""

    __slots__ = ()

    def line(self, text: str) -> bytes:
        # In JSON the escape \udc80 is how a lone surrogate is written, and backslashreplace
        # writes just that.
        return text.encode("utf-8", "backslashreplace") + b"\n"


_importing_process = 0
"""The process in which a thread is importing structlog now; 0 for none."""


class Pipeline:
    """Turns the events of one kind into lines.

    structlog takes 90 ms to import, so it is imported when the first line is made. The global
    configuration of structlog is neither read nor changed.
    """

    __slots__ = ("_bound", "_steps")

    def __init__(self, *steps: Step) -> None:
        self._steps = steps
        self._bound: Any = None

    def line(self, event: dict[str, object]) -> bytes | None:
        """One JSON object and a line end; None when the interpreter is too far gone to make one."""
        if not sys.is_finalizing():
            try:
                if self._bound is None:
                    self._bound = self._bind()
                line = self._bound.line(**event)
                if isinstance(line, bytes):
                    return line
            except Exception:  # noqa: BLE001 - what the program calls structlog may be anything
                pass
        try:
            return self._line_without_structlog(event)
        except Exception:  # noqa: BLE001 - modules that go down leave None in place of anything
            return None

    def _bind(self) -> object:
        structlog = _import_structlog()
        return structlog.wrap_logger(
            _Encoder(),
            processors=[*self._steps, structlog.processors.JSONRenderer(serializer=encode)],
            wrapper_class=structlog.BoundLogger,
            context_class=dict,
            cache_logger_on_first_use=False,
        ).bind()

    def _line_without_structlog(self, event: dict[str, object]) -> bytes:
        ready: Event = dict(event)
        encoder = _Encoder()
        for step in self._steps:
            ready = step(encoder, "line", ready)
        return encoder.line(encode(dict(ready)))


def _import_structlog() -> Any:
    """The module. Raises ImportError, also when a fork has cut off its import in another thread.

    The lock of a module that was being imported then is held for ever.
    """
    global _importing_process
    if _importing_process not in (0, os.getpid()):
        raise ImportError("the import of structlog was cut off by a fork")
    encode({})  # loads json, so that its import is not cut off together with structlog's
    _importing_process = os.getpid()
    try:
        import structlog
    finally:
        _importing_process = 0
    return structlog


LOG_LINE = Pipeline(_stamp, _identify, _arrange_log_line)
TRAILER = Pipeline(_identify, _arrange_trailer)
