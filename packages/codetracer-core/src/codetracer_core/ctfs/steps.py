"""The steps stream: one position a step, kept as differences inside each chunk."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codetracer_core.ctfs.streams import Chunks, LruCache
from codetracer_core.ctfs.varint import Cursor
from codetracer_core.errors import TraceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codetracer_core.ctfs.container import Container

__all__ = ["StepStream"]

ABSOLUTE, DELTA, RAISE, CATCH, SWITCH, START, EXIT, DELTA_COLUMN = range(8)
KINDS = (
    "line",
    "line",
    "raise",
    "catch",
    "thread-switch",
    "thread-start",
    "thread-exit",
    "column",
)
_MAX_POSITION = 1 << 63
_BYTES_PER_STEP = 16


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Decoded steps: tags, positions, and for the tags that have them (number, message)."""

    tags: bytes
    positions: array[int]
    details: dict[int, tuple[int, str]]


class StepStream:
    """Steps of the container by their number."""

    def __init__(self, container: Container) -> None:
        self._chunks = Chunks(container, "steps")
        self._cache = LruCache(self._load)
        self._length: int | None = None

    def __len__(self) -> int:
        if self._length is None:
            last = self._chunks.count - 1
            rest = len(self._cache.get(last).tags) if last >= 0 else self._chunks.per_chunk
            self._length = last * self._chunks.per_chunk + rest
        return self._length

    def step(self, number: int) -> tuple[int, int, tuple[int, str] | None]:
        """Return tag, global position and details of step ``number``, which must be in range.

        The details are a type id with a message (raise, catch) or a thread id with no text.
        """
        chunk, index = divmod(number, self._chunks.per_chunk)
        steps = self._cache.get(chunk)
        return steps.tags[index], steps.positions[index], steps.details.get(index)

    def rows(self) -> Iterator[tuple[int, int]]:
        """Yield tag and global position of every step in order."""
        for chunk in range(self._chunks.count):
            steps = self._cache.get(chunk)
            yield from zip(steps.tags, steps.positions, strict=True)

    def _load(self, chunk: int) -> tuple[_Chunk, int]:
        cursor = Cursor(self._chunks.inflate(chunk))
        tags = bytearray()
        positions = array("Q")
        details: dict[int, tuple[int, str]] = {}
        position = 0
        while cursor:
            tag = cursor.data[cursor.position]
            cursor.position += 1
            if tag == ABSOLUTE:
                position = cursor.varint()
            elif tag in (DELTA, DELTA_COLUMN):
                position += cursor.svarint()
            elif tag <= EXIT:
                number = cursor.varint()
                details[len(tags)] = number, cursor.text() if tag == RAISE else ""
            else:
                raise _damaged(
                    "a step has an unknown tag", chunk=chunk, offset=cursor.position - 1, tag=tag
                )
            if not 0 <= position < _MAX_POSITION:
                raise _damaged(
                    "a step has an impossible position", chunk=chunk, offset=cursor.position
                )
            tags.append(tag)
            positions.append(position)
        self._chunks.check_count(chunk, len(tags))
        weight = len(cursor.data) + _BYTES_PER_STEP * len(tags)
        return _Chunk(bytes(tags), positions, details), weight


def _damaged(message: str, **context: object) -> TraceError:
    return TraceError("ERR_TRACE_CORRUPT", message, file="steps.dat", **context)
