"""The source files of a trace: their lines place its steps, their digests tell when they change."""

from __future__ import annotations

import os
import stat
import sys

from codetracer_core.monitoring.capabilities import SHA2

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
    is in no file; ``changed`` tells that the file is not what it was when it was recorded first, or
    that later code had another text.
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
    expander: Expander,
    number: int,
    path: bytes,
    directory: str,
    recorded: Mapping[str, object],
    unknown_since_ns: int | None = None,
) -> Source:
    """Give the lines of the file ``path``, relative to ``directory``, to the expander.

    ``recorded`` has what the recorder knew of sources, by path. Of a recording that did not end in
    order it may lack some, whose files were changed when they were written after
    ``unknown_since_ns``, on the clock of files.
    """
    try:
        text = path.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return Source(path.decode("utf-8", "backslashreplace"), None)
    known = recorded.get(text)
    facts: Mapping[str, object] = known if isinstance(known, dict) else {}
    since_ns = unknown_since_ns if known is None else None
    source = facts.get("text")
    if isinstance(source, str):
        data = source.encode("utf-8", "surrogatepass")
        expander.add_source(number, data)
        digest = _sha256()
        digest.update(data)
        return Source(text, digest.hexdigest(), text=source, changed="changed" in facts)
    place = os.path.join(directory, text)
    try:
        changed = _has_changed(place, facts, since_ns)
        return Source(text, _read(expander, number, place), changed=changed)
    except (OSError, ValueError):
        # The path is a name such as <string>, or the file is gone.
        expander.forget_source(number)
    return Source(text, None, changed="size" in facts)


def _has_changed(path: str, facts: Mapping[str, object], since_ns: int | None) -> bool:
    """Whether the file has another size or time than when it was recorded first.

    Where nothing is known of it, whether it was written after `since_ns`.
    """
    if "size" not in facts:
        return since_ns is not None and os.stat(path).st_mtime_ns > since_ns
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
        while piece := os.read(descriptor, min(_PIECE, status.st_size + 1)):
            digest.update(piece)
            expander.add_source(number, piece)
        return digest.hexdigest()
    finally:
        os.close(descriptor)


def _sha256() -> hashlib._Hash:
    """A new digest: of OpenSSL, which is faster, where it is loaded, which takes 2 ms and 3 MB."""
    try:
        if "_hashlib" in sys.modules:
            digest: hashlib._Hash = sys.modules["_hashlib"].openssl_sha256()
        else:
            digest = __import__(SHA2).sha256()
    except (ImportError, AttributeError):
        # Builds may lack either.
        from hashlib import sha256

        digest = sha256()
    return digest
