"""The names of the files in the folder of a recording, and of what writes them."""

from __future__ import annotations

__all__ = ["JSON_TRACE_NAME", "METADATA_NAME", "PATHS_NAME", "RECORDER_NAME", "TRACE_NAME"]

TRACE_NAME = "trace.ct"
JSON_TRACE_NAME = "trace.json"
METADATA_NAME = "trace_metadata.json"
PATHS_NAME = "trace_paths.json"
RECORDER_NAME = "codetracer-core"
