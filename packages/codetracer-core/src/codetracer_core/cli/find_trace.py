"""From the folder of a recording to its trace, made from the journal where there is only that."""

from __future__ import annotations

import json

from codetracer_core.cli.report import shell_operand
from codetracer_core.cli.sources import RecordedSource
from codetracer_core.errors import UsageError
from codetracer_core.journal.format import JOURNAL_MAGIC, RING_MAGIC
from codetracer_core.session.errors import as_recorder_error
from codetracer_core.session.names import METADATA_NAME, TRACE_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from codetracer_core.cli.report import Stderr

__all__ = ["find_trace", "recorded_sources"]


def find_trace(place: Path, stderr: Stderr) -> Path:
    """The trace file of the folder or file `place`.

    Where there is only a journal, its trace is made first; `stderr` is told when it is that of a
    program that was killed.
    Raises RecorderError when there is neither.
    """
    if place.is_file():
        _refuse_journal(place)
        return place
    if not place.is_dir():
        raise UsageError("ERR_TRACE_NOT_FOUND", f"there is no trace {str(place)!r}: check the path")
    trace = place / TRACE_NAME
    if trace.is_file():
        return trace
    journals = sorted(place.glob("trace.*.ctj"))
    if journals:
        return _materialise(journals[-1], place, stderr)
    others = sorted(place.glob("*.ct"))
    if len(others) == 1:
        return others[0]
    problem = "several .ct files: name one" if others else "no trace: check the path"
    raise UsageError("ERR_TRACE_NOT_FOUND", f"the folder {str(place)!r} holds {problem}")


def _refuse_journal(file: Path) -> None:
    """Raise UsageError when `file` is what a trace is made from."""
    try:
        with file.open("rb") as stream:
            start = stream.read(len(JOURNAL_MAGIC))
    except OSError:
        return  # opening it as a trace says why
    if start in (JOURNAL_MAGIC, RING_MAGIC):
        raise UsageError(
            "ERR_TRACE_NOT_FOUND",
            f"{str(file)!r} is the journal of a recording, not its trace:"
            f" use codetracer-core show {shell_operand(str(file.parent))}",
        )


def _materialise(journal: Path, folder: Path, stderr: Stderr) -> Path:
    from codetracer_core.ctfs.materialiser import materialise

    try:
        trace = materialise(journal, folder, name=TRACE_NAME)
    except Exception as error:
        raise as_recorder_error(error) from error
    if not trace.complete:
        stderr.line(f"the program ended without closing its trace; made it from {journal.name}")
    path: Path = trace.path
    return path


def recorded_sources(trace: Path) -> dict[str, RecordedSource]:
    """What each source was when it was recorded, by path, from the trace's metadata."""
    try:
        metadata = json.loads((trace.parent / METADATA_NAME).read_bytes())
        return {source["path"]: _recorded(source) for source in metadata["sources"]}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}


def _recorded(source: Mapping[str, object]) -> RecordedSource:
    digest, text = source.get("sha256"), source.get("text")
    return RecordedSource(
        sha256=digest if isinstance(digest, str) else None,
        text=text if isinstance(text, str) else None,
        changed=source.get("changed") is True,
    )
