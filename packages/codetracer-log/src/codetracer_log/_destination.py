"""Where lines go: the process's real standard error, or a file that may be rotated under us."""

from __future__ import annotations

import os

__all__ = ["append_to_file", "use_stderr", "write_to_stderr"]

_STDERR = 2
_stderr_fd = _STDERR

_APPEND = (
    os.O_WRONLY
    | os.O_APPEND
    | os.O_CREAT
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_NONBLOCK", 0)
)
_MODE = 0o644


def use_stderr(fd: int = _STDERR) -> None:
    """Write to descriptor ``fd`` whenever standard error is meant.

    For a recorder that has put a pipe of its own in the place of descriptor 2.
    """
    global _stderr_fd
    _stderr_fd = fd


def write_to_stderr(data: bytes) -> bool:
    """Write one line to the real standard error; False when it cannot be written."""
    try:
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
    # One call for one line, so that lines of several threads and processes do not mix; a loop
    # because a pipe may take less.
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
