"""The names that the package exports for recording from inside a program."""

from __future__ import annotations

from .formats import DEFAULT_FORMAT, TRACE_BINARY, TRACE_JSON
from .session import TraceSession, flush, is_tracing, start, stop, trace

__all__ = [
    "DEFAULT_FORMAT",
    "TRACE_BINARY",
    "TRACE_JSON",
    "TraceSession",
    "flush",
    "is_tracing",
    "start",
    "stop",
    "trace",
]
