"""What lies in an output folder already: an older trace, foreign files, a recorder at work."""

from __future__ import annotations

import os
import re
import stat

from codetracer_core.ctfs.temporary import is_temporary
from codetracer_core.journal.lock import is_locked
from codetracer_core.regular import read_document
from codetracer_core.session.errors import TraceDirConflictError
from codetracer_core.session.family import folders_of_children, metadata_of
from codetracer_core.session.names import (
    COMPATIBLE_NAME,
    JSON_TRACE_NAME,
    METADATA_NAME,
    PATHS_NAME,
    RECORDER_NAME,
    TRACE_NAME,
)
from codetracer_core.session.processes import ancestors, own_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from codetracer_core.session.processes import Process

__all__ = [
    "PreviousTrace",
    "find_previous",
    "journal_names",
    "journals_in",
    "unfinished_files",
]

_MAGIC_OF_SUFFIX = {
    ".ct": b"\xc0\xde\x72\xac\xe2",
    ".ctj": b"CTJOURNL",
    ".ring": b"CTJRING1",
}
_JOURNAL = re.compile(r"trace\.[0-9a-f-]{36}\.(ctj|ring)")


class PreviousTrace:
    """The files of an older trace in a folder, and of those of its child processes.

    ``children`` are the folders of these. ``busy`` tells that the folder is not to be had: another
    process records into it, or the trace is that of a process which this one descends from, or of
    this one before it ran another program.
    """

    __slots__ = ("busy", "children", "files")

    def __init__(
        self, files: tuple[Path, ...] = (), children: tuple[Path, ...] = (), *, busy: bool
    ) -> None:
        self.files = files
        self.children = children
        self.busy = busy


def find_previous(path: Path, *, json: bool = False) -> PreviousTrace:
    """Look for an older trace in the folder `path`, where one in JSON is to be written if `json`.

    Raises TraceDirConflictError for a foreign file that would be overwritten, OSError when the
    folder cannot be read.
    """
    files = unfinished_files(path)
    names = sorted(os.listdir(path))
    journals = [path / name for name in names if _JOURNAL.fullmatch(name)]
    journals = [file for file in journals if _is_ours(file)]
    if any(is_locked(file) for file in journals if file.suffix == ".ctj"):
        return PreviousTrace(busy=True)
    for name in (TRACE_NAME, METADATA_NAME, PATHS_NAME, JSON_TRACE_NAME):
        if name not in names:
            continue
        if not _is_ours(path / name):
            if name == JSON_TRACE_NAME and not json:
                continue
            raise TraceDirConflictError(
                f"the output folder holds a {name} that is not from this recorder;"
                " move it away or choose another folder",
                path / name,
            )
        files.append(path / name)
    files += journals
    if files and _is_of_family(path, journals):
        return PreviousTrace(busy=True)
    children = []
    for folder, inner in _children_in(path):
        children.append(folder)
        files += inner
    return PreviousTrace(tuple(files), tuple(children), busy=False)


def _children_in(path: Path) -> Iterator[tuple[Path, tuple[Path, ...]]]:
    """The folders of child processes in `path` that have ended, and the files of their traces."""
    for folder in folders_of_children(path):
        if not metadata_of(folder).get("parent"):
            continue  # somebody else's, or another recording that found this folder in use
        try:
            inner = find_previous(folder)
        except (TraceDirConflictError, OSError):
            continue
        if not inner.busy:
            yield folder, inner.files


def unfinished_files(path: Path) -> list[Path]:
    """What a process that was killed while it made the trace has left in the folder `path`."""
    return [path / name for name in sorted(os.listdir(path)) if is_temporary(name)]


def journals_in(path: Path) -> list[Path]:
    """The journals in the folder `path`, the newest last. Raises OSError."""
    files = [path / name for name in sorted(journal_names(path)) if name.endswith(".ctj")]
    return [file for file in files if _is_ours(file)]


def journal_names(path: Path) -> frozenset[str]:
    """The names of files in the folder `path` that are those of journals."""
    return frozenset(name for name in os.listdir(path) if _JOURNAL.fullmatch(name))


def _is_of_family(path: Path, journals: list[Path]) -> bool:
    """Whether the trace in `path` is an ancestor's, or unfinished and of this very process."""
    family: set[Process] = set(ancestors())
    own = own_process()
    if _process_of_trace(path) in family:
        return True
    for journal in journals:
        if journal.suffix == ".ctj":
            unfinished = journal.with_suffix(".ring") in journals
            recorded = _process_of_journal(journal)
            if recorded in family or (unfinished and recorded == own):
                return True
    return False


def _process_of_trace(path: Path) -> Process | None:
    import json

    try:
        return _process(json.loads(read_document(path / METADATA_NAME)))
    except (OSError, ValueError, RecursionError):
        return None


def _process_of_journal(journal: Path) -> Process | None:
    from codetracer_core.errors import RecorderError
    from codetracer_core.journal.reader import JournalReader

    try:
        with JournalReader(journal) as reader:
            return _process(reader.metadata)
    except RecorderError:
        return None


def _process(metadata: object) -> Process | None:
    if not isinstance(metadata, dict):
        return None
    pid, started = metadata.get("pid"), metadata.get("process_started")
    return (pid, started) if isinstance(pid, int) and isinstance(started, int) else None


def _is_ours(file: Path) -> bool:
    """Whether the content of `file` is what this recorder writes under its name."""
    try:
        if not stat.S_ISREG(file.lstat().st_mode):
            return False
        if file.suffix in _MAGIC_OF_SUFFIX:
            magic = _MAGIC_OF_SUFFIX[file.suffix]
            with file.open("rb") as stream:
                return stream.read(len(magic)) == magic
        if file.name == JSON_TRACE_NAME:
            # An array of events names no recorder; its metadata do.
            with file.open("rb") as stream:
                return stream.read(1) == b"[" and _is_ours(file.with_name(METADATA_NAME))
        return _is_our_json(file)
    except OSError:
        return False


def _is_our_json(file: Path) -> bool:
    """Whether trace_metadata.json names us, and trace_paths.json is an array of texts."""
    import json

    try:
        content = json.loads(read_document(file))
    except (ValueError, RecursionError):
        return False
    if file.name == PATHS_NAME:
        return isinstance(content, list) and all(isinstance(path, str) for path in content)
    recorder = content.get("recorder") if isinstance(content, dict) else None
    return isinstance(recorder, dict) and recorder.get("name") in (RECORDER_NAME, COMPATIBLE_NAME)
