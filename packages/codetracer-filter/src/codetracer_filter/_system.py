"""The file system, asked past the program, which may put functions of its own into ``os``.

Tests that do so count calls, say that a file is gone, or raise where nothing should block.
"""

from __future__ import annotations

import os
from os import readlink, stat
from stat import S_ISREG

__all__ = ["is_file", "is_link", "real_path"]

_LINKS_LIMIT = 40


def is_file(path: str) -> bool:
    """Whether a regular file, or a link to one, has this name."""
    try:
        return S_ISREG(stat(path).st_mode)
    except (OSError, ValueError):
        return False


def _target(path: str) -> str | None:
    try:
        return readlink(path)
    except (OSError, ValueError):
        return None


def is_link(path: str) -> bool:
    """Whether the name is that of a symbolic link."""
    return _target(path) is not None


def real_path(path: str) -> str:
    """The absolute ``path`` free of symbolic links, as far as these lead somewhere."""
    if os.sep != "/":  # a path begins with a drive
        return os.path.realpath(path).replace(os.sep, "/")
    rest = path.split("/")[::-1]
    real = ""
    followed = 0
    while rest:
        name = rest.pop()
        if name == "..":
            real = real.rpartition("/")[0]
        elif name not in ("", "."):
            target = _target(f"{real}/{name}") if followed < _LINKS_LIMIT else None
            if target is None:
                real = f"{real}/{name}"
                continue
            followed += 1
            if target.startswith("/"):
                real = ""
            rest += target.split("/")[::-1]
    return real or "/"
