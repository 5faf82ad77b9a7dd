"""Where things stand in a TOML text: the line and column of each key, table and array item.

The parser gives values without places. This scanner walks a text that the parser has already
accepted, so it only has to know where tokens end, never whether they are right.
"""

from __future__ import annotations

import re
from bisect import bisect_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    Path = tuple[str | int, ...]

__all__ = ["Positions", "toml_text"]

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:[^"\\]|\\.)*"'
    r"|'[^']*'",
    re.DOTALL,
)
_BARE_KEY = re.compile(r"[^\s.=\]\"'#]+")
_BARE_VALUE = re.compile(r"[^,\]}\n#]+")


def toml_text(data: bytes) -> str:
    """The text of a TOML file, with line ends as the parser spells them, so that offsets agree.

    A byte order mark, which editors on Windows write, is left out. Raises UnicodeDecodeError.
    """
    return data.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")


class Positions:
    """The places of a TOML text, asked for by path such as ``("scope", "rules", 0, "exec")``."""

    def __init__(self, text: str) -> None:
        """Scan ``text``, which the TOML parser must have accepted."""
        self._text = text
        self._at = 0
        self._offsets: dict[Path, int] = {}
        self._tables: dict[Path, int] = {}
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._document()

    def find(self, path: Path) -> tuple[int, int]:
        """Line and column, both from 1, of ``path`` or of the nearest table that holds it."""
        while path and path not in self._offsets:
            path = path[:-1]
        offset = self._offsets.get(path, 0)
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def _note(self, path: Path, offset: int) -> None:
        self._offsets.setdefault(path, offset)

    def _document(self) -> None:
        table: Path = ()
        self._blank()
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._assignment(table)
            self._blank()

    def _header(self) -> Path:
        start = self._at
        is_array = self._text.startswith("[[", start)
        self._at += 2 if is_array else 1
        parts = self._key()
        self._at += 2 if is_array else 1
        path: Path = ()
        for part in parts[:-1]:
            path = self._inside((*path, part), start)
        path = (*path, parts[-1])
        if not is_array:
            path = self._inside(path, start)
            self._offsets[path] = start
            return path
        self._note(path, start)
        index = self._tables.get(path, 0)
        self._tables[path] = index + 1
        self._note((*path, index), start)
        return (*path, index)

    def _inside(self, path: Path, start: int) -> Path:
        """Extend ``path`` by the last item when it names an array of tables."""
        self._note(path, start)
        count = self._tables.get(path)
        return path if count is None else (*path, count - 1)

    def _assignment(self, table: Path) -> None:
        start = self._at
        path = table
        for part in self._key():
            path = (*path, part)
            self._note(path, start)
        self._at += 1  # the equals sign
        self._value(path)

    def _key(self) -> list[str]:
        """Read a dotted key and the blanks around it."""
        parts = []
        while True:
            self._blank()
            parts.append(self._key_part())
            self._blank()
            if not self._text.startswith(".", self._at):
                return parts
            self._at += 1

    def _key_part(self) -> str:
        quoted = _STRING.match(self._text, self._at)
        if quoted is None:
            bare = _BARE_KEY.match(self._text, self._at)
            if bare is None:
                raise ValueError(f"no key at offset {self._at}")
            self._at = bare.end()
            return bare.group()
        self._at = quoted.end()
        token = quoted.group()
        if "\\" not in token or token[0] == "'":
            return token[1:-1]
        from tomli import loads

        return str(loads(f"key = {token}")["key"])

    def _value(self, path: Path) -> None:
        self._blank()
        char = self._text[self._at]
        if char in "\"'":
            token = _STRING.match(self._text, self._at)
        elif char in "[{":
            self._at += 1
            self._items(path) if char == "[" else self._pairs(path)
            return
        else:
            token = _BARE_VALUE.match(self._text, self._at)
        if token is None:
            raise ValueError(f"no value at offset {self._at}")
        self._at = token.end()

    def _items(self, path: Path) -> None:
        index = 0
        while not self._closed("]"):
            self._note((*path, index), self._at)
            self._value((*path, index))
            index += 1

    def _pairs(self, path: Path) -> None:
        while not self._closed("}"):
            self._assignment(path)

    def _closed(self, bracket: str) -> bool:
        """Skip blanks and a comma; say whether ``bracket`` follows, and step over it."""
        self._blank()
        if self._text[self._at] == ",":
            self._at += 1
            self._blank()
        if self._text[self._at] != bracket:
            return False
        self._at += 1
        return True

    def _blank(self) -> None:
        match = _BLANK.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
