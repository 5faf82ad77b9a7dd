"""What a trace says about itself: ``meta.dat`` in the container, and the JSON files beside it."""

from __future__ import annotations

import json
import os

from codetracer_core.ctfs.layout import (
    CALL_STREAM,
    COLUMNS,
    EVENT_STREAM,
    META_HEAD,
    META_MAGIC,
    META_VERSION,
    STEP_STREAM,
    TRACE_FILTERS,
    VALUE_STREAM,
)
from codetracer_core.ctfs.materialiser_streams import blob
from codetracer_core.ctfs.temporary import open_new, temporary_beside
from codetracer_core.ctfs.varint import encode_varint
from codetracer_core.errors import EnvironmentError_
from codetracer_core.journal.identifiers import boot_id, session_id_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from codetracer_core.ctfs.materialiser_sources import Source
    from codetracer_core.journal.reader import JournalReader

__all__ = ["SessionFacts", "meta_record", "metadata_document", "recovery_facts", "write_json"]

_FLAGS = TRACE_FILTERS | COLUMNS | CALL_STREAM | STEP_STREAM | VALUE_STREAM | EVENT_STREAM
_NO_DIGEST = "0" * 64
# The names of the code of programs that are in no file, by the first word of their command line.
_IN_NO_FILE = {"-c": "<string>", "-": "<stdin>"}


class SessionFacts:
    """What the journal's metadata tells, with every key of an expected type.

    What the journal does not say is empty.
    """

    def __init__(self, journal: JournalReader) -> None:
        metadata = journal.metadata
        args = metadata.get("args")
        filters = _mapping(metadata.get("trace_filter")).get("filters")
        self.recording_id = session_id_text(journal.session_id)
        self.program = _text(metadata.get("program"))
        self.args = tuple(map(str, args)) if isinstance(args, list) else ()
        self.workdir = _text(metadata.get("workdir"))
        self.main_script = (
            _text(metadata.get("main_script"))
            or _IN_NO_FILE.get(self.program, self.program)
            or "<unknown>"
        )
        self.filters = (
            tuple(filter(None, map(_mapping, filters))) if isinstance(filters, list) else ()
        )
        self.sources = journal.sources
        self.unfinished_since_ns = journal.started_ns if journal.end is None else None
        self.exit_status = _exit_status(_mapping((journal.end or {}).get("exit_status")))


def meta_record(facts: SessionFacts, paths: Sequence[str]) -> bytes:
    """Return ``meta.dat`` for a trace with these paths."""
    out = bytearray(META_HEAD.pack(META_MAGIC, META_VERSION, _FLAGS))
    out += _blob(facts.recording_id) + _blob(facts.program) + encode_varint(len(facts.args))
    for arg in facts.args:
        out += _blob(arg)
    out += _blob(facts.workdir) + _blob("") + encode_varint(len(paths))
    for path in paths:
        out += _blob(path)
    out += encode_varint(len(facts.filters))
    for entry in facts.filters:
        out += _blob(_text(entry.get("path"))) + _digest(entry.get("sha256"))
    return bytes(out)


def metadata_document(
    journal: JournalReader,
    facts: SessionFacts,
    counts: Mapping[str, int],
    sources: Sequence[Source],
    lines: Sequence[int],
    damage: Sequence[str],
) -> dict[str, object]:
    """Return the content of ``trace_metadata.json`` for a session that ended in order."""
    metadata, end = journal.metadata, journal.end or {}
    recorder = _mapping(metadata.get("recorder"))
    status = _mapping(end.get("exit_status"))
    return {
        "recording_id": facts.recording_id,
        "program": facts.program,
        "args": list(facts.args),
        "workdir": facts.workdir,
        "process_exit_status": {
            "code": status.get("code"),
            "label": status.get("label") if journal.end is not None else "<unfinished>",
        },
        "recorder": {**recorder, "target_script": facts.main_script},
        "interpreter": metadata.get("interpreter"),
        "pid": metadata.get("pid"),
        "process_started": metadata.get("process_started"),
        "started_at": metadata.get("started_at"),
        "parent": metadata.get("parent"),
        "children": _listed(end.get("children")),
        "trace_filter": {
            "filters": [dict(entry) for entry in facts.filters],
            "stats": end.get("trace_filter_stats"),
        },
        "io": end.get("io"),
        "counts": dict(counts),
        "ended_by": end.get("ended_by"),
        "dropped": {"chunks": journal.dropped_chunks, "steps": journal.dropped_steps},
        "complete": not damage,
        "damage": list(damage),
        "recovery": None,
        "sources": [source.described(count) for source, count in zip(sources, lines, strict=True)],
    }


def recovery_facts(journal: JournalReader, counts: Mapping[str, int]) -> dict[str, object]:
    """What a trace is made of whose session did not end in order, and what is not there.

    It is the same each time that the trace is made during one run of the machine.
    """
    ring_chunks = journal.ring_chunk_count
    return {
        "journal_chunks": journal.chunk_count - ring_chunks,
        "ring_chunks": ring_chunks,
        "machine_restarted": journal.boot_id != boot_id() if any(journal.boot_id) else None,
        "bytes_dropped": journal.bytes_dropped,
        "chunks_missing": journal.chunks_missing,
        "calls_open": counts["calls_open"],
    }


def write_json(path: Path, document: object) -> None:
    """Write a JSON file in one step: readers see the old file or the new one."""
    temporary = temporary_beside(path)
    data = f"{_in_lines(document)}\n".encode()
    try:
        try:
            with open(open_new(temporary), "wb") as file:
                file.write(data)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        message = f"cannot write {path.name}: {error.strerror}; free space or choose another folder"
        raise EnvironmentError_("ERR_IO", message, path=path, errno=error.errno) from error


def _in_lines(value: object, indent: str = "") -> str:
    """JSON with a line for each key and for each entry of a list.

    For a trace of some hundred sources this takes a tenth of what `json` takes to indent it.
    """
    inner = f"{indent}  "
    if isinstance(value, dict) and value:
        lines = [f"{json.dumps(key)}: {_in_lines(item, inner)}" for key, item in value.items()]
        first, last = "{}"
    elif isinstance(value, list) and value:
        lines = [*map(json.dumps, value)]
        first, last = "[]"
    else:
        return json.dumps(value)
    between = f",\n{inner}"
    return f"{first}\n{inner}{between.join(lines)}\n{indent}{last}"


def _exit_status(status: Mapping[str, object]) -> int | str | None:
    code, label = status.get("code"), status.get("label")
    if isinstance(code, int):
        return code if -(1 << 63) <= code < 1 << 63 else str(code)
    return label if isinstance(label, str) else None


def _digest(value: object) -> bytes:
    try:
        digest = bytes.fromhex(_text(value) or _NO_DIGEST)
    except ValueError:
        digest = b""
    return digest if len(digest) == 32 else bytes(32)


def _blob(text: str) -> bytes:
    return blob(text.encode("utf-8", "backslashreplace"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []
