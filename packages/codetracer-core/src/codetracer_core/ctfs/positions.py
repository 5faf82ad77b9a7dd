"""Source positions: from the one number that a step carries to file, line and column."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from codetracer_core.ctfs.streams import LruCache, NameTable
from codetracer_core.ctfs.varint import Cursor
from codetracer_core.errors import TraceError

if TYPE_CHECKING:
    from codetracer_core.ctfs.container import Container

__all__ = ["ColumnPaths", "LinePaths", "Position"]

_LINES_PER_FILE = 100_000
_CACHED_POSITIONS = 4096
_MAX_POSITION = 1 << 63


class Position(NamedTuple):
    """A place in a source: 1-based line and column; no column where the trace has none.

    ``path_id`` is -1 and ``line`` 0 for a number that lies in no file of the trace.
    """

    path_id: int
    line: int
    column: int | None


NOWHERE = Position(-1, 0, None)


class LinePaths(NameTable):
    """Paths of a trace without columns; its positions are a path id and a line in one number."""

    def __init__(self, container: Container) -> None:
        super().__init__(container, "paths")

    def locate(self, position: int) -> Position:
        """Return the place of the global position ``position``.

        Two writers pack the number in two ways. The decimal one is tried first; a number of the
        other one exceeds it for every path but the first, where both agree.
        """
        for path_id, line in (divmod(position, _LINES_PER_FILE), divmod(position, 1 << 32)):
            if path_id < len(self):
                return Position(path_id, line, None)
        return NOWHERE


class ColumnPaths(NameTable):
    """Paths with the lengths of their lines; a position counts through all lines of all files."""

    def __init__(self, container: Container) -> None:
        super().__init__(container, "paths")
        self._bases: array[int] | None = None
        self._path_ids = array("Q")
        self._line_starts = LruCache(self._load_lines)
        self._located: dict[int, Position] = {}

    def locate(self, position: int) -> Position:
        """Return the place of the global position ``position``."""
        found = self._located.get(position)
        if found is None:
            found = self._find(position)
            if len(self._located) >= _CACHED_POSITIONS:
                self._located.clear()
            self._located[position] = found
        return found

    def _name(self, record: bytes) -> str:
        return Cursor(record).text()

    def _find(self, position: int) -> Position:
        bases = self._bases
        if bases is None:
            bases = self._bases = self._load_bases()
        index = bisect_right(bases, position) - 1
        if index >= len(self._path_ids):
            return NOWHERE
        path_id = self._path_ids[index]
        rest = position - bases[index]
        starts = self._line_starts.get(path_id)
        # Lines of length 0 share their start with the next one, which is the one meant.
        line = bisect_right(starts, rest)
        return Position(path_id, line, rest - starts[line - 1] + 1)

    def _load_bases(self) -> array[int]:
        """Return where each file that has positions starts, and the end of the last one."""
        bases = array("Q")
        base = 0
        for path_id in range(len(self)):
            size = sum(self._line_lengths(path_id))
            if size:
                bases.append(base)
                self._path_ids.append(path_id)
                base += size
            if base >= _MAX_POSITION:
                raise self._damaged(path_id)
        bases.append(base)
        return bases

    def _load_lines(self, path_id: int) -> tuple[array[int], int]:
        lengths = self._line_lengths(path_id)
        starts = array("Q", accumulate(lengths[:-1], initial=0))
        return starts, 8 * len(starts)

    def _line_lengths(self, path_id: int) -> list[int]:
        cursor = Cursor(self.record(path_id))
        cursor.blob()
        if not cursor:
            return []
        lengths = list(accumulate(cursor.svarint() for _ in range(cursor.count())))
        if lengths and not 0 <= min(lengths) <= max(lengths) < _MAX_POSITION:
            raise self._damaged(path_id)
        return lengths

    def _damaged(self, path_id: int) -> TraceError:
        message = "a path has impossible line lengths: the trace is damaged"
        offset, _ = self.bounds(path_id)
        return TraceError(
            "ERR_TRACE_CORRUPT", message, file="paths.dat", offset=offset, path_id=path_id
        )
