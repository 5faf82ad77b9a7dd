"""Names of the forms in which a trace is written.

``binary`` and ``ctfs`` are one container, ``trace.ct``; ``json`` is an array of events.
"""

from __future__ import annotations

__all__ = [
    "DEFAULT_FORMAT",
    "SUPPORTED_FORMATS",
    "TRACE_BINARY",
    "TRACE_CTFS",
    "TRACE_JSON",
    "is_supported",
    "normalize_format",
]

TRACE_BINARY: str = "binary"
TRACE_CTFS: str = "ctfs"
TRACE_JSON: str = "json"
DEFAULT_FORMAT: str = TRACE_BINARY
SUPPORTED_FORMATS: frozenset[str] = frozenset({TRACE_BINARY, TRACE_CTFS, TRACE_JSON})


def normalize_format(value: str | None) -> str:
    """`value` in lower case, the default for None; whether it is supported is not asked."""
    return DEFAULT_FORMAT if value is None else value.lower()


def is_supported(value: str) -> bool:
    """Whether `value`, in any case, is one of the supported names."""
    return value.lower() in SUPPORTED_FORMATS
