"""The output folder: made and checked before the program starts, cleared of an older trace."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from codetracer_core.session.errors import TraceDirConflictError, TraceDirError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "METADATA_NAME",
    "PATHS_NAME",
    "RECORDER_NAME",
    "TRACE_NAME",
    "OutputFolder",
    "discard",
    "prepare_folder",
    "remove_created",
]

TRACE_NAME = "trace.ct"
METADATA_NAME = "trace_metadata.json"
PATHS_NAME = "trace_paths.json"
RECORDER_NAME = "codetracer-core"

_MAGIC_OF_SUFFIX = {
    ".ct": b"\xc0\xde\x72\xac\xe2",
    ".ctj": b"CTJOURNL",
    ".ring": b"CTJRING1",
}


_JOURNAL = re.compile(r"trace\.[0-9a-f-]{36}\.(ctj|ring)")
# Of a process that was killed while it made the trace.
_UNFINISHED = re.compile(r"\.trace\.ct\.[0-9]+\.tmp")


class OutputFolder:
    """A folder that a trace can be written to.

    ``path`` is absolute, ``created`` are the folders that were made for it, outermost first, and
    ``previous`` the files of an older trace of ours, which the new trace replaces.
    """

    __slots__ = ("created", "path", "previous")

    def __init__(self, path: Path, created: tuple[Path, ...], previous: tuple[Path, ...]) -> None:
        self.path = path
        self.created = created
        self.previous = previous


def prepare_folder(directory: str | os.PathLike[str]) -> OutputFolder:
    """Make `directory` if need be and see that a trace can be written there.

    Raises TraceDirConflictError when it is no folder or holds a foreign file under a name of ours,
    TraceDirError when it cannot be made or written. Folders made here are removed again then.
    """
    path = Path(os.path.abspath(os.path.expanduser(directory)))
    created = _make(path)
    try:
        _check_writable(path)
        previous = tuple(_previous_trace(path))
    except BaseException:
        remove_created(created)
        raise
    return OutputFolder(path, created, previous)


def remove_created(created: Iterable[Path]) -> None:
    """Remove the folders of a trace that did not come about, as far as they are empty."""
    for folder in reversed(tuple(created)):
        try:
            folder.rmdir()
        except OSError:
            return


def discard(files: Iterable[Path]) -> None:
    """Remove the files of an older trace.

    Raises TraceDirError for the first one that cannot be removed.
    """
    for file in files:
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
    if path.is_dir():
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


def _check_writable(path: Path) -> None:
    probe = path / f".codetracer-{os.getpid()}.probe"
    try:
        os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        probe.unlink()
    except OSError as error:
        raise TraceDirError(
            "ERR_TRACE_DIR_NOT_WRITABLE",
            "no file can be written in the output folder; choose another one or change its rights",
            path=path,
            io=error.strerror,
        ) from error


def _previous_trace(path: Path) -> list[Path]:
    """The files of an older trace; a foreign file in their place is a TraceDirConflictError."""
    previous: list[Path] = []
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        raise TraceDirError(
            "ERR_TRACE_DIR_NOT_WRITABLE",
            "the output folder cannot be read; choose another one or change its rights",
            path=path,
            io=error.strerror,
        ) from error
    for name in names:
        file = path / name
        if name in (TRACE_NAME, METADATA_NAME, PATHS_NAME):
            if not _is_ours(file):
                raise TraceDirConflictError(
                    f"the output folder holds a {name} that is not from this recorder;"
                    " move it away or choose another folder",
                    file,
                )
            previous.append(file)
        elif _UNFINISHED.fullmatch(name) or (_JOURNAL.fullmatch(name) and _is_ours(file)):
            if _is_locked(file):
                raise TraceDirConflictError(
                    "another process records into the output folder; choose another one", path
                )
            previous.append(file)
    return previous


def _is_ours(file: Path) -> bool:
    """Whether the content of `file` is what this recorder writes under its name."""
    try:
        if not stat.S_ISREG(file.lstat().st_mode):
            return False
        if file.suffix in _MAGIC_OF_SUFFIX:
            magic = _MAGIC_OF_SUFFIX[file.suffix]
            with file.open("rb") as stream:
                return stream.read(len(magic)) == magic
        return _is_our_json(file)
    except OSError:
        return False


def _is_locked(file: Path) -> bool:
    """Whether a recorder that is still at work has the journal `file` open."""
    import fcntl

    with file.open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _is_our_json(file: Path) -> bool:
    """Whether trace_metadata.json names us, and trace_paths.json is an array of texts."""
    import json

    try:
        content = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return False
    if file.name == PATHS_NAME:
        return isinstance(content, list) and all(isinstance(path, str) for path in content)
    recorder = content.get("recorder") if isinstance(content, dict) else None
    return isinstance(recorder, dict) and recorder.get("name") == RECORDER_NAME
