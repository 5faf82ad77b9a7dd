"""The processes of one recording: a program, and the child processes that it starts.

A child records into a folder of its own, named after its number, inside the folder of the program
that everything began with. It knows its parent; the parent finds its children by that.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from codetracer_core.regular import read_document
from codetracer_core.session.names import METADATA_NAME, PARENT_VARIABLE, TRACE_VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, MutableMapping
    from typing import Literal, TypeAlias

    Kind: TypeAlias = Literal["fork", "spawn", "exec"]

__all__ = [
    "Child",
    "Inheritance",
    "Parent",
    "children_of",
    "descendants_of",
    "folders_of_children",
    "inherited",
    "leave_nothing_to_children",
    "leave_to_children",
    "metadata_of",
]


class Parent:
    """The recorded process that this one comes from.

    ``root`` is the folder in which the folders of all children are. ``kind`` is ``"fork"`` for a
    copy of the parent, ``"spawn"`` for a program that it has started, ``"exec"`` for one that has
    taken its place.
    """

    __slots__ = ("kind", "pid", "recording_id", "root")

    def __init__(self, root: Path, recording_id: str, pid: int, kind: Kind) -> None:
        self.root = root
        self.recording_id = recording_id
        self.pid = pid
        self.kind = kind

    def described(self) -> dict[str, object]:
        """As the metadata of a trace have it."""
        return {"pid": self.pid, "recording_id": self.recording_id, "kind": self.kind}


class Inheritance:
    """What a child process finds in its environment: its parent, and the parent's settings.

    ``mirrored`` are the files that the parent mirrors, by device and number.
    """

    __slots__ = ("mirrored", "parent", "settings")

    def __init__(
        self,
        parent: Parent,
        settings: Mapping[str, object],
        mirrored: Collection[tuple[int, int]] = (),
    ) -> None:
        self.parent = parent
        self.settings = settings
        self.mirrored = mirrored


class Child:
    """A recorded child process: its number, its folder, and when and how it began."""

    __slots__ = ("folder", "kind", "pid", "recording_id", "started_at")

    def __init__(self, folder: Path, metadata: Mapping[str, object], kind: str) -> None:
        self.folder = folder
        self.kind = kind
        self.pid = metadata.get("pid")
        self.recording_id = metadata.get("recording_id")
        self.started_at = metadata.get("started_at")

    def described(self, root: Path) -> dict[str, object]:
        """As the metadata of its parent have it, whose folder is `root`."""
        return {
            "pid": self.pid,
            "folder": os.path.relpath(self.folder, root),
            "kind": self.kind,
            "started_at": self.started_at,
            "recording_id": self.recording_id,
        }


def leave_to_children(
    environ: MutableMapping[str, str],
    root: Path,
    recording_id: str,
    settings: Mapping[str, object],
    mirrored: Collection[tuple[int, int]],
) -> None:
    """Let programs that get `environ` record themselves in a folder inside `root`.

    They do not mirror the files `mirrored`, as this process does.

    No folder is asked for any longer: a recorder of another name that the program imports would
    take the variable for its own.
    """
    environ.pop(TRACE_VARIABLE, None)
    environ[PARENT_VARIABLE] = json.dumps(
        {
            "root": os.fspath(root),
            "recording_id": recording_id,
            "pid": os.getpid(),
            "settings": settings,
            "mirrored": sorted(mirrored),
        },
        separators=(",", ":"),
    )


def leave_nothing_to_children(environ: MutableMapping[str, str]) -> None:
    """Let no program that gets `environ` record itself."""
    environ.pop(TRACE_VARIABLE, None)
    environ.pop(PARENT_VARIABLE, None)


def inherited(environ: Mapping[str, str]) -> Inheritance | None:
    """What a recorded process has left in `environ` for its children.

    None when nothing, and when somebody has asked for another folder since.
    """
    text = environ.get(PARENT_VARIABLE)
    if not text:
        return None
    try:
        left = json.loads(text)
        root, recording_id, pid = left["root"], left["recording_id"], left["pid"]
        settings = left["settings"]
        mirrored = [(int(device), int(number)) for device, number in left.get("mirrored", ())]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    if not (isinstance(root, str) and isinstance(recording_id, str) and isinstance(pid, int)):
        return None
    if environ.get(TRACE_VARIABLE) or not isinstance(settings, dict):
        return None
    if pid == os.getpid():
        return Inheritance(Parent(Path(root), recording_id, pid, "exec"), settings)
    return Inheritance(Parent(Path(root), recording_id, pid, "spawn"), settings, mirrored)


def folders_of_children(root: Path) -> Iterator[Path]:
    """The folders inside `root` that are named like those of child processes, by number.

    One that began to record before it ran another program has a second one, inside the first.
    """
    try:
        names = [name for name in os.listdir(root) if name.isascii() and name.isdigit()]
    except OSError:
        return
    for name in sorted(names, key=int):
        folder = root / name
        if folder.is_dir() and not folder.is_symlink():
            yield folder
            yield from folders_of_children(folder)


def children_of(root: Path, recording_id: str) -> list[Child]:
    """The recorded children of the process with the recording `recording_id`.

    One in which nothing was recorded up to now is none: it may leave nothing.
    """
    return [
        child
        for child, parent_id in _processes_in(root)
        if parent_id == recording_id and not _is_empty(child.folder)
    ]


def descendants_of(root: Path, recording_id: str) -> list[Child]:
    """The same with the children of the children, and so on, by number."""
    processes = [process for process in _processes_in(root) if not _is_empty(process[0].folder)]
    family, count = {recording_id}, 0
    while len(family) > count:
        count = len(family)
        family.update(str(child.recording_id) for child, parent in processes if parent in family)
    return [child for child, parent in processes if parent in family]


def _processes_in(root: Path) -> Iterator[tuple[Child, str]]:
    """The recorded child processes in `root`, each with the recording of its parent."""
    for folder in folders_of_children(root):
        metadata = metadata_of(folder)
        parent = metadata.get("parent")
        if isinstance(parent, dict):
            child = Child(folder, metadata, str(parent.get("kind")))
            yield child, str(parent.get("recording_id"))


def _is_empty(folder: Path) -> bool:
    """Whether nothing was recorded in `folder` up to now."""
    from codetracer_core.errors import RecorderError
    from codetracer_core.journal.reader import journal_is_empty

    try:
        return not (folder / METADATA_NAME).exists() and all(
            map(journal_is_empty, folder.glob("trace.*.ctj"))
        )
    except RecorderError:
        return False


def metadata_of(folder: Path) -> Mapping[str, object]:
    """What the trace in `folder`, or else its journal, says of itself; empty for neither."""
    from codetracer_core.errors import RecorderError
    from codetracer_core.journal.reader import journal_metadata

    try:
        metadata = json.loads(read_document(folder / METADATA_NAME))
        if isinstance(metadata, dict):
            return metadata
    except (OSError, ValueError, RecursionError):
        pass
    for journal in sorted(folder.glob("trace.*.ctj"), reverse=True):
        try:
            found = journal_metadata(journal)
        except RecorderError:
            continue
        return {**found, "recording_id": journal.name.split(".")[1]}
    return {}
