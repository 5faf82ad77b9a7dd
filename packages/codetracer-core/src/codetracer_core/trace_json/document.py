"""The files of the JSON form: ``trace.json``, and what describes it beside it."""

from __future__ import annotations

import os
from json import JSONDecodeError, loads

from codetracer_core.ctfs.materialiser_meta import write_json
from codetracer_core.ctfs.reader import Trace
from codetracer_core.ctfs.temporary import open_new, temporary_beside
from codetracer_core.errors import EnvironmentError_
from codetracer_core.regular import read_document
from codetracer_core.session.names import JSON_TRACE_NAME, METADATA_NAME, PATHS_NAME
from codetracer_core.trace_json.events import EventStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

__all__ = ["write_trace_json"]


def write_trace_json(trace: Path, directory: Path) -> Path:
    """Write ``trace.json`` of the finished `trace`, a ``.ct``, into `directory`; return its path.

    ``trace_metadata.json`` and ``trace_paths.json`` are written first. Each file appears complete
    or not at all. Memory does not grow with the length of the trace.

    Raises TraceError when `trace` cannot be read and EnvironmentError_ (``ERR_IO``) when a file
    cannot be written; an older ``trace.json`` stays as it was then.
    """
    path = directory / JSON_TRACE_NAME
    temporary = temporary_beside(path)
    with Trace(trace) as source:
        write_json(directory / METADATA_NAME, _metadata(source, trace.parent / METADATA_NAME))
        write_json(directory / PATHS_NAME, list(source.paths))
        try:
            try:
                with open(open_new(temporary), "wb") as file:
                    _write_events(source, file)
                os.replace(temporary, path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        except OSError as error:
            message = (
                f"cannot write {path.name}: {error.strerror}; free space or choose another folder"
            )
            raise EnvironmentError_("ERR_IO", message, path=path, errno=error.errno) from error
    return path


def _write_events(trace: Trace, file: BinaryIO) -> None:
    before = "["
    for records in EventStream(trace).batches():
        # A lone surrogate has no UTF-8; the replacement stands inside a JSON string.
        file.write((before + ",\n".join(records)).encode("utf-8", "replace"))
        before = ",\n"
    file.write(b"]\n")


def _metadata(trace: Trace, beside: Path) -> dict[str, object]:
    """The description that was written with the trace, or what the trace alone can tell."""
    try:
        document = loads(read_document(beside))
        if isinstance(document, dict):
            return document
    except (OSError, JSONDecodeError, UnicodeDecodeError, RecursionError):
        pass
    meta = trace.meta
    end = trace.call(0).return_value if trace.call_count else None
    return {
        "recording_id": meta.recording_id,
        "program": meta.program,
        "args": list(meta.args),
        "workdir": meta.workdir,
        "process_exit_status": {
            "code": end.data if end is not None and end.kind == "Int" else None,
            "label": end.data if end is not None and end.kind == "String" else None,
        },
        "recorder": {"name": meta.recorder},
        "trace_filter": {
            "filters": [{"path": used.path, "sha256": used.sha256} for used in meta.filters],
            "stats": None,
        },
    }
