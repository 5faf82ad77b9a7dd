"""The source files of a trace: their lines place its steps, their digests tell when they change."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    import hashlib
    from collections.abc import Mapping

    from codetracer_core.ctfs.materialiser_expander import Expander

__all__ = ["Source", "read_source"]

# A larger one is generated or no source at all, and its line table would fill the trace.
_LARGEST = 64 << 20
_PIECE = 1 << 20


class Source:
    """A path of the trace.

    ``sha256`` is that of the file in hex, None when it cannot be read; ``text`` the source of what
    is in no file; ``changed`` tells that the file is not what it was when it was recorded first.
    """

    __slots__ = ("changed", "path", "sha256", "text")

    def __init__(
        self, path: str, sha256: str | None, *, text: str | None = None, changed: bool = False
    ) -> None:
        self.path = path
        self.sha256 = sha256
        self.text = text
        self.changed = changed

    def described(self, lines: int) -> dict[str, object]:
        """What the metadata say of it; its table has `lines` lines."""
        facts: dict[str, object] = {"path": self.path, "sha256": self.sha256, "lines": lines}
        if self.text is not None:
            facts["text"] = self.text
        if self.changed:
            facts["changed"] = True
        return facts


def read_source(
    expander: Expander, number: int, path: bytes, directory: str, recorded: Mapping[str, object]
) -> Source:
    """Give the lines of the file ``path``, relative to ``directory``, to the expander.

    ``recorded`` has what the recorder knew of sources, by path.
    """
    try:
        text = path.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return Source(path.decode("utf-8", "backslashreplace"), None)
    known = recorded.get(text)
    facts: Mapping[str, object] = known if isinstance(known, dict) else {}
    source = facts.get("text")
    if isinstance(source, str):
        data = source.encode("utf-8", "surrogatepass")
        expander.add_source(number, data)
        digest = _sha256()
        digest.update(data)
        return Source(text, digest.hexdigest(), text=source)
    place = os.path.join(directory, text)
    try:
        return Source(text, _read(expander, number, place), changed=_has_changed(place, facts))
    except (OSError, ValueError):
        # The path is a name such as <string>, or the file is gone.
        expander.forget_source(number)
    return Source(text, None, changed="size" in facts)


def _has_changed(path: str, facts: Mapping[str, object]) -> bool:
    """Whether the file has another size or time than when it was recorded first."""
    if "size" not in facts:
        return False
    status = os.stat(path)
    return (status.st_size, status.st_mtime_ns) != (facts["size"], facts.get("mtime_ns"))


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
