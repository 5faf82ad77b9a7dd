"""The names of the files in the folder of a recording, of what writes them and what asks for it."""

from __future__ import annotations

__all__ = [
    "COMPATIBLE_NAME",
    "JSON_TRACE_NAME",
    "METADATA_NAME",
    "PARENT_VARIABLE",
    "PATHS_NAME",
    "RECORDER_NAME",
    "TRACE_NAME",
    "TRACE_VARIABLE",
]

TRACE_NAME = "trace.ct"
JSON_TRACE_NAME = "trace.json"
METADATA_NAME = "trace_metadata.json"
PATHS_NAME = "trace_paths.json"
RECORDER_NAME = "codetracer-core"
COMPATIBLE_NAME = "codetracer_python_recorder"
"""What the metadata name as the recorder where this one stands in for the one of that name."""

TRACE_VARIABLE = "CODETRACER_TRACE"
"""Names the output folder of programs that record themselves."""

PARENT_VARIABLE = "CODETRACER_TRACE_PARENT"
"""Tells a child process who has started it, and how it is to be recorded; of use to us alone."""
