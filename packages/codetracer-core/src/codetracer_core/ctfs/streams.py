"""Random access to name tables and to streams of compressed chunks, with few chunks in memory."""

from __future__ import annotations

import struct
from array import array
from itertools import pairwise
from typing import TYPE_CHECKING, Generic, TypeVar

from codetracer_core._zstd import decompress
from codetracer_core.ctfs.varint import Cursor, decode_varint
from codetracer_core.errors import TraceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from codetracer_core.ctfs.container import Container

__all__ = ["MAX_CHUNK", "Chunks", "LruCache", "NameTable", "OffsetTable", "Records"]

# Largest content of a chunk that is inflated. Real ones have a few MB; a frame can claim anything.
MAX_CHUNK = 256 << 20
_CACHE_WEIGHT = 8 << 20
_CACHED_NAMES = 8192
_OFFSET = struct.Struct("<Q")
_PER_CHUNK = struct.Struct("<I")

T = TypeVar("T")


class LruCache(Generic[T]):
    """Keeps the results of ``load`` that were used last, up to 8 MB of them by their weights."""

    def __init__(self, load: Callable[[int], tuple[T, int]]) -> None:
        self._load = load
        self._items: dict[int, tuple[T, int]] = {}
        self._weight = 0

    def get(self, key: int) -> T:
        """Return the item of ``key``, loaded now if it is not kept."""
        entry = self._items.pop(key, None)
        if entry is None:
            entry = self._load(key)
            self._weight += entry[1]
            while self._items and self._weight > _CACHE_WEIGHT:
                self._weight -= self._items.pop(next(iter(self._items)))[1]
        self._items[key] = entry
        return entry[0]


class OffsetTable:
    """The records of ``STEM.dat`` by their number, through ``STEM.off``; absent ones are none."""

    def __init__(self, container: Container, stem: str) -> None:
        self._container = container
        self._data, self._offsets = f"{stem}.dat", f"{stem}.off"
        present = self._data in container and self._offsets in container
        size = container.size(self._offsets) if present else 0
        if size % _OFFSET.size:
            message = "an offset table is not a whole number of offsets: the trace is damaged"
            raise TraceError("ERR_TRACE_CORRUPT", message, file=self._offsets, offset=0, size=size)
        self._length = max(size // _OFFSET.size - 1, 0)

    def __len__(self) -> int:
        return self._length

    def record(self, index: int) -> bytes:
        """Return record ``index``, which must be below the length."""
        start, end = self.bounds(index)
        return self._container.read(self._data, start, end - start)

    def bounds(self, index: int) -> tuple[int, int]:
        """Return where record ``index``, which must be below the length, begins and ends."""
        pair = self._container.read(self._offsets, index * _OFFSET.size, 2 * _OFFSET.size)
        start, end = struct.unpack("<QQ", pair)
        return start, end


class NameTable(OffsetTable):
    """A table of names: functions, types, variables, or paths without line lengths."""

    def __init__(self, container: Container, stem: str) -> None:
        super().__init__(container, stem)
        self._kept: dict[int, str] = {}

    def __getitem__(self, index: int) -> str:
        """Return name ``index``; a number outside the table gives a text that says so."""
        name = self._kept.get(index)
        if name is None:
            if not 0 <= index < len(self):
                return f"<unknown {index}>"
            name = self._name(self.record(index))
            if len(self._kept) >= _CACHED_NAMES:
                self._kept.clear()
            self._kept[index] = name
        return name

    def __iter__(self) -> Iterator[str]:
        return (self[index] for index in range(len(self)))

    def _name(self, record: bytes) -> str:
        return record.decode("utf-8", "replace")


class Chunks:
    """The chunks of ``STEM.dat``, located by ``STEM.idx``; absent files are an empty stream."""

    def __init__(self, container: Container, stem: str) -> None:
        self._container = container
        self._data, self._index = f"{stem}.dat", f"{stem}.idx"
        self.per_chunk = 1
        self.count = 0
        if self._data not in container or self._index not in container:
            return
        size = container.size(self._index) - _PER_CHUNK.size
        if size < 0 or size % _OFFSET.size:
            raise self._corrupt("the index of a stream is cut", offset=0, size=size)
        (self.per_chunk,) = _PER_CHUNK.unpack(container.read(self._index, 0, _PER_CHUNK.size))
        self.count = size // _OFFSET.size
        if self.per_chunk == 0:
            raise self._corrupt("the index of a stream says that chunks hold no records", offset=0)

    def inflate(self, chunk: int) -> bytes:
        """Return the content of ``chunk``, which must be below the count."""
        start, end = self._bounds(chunk)
        frame = self._container.read(self._data, start, end - start)
        try:
            return decompress(frame, MAX_CHUNK)
        except TraceError as error:
            raise self._corrupt(error.message, chunk=chunk, offset=start) from error

    def _bounds(self, chunk: int) -> tuple[int, int]:
        """Return where the frame of ``chunk`` begins and ends."""
        last = chunk + 1 == self.count
        position = _PER_CHUNK.size + chunk * _OFFSET.size
        bounds = self._container.read(self._index, position, _OFFSET.size * (1 if last else 2))
        (start,) = _OFFSET.unpack_from(bounds)
        end = self._container.size(self._data) if last else _OFFSET.unpack_from(bounds, 8)[0]
        return start, end

    def check_count(self, chunk: int, records: int) -> None:
        """Refuse a chunk whose number of ``records`` breaks the arithmetic of record numbers."""
        whole = records == self.per_chunk
        if not whole and (chunk + 1 < self.count or not 0 < records < self.per_chunk):
            raise self._corrupt(
                "a chunk has a wrong number of records",
                chunk=chunk,
                offset=self._bounds(chunk)[0],
                records=records,
            )

    def _corrupt(self, message: str, **context: object) -> TraceError:
        return TraceError("ERR_TRACE_CORRUPT", message, file=self._data, **context)


class Records:
    """The length-prefixed records of a chunked stream by their number."""

    def __init__(self, container: Container, stem: str) -> None:
        self._chunks = Chunks(container, stem)
        self._cache = LruCache(self._load)
        self._length: int | None = None

    def __len__(self) -> int:
        if self._length is None:
            last = self._chunks.count - 1
            rest = len(self._cache.get(last)[1]) - 1 if last >= 0 else self._chunks.per_chunk
            self._length = last * self._chunks.per_chunk + rest
        return self._length

    def record(self, number: int) -> Cursor:
        """Return the fields of record ``number``, which must be below the length."""
        chunk, index = divmod(number, self._chunks.per_chunk)
        data, starts = self._cache.get(chunk)
        cursor = Cursor(data, starts[index], starts[index + 1])
        cursor.varint()
        return cursor

    def __iter__(self) -> Iterator[bytes]:
        """Yield every record in order, its length before it."""
        for chunk in range(self._chunks.count):
            data, starts = self._cache.get(chunk)
            for start, end in pairwise(starts):
                yield data[start:end]

    def _load(self, chunk: int) -> tuple[tuple[bytes, array[int]], int]:
        data = self._chunks.inflate(chunk)
        starts = array("Q", [0])
        position = 0
        while position < len(data):
            if (length := data[position]) < 0x80:
                position += 1 + length
            else:
                length, position = decode_varint(data, position)
                position += length
            if position > len(data):
                message = "a record reaches beyond its chunk"
                raise TraceError("ERR_TRACE_CORRUPT", message, chunk=chunk, offset=position)
            starts.append(position)
        self._chunks.check_count(chunk, len(starts) - 1)
        return (data, starts), len(data) + 8 * len(starts)
