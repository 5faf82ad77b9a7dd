"""Copies of a trace that are saved while the recording goes on."""

from __future__ import annotations

from itertools import count

from codetracer_core.session.errors import TraceDirError
from codetracer_core.session.filesystem import prepare_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from pathlib import Path

__all__ = ["save_folder", "saved_folders", "signal_number"]

_PREFIX = "save-"


def save_folder(session_folder: Path, path: str | os.PathLike[str] | None) -> Path:
    """The folder for a copy: `path`, where an older trace is replaced, or the next one of ours.

    Raises RecorderError when it cannot be made.
    """
    if path is not None:
        folder = prepare_folder(path)
        folder.clear()
        return folder.path
    for number in count(1):
        made = session_folder / f"{_PREFIX}{number}"
        try:
            made.mkdir(mode=0o700)
        except FileExistsError:
            continue
        except OSError as error:
            raise TraceDirError(
                "ERR_TRACE_DIR_CREATE_FAILED",
                "the folder for a copy of the trace cannot be created",
                path=made,
                io=error.strerror,
            ) from error
        return made
    raise AssertionError  # numbers do not end


def saved_folders(session_folder: Path) -> list[Path]:
    """The folders of the copies that were saved in a session's folder."""
    return [
        folder
        for folder in sorted(session_folder.glob(f"{_PREFIX}*"))
        if folder.name.removeprefix(_PREFIX).isdigit() and folder.is_dir()
    ]


def signal_number(name: str) -> int:
    """The number of the signal with this short name, such as ``usr1``."""
    import signal

    return signal.Signals[f"SIG{name.upper()}"]
