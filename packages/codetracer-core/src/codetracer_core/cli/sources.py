"""Lines of the recorded program's source files, where they can be found."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from hashlib import sha256
from tokenize import detect_encoding

from codetracer_core.regular import read_document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["RecordedSource", "SourceRoot", "Sources"]

_FILES_KEPT = 32
_LARGEST_FILE = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SourceRoot:
    """Files recorded below the folder `old` are now below the folder `new`."""

    old: str
    new: str

    def apply(self, path: str) -> str | None:
        """Where the recorded `path` is now; None when it is not below `old`."""
        old = self.old.rstrip("/")
        if path != old and not path.startswith(f"{old}/"):
            return None
        return self.new.rstrip("/") + path[len(old) :]


@dataclass(frozen=True, slots=True)
class RecordedSource:
    """A source as the trace's metadata have it: its digest, its text if it is in no file, and
    whether the file was another one when its code was met first."""

    sha256: str | None = None
    text: str | None = None
    changed: bool = False


_UNKNOWN = RecordedSource()


class Sources:
    """Reads source files when they are asked for, and keeps a few of them.

    `recorded` says what the files were when they were recorded, and has the text of what is in no
    file. `notice` is told once that a source is missing and once for each that has changed.
    """

    def __init__(
        self,
        roots: Iterable[SourceRoot],
        recorded: Mapping[str, RecordedSource],
        notice: Callable[[str], None],
    ) -> None:
        self._roots = tuple(roots)
        self._recorded = recorded
        self._notice = notice
        self._missing_told = False
        self._files: dict[str, list[str] | None] = {}

    def line(self, path: str, number: int) -> str | None:
        """Line `number`, from 1 on, of the recorded file `path`; None when it cannot be had."""
        if path in self._files:
            lines = self._files.pop(path)
        else:
            lines = self._read(path)
            if len(self._files) >= _FILES_KEPT:
                del self._files[next(iter(self._files))]
        self._files[path] = lines
        if lines is None or not 0 < number <= len(lines):
            return None
        return lines[number - 1]

    def _read(self, path: str) -> list[str] | None:
        recorded = self._recorded.get(path, _UNKNOWN)
        if recorded.text is not None:
            return recorded.text.splitlines()
        places = (root.apply(path) for root in self._roots)
        here = next((place for place in places if place is not None), path)
        try:
            if os.path.getsize(here) > _LARGEST_FILE:
                return None
            data = read_document(here, _LARGEST_FILE)
        except (OSError, ValueError):
            if not self._missing_told:
                self._missing_told = True
                self._notice(
                    f"the source {here} is not here, so places are shown instead of lines;"
                    " --source-root OLD=NEW says where sources are now"
                )
            return None
        if recorded.changed:
            self._notice(f"the source {here} changed while it was recorded: lines may be others")
        elif recorded.sha256 is not None and sha256(data).hexdigest() != recorded.sha256:
            self._notice(f"the source {here} has changed since it was recorded")
        return _decode(data)


def _decode(data: bytes) -> list[str]:
    try:
        encoding, _ = detect_encoding(io.BytesIO(data).readline)
    except SyntaxError:
        encoding = "latin-1"
    text = io.TextIOWrapper(io.BytesIO(data), encoding=encoding, errors="replace")
    return [line.rstrip("\n") for line in text]
