"""Names for files that are not complete yet, in folders that others may write to."""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["is_temporary", "open_new", "temporary_beside"]

_NAME = re.compile(r"\.trace[a-z_.]*\.[0-9a-f]{16}\.tmp")


def temporary_beside(path: Path) -> Path:
    """A name in the folder of `path` that nobody can guess, for what is to be renamed to `path`."""
    return path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")


def is_temporary(name: str) -> bool:
    """Whether `name` is one that :func:`temporary_beside` gives for a file of a recording."""
    return _NAME.fullmatch(name) is not None


def open_new(path: str | Path, flags: int = os.O_WRONLY) -> int:
    """Make the file `path` for its owner alone, and open it with the access that `flags` say.

    Raises FileExistsError where anything has the name, a symbolic link to nowhere included.
    """
    flags |= os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, 0o600)
