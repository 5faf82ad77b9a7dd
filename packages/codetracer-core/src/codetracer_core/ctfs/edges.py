"""How calls begin and end: a stream of our own, which other readers of a trace pass over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codetracer_core.ctfs.layout import ENTRIES, EXITS
from codetracer_core.ctfs.streams import Chunks, LruCache

if TYPE_CHECKING:
    from codetracer_core.ctfs.container import Container

__all__ = ["EdgeStream"]


class EdgeStream:
    """Entries and exits of the container's calls by their key; traces of others have none."""

    def __init__(self, container: Container) -> None:
        self._chunks = Chunks(container, "edges")
        self._cache = LruCache(self._load)

    def edges(self, key: int) -> tuple[str, str]:
        """Return how the call ``key`` begins and ends, empty where the trace does not say."""
        chunk, index = divmod(key, self._chunks.per_chunk)
        if chunk >= self._chunks.count:
            return "", ""
        numbers = self._cache.get(chunk)
        if index >= len(numbers):
            return "", ""
        exit_, entry = divmod(numbers[index], 16)
        return _name(ENTRIES, entry), _name(EXITS, exit_)

    def _load(self, chunk: int) -> tuple[bytes, int]:
        data = self._chunks.inflate(chunk)
        return data, len(data)


def _name(names: tuple[str, ...], number: int) -> str:
    return names[number] if number < len(names) else ""
