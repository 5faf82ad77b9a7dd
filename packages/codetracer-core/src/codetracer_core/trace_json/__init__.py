"""The ``trace.json`` form of a trace: one JSON array of everything that happened, in order."""

from __future__ import annotations

from codetracer_core.trace_json.document import write_trace_json

__all__ = ["write_trace_json"]
