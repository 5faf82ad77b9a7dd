"""Reading files whose names others may have given to something else.

Opening a named pipe waits for who writes into it, and a device has no end.
"""

from __future__ import annotations

import errno
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

__all__ = ["open_regular", "read_document"]

_LARGEST: Final = 64 << 20
_PIECE: Final = 1 << 20


def open_regular(path: str | os.PathLike[str]) -> int:
    """Open the file `path` for reading, at once, and return its descriptor.

    Raises OSError, also for what is no regular file, and ValueError for what is no path.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "it is no regular file", os.fspath(path))


def read_document(path: str | os.PathLike[str], largest: int = _LARGEST) -> bytes:
    """What is in the file `path`, of at most `largest` bytes.

    Raises as :func:`open_regular` does, and OSError for a larger one.
    """
    descriptor = open_regular(path)
    pieces, length = [], 0
    try:
        while piece := os.read(descriptor, _PIECE):
            pieces.append(piece)
            length += len(piece)
            if length > largest:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), os.fspath(path))
    finally:
        os.close(descriptor)
    return b"".join(pieces)
