"""The output folder: made and checked before the program starts, cleared of an older trace."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from codetracer_core.ctfs.temporary import open_new, temporary_beside
from codetracer_core.journal.lock import is_locked
from codetracer_core.session.errors import (
    TraceDirConflictError,
    TraceDirError,
    TraceInUseError,
    path_text,
)
from codetracer_core.session.previous import find_previous, journal_names, journals_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from codetracer_core.session.previous import PreviousTrace

__all__ = [
    "OutputFolder",
    "discard",
    "own_subfolder",
    "prepare_folder",
    "prepare_target",
    "remove_created",
]


class OutputFolder:
    """A folder that a trace can be written to.

    ``path`` is absolute, ``created`` are the folders that were made for it, outermost first, and
    ``previous`` the files of an older trace of ours and of its child processes, which the new trace
    replaces.
    """

    __slots__ = ("_children", "_journals", "created", "path", "previous")

    def __init__(
        self,
        path: Path,
        created: tuple[Path, ...],
        previous: PreviousTrace,
        journals: frozenset[str],
    ) -> None:
        self.path = path
        self.created = created
        self.previous = previous.files
        self._children = previous.children
        self._journals = journals

    def clear(self) -> None:
        """Remove the older trace, with the folders of its child processes as far as nothing else
        is in them.

        Raises TraceDirError for the first file that cannot be removed.
        """
        discard(self.previous)
        for folder in reversed(self._children):
            with suppress(OSError):
                folder.rmdir()

    def is_shared(self, journal: Path) -> bool:
        """Whether a journal other than `journal` has come into the folder since it was prepared."""
        return any(
            Path(name).stem != journal.stem
            for name in journal_names(self.path) - self._journals
            if name.endswith(".ctj")
        )


def prepare_folder(directory: str | os.PathLike[str], *, json: bool = False) -> OutputFolder:
    """Make `directory` if need be and see that a trace, in JSON if `json`, can be written there.

    Where another process records, and where a process that this one descends from has recorded,
    the folder is one inside of it that is named after the number of this process.

    Raises UsageError for what is no path, TraceDirConflictError when it is no folder or holds a
    foreign file under a name of ours, TraceDirError when it cannot be made or written. Folders made
    here are removed again then.
    """
    path = Path(os.path.abspath(path_text(directory, "the output folder")))
    created = _make(path)
    try:
        _check_writable(path)
        journals, previous = _look_into(path, json=json)
    except BaseException:
        remove_created(created)
        raise
    if previous.busy:
        return prepare_folder(path / str(os.getpid()), json=json)
    return OutputFolder(path, created, previous, journals)


def prepare_target(directory: Path) -> None:
    """Make `directory` if need be and see that the trace of a journal can be written there.

    Raises as :func:`prepare_folder` does, but for a recorder that is at work there:
    TraceInUseError.
    """
    created = _make(directory)
    try:
        _check_writable(directory)
        _look_into(directory, json=False)
    except BaseException:
        remove_created(created)
        raise
    if any(map(is_locked, journals_in(directory))):
        raise TraceInUseError(directory)


def own_subfolder(folder: OutputFolder, *, json: bool = False) -> OutputFolder:
    """The folder to use instead of `folder`, in which another recorder was quicker.

    Raises as :func:`prepare_folder` does.
    """
    inner = prepare_folder(folder.path / str(os.getpid()), json=json)
    inner.created = (*folder.created, *inner.created)
    return inner


def remove_created(created: Iterable[Path]) -> None:
    """Remove the folders of a trace that did not come about, as far as they are empty."""
    for folder in reversed(tuple(created)):
        try:
            folder.rmdir()
        except OSError:
            return


def discard(files: Iterable[Path]) -> None:
    """Remove the files of an older trace.

    A ring whose journal is being written is none: it was made a moment before its journal, by a
    recorder that started meanwhile. Raises TraceDirError for the first that cannot be removed.
    """
    for file in files:
        if file.suffix == ".ring" and is_locked(file.with_suffix(".ctj")):
            continue
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise TraceDirError(
                "ERR_IO",
                "an older trace in the output folder cannot be removed;"
                " remove it or choose another folder",
                path=file,
                io=error.strerror,
            ) from error


def _make(path: Path) -> tuple[Path, ...]:
    _refuse_planted_link(path)
    if os.path.isdir(path):  # pathlib's raises for a name that is too long
        return ()
    if os.path.lexists(path):
        raise TraceDirConflictError(
            "the output folder is a file; choose another name or remove it", path
        )
    missing = [path]
    while not os.path.lexists(missing[-1].parent):
        missing.append(missing[-1].parent)
    made: list[Path] = []
    for folder in reversed(missing):
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        except OSError as error:
            remove_created(made)
            raise TraceDirError(
                "ERR_TRACE_DIR_CREATE_FAILED",
                "the output folder cannot be created; choose a place that you may write to",
                path=path,
                io=error.strerror,
            ) from error
        made.append(folder)
    return tuple(made)


def _refuse_planted_link(path: Path) -> None:
    """Raise TraceDirConflictError when `path` is a link that another user may have laid out for us.

    One of ours, of root or of the owner of the folder that it stands in is meant to be followed.
    """
    try:
        link = path.lstat()
        trusted = (os.geteuid(), 0, path.parent.stat().st_uid)
    except OSError:
        return  # using the path says why
    if stat.S_ISLNK(link.st_mode) and link.st_uid not in trusted:
        raise TraceDirConflictError(
            "the output folder is a symbolic link that belongs to another user;"
            " choose another name, or give the folder that it leads to",
            path,
        )


def _check_writable(path: Path) -> None:
    probe = temporary_beside(path / "trace.probe")
    try:
        os.close(open_new(probe))
        probe.unlink()
    except OSError as error:
        raise TraceDirError(
            "ERR_TRACE_DIR_NOT_WRITABLE",
            "no file can be written in the output folder; choose another one or change its rights",
            path=path,
            io=error.strerror,
        ) from error


def _look_into(path: Path, *, json: bool) -> tuple[frozenset[str], PreviousTrace]:
    """The names of the journals in `path`, and what is there of an older trace."""
    try:
        return journal_names(path), find_previous(path, json=json)
    except OSError as error:
        raise TraceDirError(
            "ERR_TRACE_DIR_NOT_WRITABLE",
            "the output folder cannot be read; choose another one or change its rights",
            path=path,
            io=error.strerror,
        ) from error
