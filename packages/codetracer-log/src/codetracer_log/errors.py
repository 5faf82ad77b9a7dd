"""What callers of this package can do wrong."""

from __future__ import annotations

__all__ = [
    "ERR_INVALID_LOG_SPEC",
    "ERR_INVALID_METRICS_SINK",
    "ERR_IO",
    "LogError",
    "LogSpecError",
    "MetricsSinkError",
]

ERR_INVALID_LOG_SPEC = "ERR_INVALID_LOG_SPEC"
"""A level specification has a level or a part that cannot be read."""

ERR_INVALID_METRICS_SINK = "ERR_INVALID_METRICS_SINK"
"""An object without the methods of a sink was to be installed."""

ERR_IO = "ERR_IO"
"""A log file cannot be opened or written."""


class LogError(Exception):
    """Base of every failure of this package.

    ``kind`` is always ``Usage``: the destination of a log failing is reported in the log, never
    raised. ``context`` holds details as texts.
    """

    kind: str = "Usage"

    def __init__(self, code: str, message: str, /, **context: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.context: dict[str, str] = context

    def __str__(self) -> str:
        details = ", ".join(f"{key}={self.context[key]}" for key in sorted(self.context))
        return f"[{self.code}] {self.message}" + (f" ({details})" if details else "")


class LogSpecError(LogError, ValueError):
    """A level specification cannot be read."""


class MetricsSinkError(LogError, TypeError):
    """An object is not a metrics sink."""
