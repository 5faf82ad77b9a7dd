"""From the folder of a recording to its trace, made from the journal where there is only that."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path

from codetracer_core.cli.report import Progress, shell_operand
from codetracer_core.cli.sources import RecordedSource
from codetracer_core.errors import EnvironmentError_, UsageError
from codetracer_core.journal.format import JOURNAL_MAGIC, RING_MAGIC
from codetracer_core.regular import read_document
from codetracer_core.session.errors import as_recorder_error
from codetracer_core.session.names import METADATA_NAME, TRACE_NAME
from codetracer_core.session.previous import journals_in
from codetracer_core.session.recovery import make_trace_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from codetracer_core.cli.report import Stderr

__all__ = ["found_trace", "recorded_sources"]


@contextmanager
def found_trace(place: Path, stderr: Stderr) -> Iterator[Path]:
    """The trace file of the folder or file `place`, which is there while the context lasts.

    Where there is only a journal, its trace is made first; `stderr` is told when it is that of a
    program that was killed. Where the folder cannot be written, the trace is made in a folder of
    its own that goes again.
    Raises RecorderError when there is neither, and while the recording is in use.
    """
    if place.is_file():
        _refuse_journal(place)
        yield place
        return
    if not place.is_dir():
        raise UsageError("ERR_TRACE_NOT_FOUND", f"there is no trace {str(place)!r}: check the path")
    trace = place / TRACE_NAME
    if trace.is_file():
        yield trace
        return
    journals = _journals(place)
    if journals and os.access(place, os.W_OK):
        yield _materialise(journals[-1], place, stderr)
        return
    if journals:
        from tempfile import TemporaryDirectory

        with TemporaryDirectory(prefix="codetracer-") as passing:
            trace = _materialise(journals[-1], Path(passing), stderr)
            stderr.line(
                f"the folder {str(place)!r} cannot be written, so the trace was made for this once;"
                f" codetracer-core recover --out-dir NEW {shell_operand(str(place))} keeps one"
            )
            yield trace
        return
    others = sorted(place.glob("*.ct"))
    if len(others) == 1:
        yield others[0]
        return
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


def _journals(folder: Path) -> list[Path]:
    try:
        return journals_in(folder)
    except OSError as error:
        message = f"the folder cannot be read: {error.strerror}; check its rights"
        raise EnvironmentError_("ERR_IO", message, path=folder, errno=error.errno) from error


def _materialise(journal: Path, folder: Path, stderr: Stderr) -> Path:
    try:
        trace = make_trace_of(journal, folder, Progress(stderr))
    except Exception as error:
        raise as_recorder_error(error) from error
    if trace.recovery is not None:
        stderr.line(f"the program ended without closing its trace; made it from {journal.name}")
    for missing in trace.damage[: -1 if trace.recovery is not None else None]:
        stderr.line(f"the trace is not whole: {missing}")
    path: Path = trace.path
    return path


def recorded_sources(trace: Path) -> dict[str, RecordedSource]:
    """What each source was when it was recorded, by path, from the trace's metadata."""
    try:
        metadata = json.loads(read_document(trace.parent / METADATA_NAME))
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
