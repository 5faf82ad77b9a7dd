"""Where lines go: the process's real standard error, or a file that may be rotated under us."""

from __future__ import annotations

import os

__all__ = ["append_to_file", "use_stderr", "write_to_stderr"]

_STDERR = 2
_stderr_fd = _STDERR
_stderr_identity: tuple[int, int] | None = None

_APPEND = (
    os.O_WRONLY
    | os.O_APPEND
    | os.O_CREAT
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_NONBLOCK", 0)
)
_MODE = 0o644


def use_stderr(fd: int = _STDERR, *, identity: tuple[int, int] | None = None) -> None:
    """Write to descriptor ``fd`` whenever standard error is meant.

    For a recorder that has put a pipe of its own in the place of descriptor 2. With ``identity``,
    the ``st_dev`` and ``st_ino`` of a file, only while the descriptor is that file: when a program
    has closed its standard error, the next file that it opens, perhaps one with its data, gets the
    number.
    """
    global _stderr_fd, _stderr_identity
    _stderr_fd, _stderr_identity = fd, identity


def write_to_stderr(data: bytes) -> bool:
    """Write whole lines to the real standard error; False when they cannot be written."""
    try:
        if _stderr_identity is not None:
            status = os.fstat(_stderr_fd)
            if (status.st_dev, status.st_ino) != _stderr_identity:
                return False
        _write(_stderr_fd, data)
    except OSError:
        return False
    return True


def append_to_file(path: str, data: bytes = b"") -> None:
    """Append one line to a file, creating the file; with no data only see that it can be done.

    The file is opened anew each time. So a rotated file is followed, no descriptor of ours appears
    in the program, and none is left for it to close and reuse for a file of its own. Raises
    OSError.
    """
    fd = os.open(path, _APPEND, _MODE)
    try:
        _write(fd, data)
    finally:
        os.close(fd)


def _write(fd: int, data: bytes) -> None:
    # One call for all of it, so that what several threads and processes write does not mix; a loop
    # because a pipe may take less.
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
