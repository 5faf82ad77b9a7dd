"""The source files of a trace: their lines place its steps, their digests tell when they change."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    import hashlib

    from codetracer_core.ctfs.materialiser_expander import Expander

__all__ = ["Source", "read_source"]

# A larger one is generated or no source at all, and its line table would fill the trace.
_LARGEST = 64 << 20
_PIECE = 1 << 20


class Source:
    """A path of the trace, and the SHA-256 of the file in hex, None when it cannot be read."""

    __slots__ = ("path", "sha256")

    def __init__(self, path: str, sha256: str | None) -> None:
        self.path = path
        self.sha256 = sha256


def read_source(expander: Expander, number: int, path: bytes, directory: str) -> Source:
    """Give the lines of the file ``path``, relative to ``directory``, to the expander."""
    try:
        text = path.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return Source(path.decode("utf-8", "backslashreplace"), None)
    digest = None
    try:
        digest = _read(expander, number, os.path.join(directory, text))
    except (OSError, ValueError):
        # The path is a name such as <string>, or the file is gone.
        expander.forget_source(number)
    return Source(text, digest)


def _read(expander: Expander, number: int, path: str) -> str | None:
    # Without O_NONBLOCK opening a named pipe would wait for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
            return None
        digest = _sha256()
        while piece := os.read(descriptor, _PIECE):
            digest.update(piece)
            expander.add_source(number, piece)
        return digest.hexdigest()
    finally:
        os.close(descriptor)


def _sha256() -> hashlib._Hash:
    """A new digest. The module behind ``hashlib`` comes without OpenSSL: 2 ms and 3 MB less."""
    try:
        digest: hashlib._Hash = __import__("_sha2").sha256()
    except ImportError:
        from hashlib import sha256

        digest = sha256()
    return digest
