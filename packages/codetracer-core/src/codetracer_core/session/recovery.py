"""Making the trace of a recording afterwards: of a killed process, or of one left for later."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass

from codetracer_core.errors import EnvironmentError_, TraceError, UsageError
from codetracer_core.journal.lock import is_locked, take_lock
from codetracer_core.regular import read_document
from codetracer_core.session.errors import TraceDirConflictError, TraceInUseError
from codetracer_core.session.family import children_of, folders_of_children
from codetracer_core.session.filesystem import prepare_target
from codetracer_core.session.names import JSON_TRACE_NAME, METADATA_NAME, TRACE_NAME
from codetracer_core.session.previous import journals_in, unfinished_files
from codetracer_core.session.saving import saved_folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from codetracer_core.ctfs.materialiser import MaterialisedTrace

__all__ = ["RecoveredTrace", "make_trace_of", "recover", "recordings_below"]

MADE = "made"
RECOVERED = "recovered"
PRESENT = "present"


@dataclass(frozen=True, slots=True, eq=False)
class RecoveredTrace:
    """What :func:`recover` found or made."""

    journal: Path | None
    """None when only the finished trace is there."""
    trace: Path
    state: str
    """``"recovered"``: made of a session that did not end in order; ``"made"``: of one that did;
    ``"present"``: it was there already, and nothing was done."""
    steps: int | None
    """None for a ``trace.json`` that was there already."""
    calls: int | None
    """Without the one that stands for the whole program; None as with the steps."""
    damage: tuple[str, ...]
    """What of the recording is missing, in words."""
    recovery: Mapping[str, object] | None
    """What the metadata say of the recovery; None when the session had ended in order."""


def recordings_below(folder: Path) -> list[Path]:
    """`folder`, and those of child processes and saved copies in it that hold a recording."""
    places = [folder, *folders_of_children(folder)]
    places += [copy for place in places for copy in saved_folders(place) if not copy.is_symlink()]
    return [folder, *(place for place in places[1:] if _journals(place))]


def _journals(folder: Path) -> list[Path]:
    try:
        return journals_in(folder)
    except OSError as error:
        message = f"the folder cannot be read: {error.strerror}; check its rights"
        raise EnvironmentError_("ERR_IO", message, path=folder, errno=error.errno) from error


def recover(
    place: Path, target: Path | None = None, progress: Callable[[int, int], None] | None = None
) -> RecoveredTrace:
    """Make the trace of the recording in the folder `place`, or of the journal `place`.

    It goes into the folder `target`, which is made if need be, or stays beside the journal. Journal
    and ring are never changed, so it can be done again, also after it was killed, and gives the
    same. A trace of this recording that is there already stays as it is.

    Raises UsageError: ``ERR_TRACE_NOT_FOUND`` where nothing was recorded, TraceInUseError while a
    recorder or another command is at work there, TraceDirConflictError when the target has the
    trace of another recording or a foreign file in its place. Otherwise as ``materialise`` does.
    """
    journal = place if place.is_file() else _newest_journal(place)
    folder = journal.parent if journal is not None else place
    if target is not None:
        prepare_target(target)
    there = _present(journal, target or folder)
    if there is not None:
        return there
    if journal is None:
        raise UsageError("ERR_TRACE_NOT_FOUND", f"nothing was recorded in {str(place)!r}")
    made = make_trace_of(journal, target or folder, progress)
    return RecoveredTrace(
        journal=journal,
        trace=made.path,
        state=MADE if made.recovery is None else RECOVERED,
        steps=made.steps,
        calls=made.calls - 1,
        damage=made.damage,
        recovery=made.recovery,
    )


def make_trace_of(
    journal: Path, directory: Path, progress: Callable[[int, int], None] | None = None
) -> MaterialisedTrace:
    """Make ``trace.ct`` of `journal` in `directory` while nobody else uses the recording.

    Raises TraceInUseError when somebody does, and what ``materialise`` raises.
    """
    from codetracer_core.ctfs.materialiser import materialise

    with _sole_use(journal):
        if directory == journal.parent:
            for file in unfinished_files(directory):
                file.unlink(missing_ok=True)
        return materialise(
            journal,
            directory,
            name=TRACE_NAME,
            progress=progress,
            children=_children_of(journal),
        )


def _children_of(journal: Path) -> list[dict[str, object]]:
    """The recorded children of a process that could not list them itself."""
    recording_id = _id_of(journal)  # the journal may have been given another name
    if recording_id is None:
        return []
    folder = journal.parent
    # The folders of all descendants are in that of the first process.
    roots = [folder, folder.parent] if folder.name.isdigit() else [folder]
    found = {child.folder: child for root in roots for child in children_of(root, recording_id)}
    return [child.described(folder) for child in found.values()]


@contextmanager
def _sole_use(journal: Path) -> Iterator[None]:
    """Hold the lock that a recorder holds; the system releases it when this process is killed."""
    others = (file for file in journals_in(journal.parent) if file.name != journal.name)
    if any(map(is_locked, others)):
        raise TraceInUseError(journal.parent)
    try:
        descriptor = os.open(journal, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        message = f"the journal cannot be opened: {error.strerror}; check its rights"
        raise EnvironmentError_("ERR_IO", message, path=journal, errno=error.errno) from error
    try:
        if not take_lock(descriptor):
            raise TraceInUseError(journal.parent)
        yield
    finally:
        os.close(descriptor)


def _newest_journal(folder: Path) -> Path | None:
    if not folder.is_dir():
        raise UsageError(
            "ERR_TRACE_NOT_FOUND", f"there is no recording {str(folder)!r}: check the path"
        )
    journals = _journals(folder)
    return journals[-1] if journals else None


def _present(journal: Path | None, folder: Path) -> RecoveredTrace | None:
    """The finished trace of `journal` in `folder`; None when it is to be made."""
    from codetracer_core.ctfs.reader import Trace

    metadata = _metadata(folder)
    trace = folder / TRACE_NAME
    steps = calls = None
    try:
        with Trace(trace) as reader:
            recording, steps, calls = reader.meta.recording_id, len(reader), reader.call_count - 1
    except TraceError:
        return None  # damaged: the journal gives a better one
    except EnvironmentError_:
        trace = folder / JSON_TRACE_NAME
        named = metadata.get("recording_id")
        if not trace.is_file() or not isinstance(named, str):
            return None
        recording = named
    if journal is not None and _id_of(journal) not in (None, recording):
        raise TraceDirConflictError(
            "the folder holds the trace of another recording; give another one with --out-dir",
            trace,
        )
    damage, recovery = metadata.get("damage"), metadata.get("recovery")
    return RecoveredTrace(
        journal=journal,
        trace=trace,
        state=PRESENT,
        steps=steps,
        calls=calls,
        damage=tuple(map(str, damage)) if isinstance(damage, list) else (),
        recovery=recovery if isinstance(recovery, dict) else None,
    )


def _id_of(journal: Path) -> str | None:
    """The id of the recording; None when the journal does not say."""
    from codetracer_core.journal.format import JOURNAL_HEADER
    from codetracer_core.journal.identifiers import session_id_text

    try:
        with journal.open("rb") as file:
            head = file.read(JOURNAL_HEADER.size)
    except OSError:
        return None  # opening it for the trace says why
    if len(head) < JOURNAL_HEADER.size:
        return None
    return session_id_text(JOURNAL_HEADER.unpack(head)[4])


def _metadata(folder: Path) -> Mapping[str, object]:
    import json

    try:
        document = json.loads(read_document(folder / METADATA_NAME))
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
