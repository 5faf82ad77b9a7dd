"""The sources of recorded code, as they were when it was met first."""

from __future__ import annotations

import sys
from os import stat  # programs put functions of their own into os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType

__all__ = ["SourceBook"]

_LARGEST_TEXT = 1 << 20


class SourceBook:
    """What is known of each source: the size and time of a file, the text of what is in no file.

    Code has no file when its name is in angle brackets: a program given by ``-c``, or code that was
    made at run time and whose text was left in ``linecache``, as IPython, doctest and attrs do.
    """

    def __init__(self) -> None:
        self._program: set[tuple[str, int, bytes]] = set()
        self._files: dict[str, dict[str, object]] = {}
        self._keep: Callable[[str, dict[str, object]], None] | None = None

    def keep(self, keep: Callable[[str, dict[str, object]], None]) -> None:
        """Call `keep` with the path of each source, the known ones first, and what is known of it.

        That is ``size`` and ``mtime_ns`` of a file, or ``text``, with ``changed`` once code of its
        name was made of another text; nothing where neither is known.
        """
        self._keep = keep
        for path, facts in self._files.items():
            keep(path, facts)

    def add_program(self, code: CodeType, text: str) -> None:
        """The program is `code`, made of `text`.

        Other code of its name is not the program's: ``exec`` of a text calls it ``<string>``, too.
        """
        self._program.update(map(_looks, _with_inner(code)))
        self._add(code.co_filename, {"text": text})

    def add_stream(self, filename: str, text: str | None = None) -> None:
        """The program comes from a stream, and its code has the name `filename`.

        `text` is what it is made of, None where that is not known.
        """
        self._add(filename, {} if text is None else {"text": text})

    def see_file(self, path: str) -> None:
        """Recorded code is of the file `path`."""
        if path not in self._files:
            try:
                status = stat(path)
            except (OSError, ValueError):
                self._add(path, {})
            else:
                self._add(path, {"size": status.st_size, "mtime_ns": status.st_mtime_ns})

    def has_text(self, code: CodeType) -> bool:
        """Whether the source of `code`, which is in no file, is known; it is kept then."""
        filename = code.co_filename
        if filename == "<string>":
            return _looks(code) in self._program
        text = _registered_text(filename)
        known = self._files.get(filename)
        if known is not None:
            if text is not None and known.get("text", text) != text and "changed" not in known:
                self._add(filename, {**known, "changed": True})
            return True
        if text is None or len(text) > _LARGEST_TEXT:
            return False
        self._add(filename, {"text": text})
        return True

    def _add(self, path: str, facts: dict[str, object]) -> None:
        self._files[path] = facts
        if self._keep is not None:
            self._keep(path, facts)


def _with_inner(code: CodeType) -> Iterator[CodeType]:
    """`code` and all code inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            yield from _with_inner(constant)


def _looks(code: CodeType) -> tuple[str, int, bytes]:
    """What tells code of one text from code of another, without holding it."""
    return code.co_qualname, code.co_firstlineno, code.co_code


def _registered_text(filename: str) -> str | None:
    """What ``linecache`` holds under `filename`; only plain entries, which need no code to run."""
    linecache = sys.modules.get("linecache")
    cache = getattr(linecache, "cache", None)
    entry = cache.get(filename) if type(cache) is dict else None
    if type(entry) is tuple and len(entry) == 4 and type(entry[2]) is list:
        lines = entry[2]
    elif filename.startswith("<doctest "):
        lines = _doctest_lines(linecache, filename)
    else:
        return None
    return "".join(lines) if lines and all(type(line) is str for line in lines) else None


def _doctest_lines(linecache: object, filename: str) -> list[str]:
    """The lines of an example: while ``doctest`` runs it answers for ``linecache``."""
    doctest = sys.modules.get("doctest")
    getlines = getattr(linecache, "getlines", None)
    runner = getattr(getlines, "__self__", None)
    if doctest is None or type(runner) is not getattr(doctest, "DocTestRunner", None):
        return []
    lines: list[str] = getlines(filename)  # type: ignore[misc]
    return lines
