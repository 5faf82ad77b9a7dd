"""Reads a journal back: its metadata and its chunks, also those that only its ring holds."""

from __future__ import annotations

import os
from binascii import crc32

from codetracer_core import _zstd
from codetracer_core.errors import EnvironmentError_, TraceError
from codetracer_core.journal.format import (
    CHUNK_HEADER_SIZE,
    CHUNK_MAGIC,
    CHUNK_START,
    CHUNK_STEPS,
    CHUNK_STEPS_OFFSET,
    CODEC_STORED,
    CODEC_ZSTD,
    FLAG_OLDEST_DROPPED,
    FLAG_RING_IS_PRIVATE,
    FRAME_CRC,
    FRAME_MAGIC,
    FRAME_START,
    INFLATED_LIMIT,
    JOURNAL_HEADER,
    JOURNAL_MAGIC,
    KIND_CHUNK,
    KIND_END,
    KIND_METADATA,
    KIND_SOURCES,
    RING_HEADER,
    RING_MAGIC,
    RING_SLOTS_START,
    SLOT_LIMIT,
    SLOTS_LIMIT,
    STORED_LIMIT,
    VERSION,
)
from codetracer_core.regular import open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Self

__all__ = ["JournalChunk", "JournalReader", "journal_is_empty", "journal_metadata"]

# What stands under the name may be a pipe, whose opening would wait for a writer.
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
_FRAME_SIZE = FRAME_START.size + FRAME_CRC.size
_DOCUMENTS = {KIND_METADATA: "metadata", KIND_END: "end", KIND_SOURCES: "list of sources"}


class JournalChunk:
    """One chunk: a header of 128 bytes and the records.

    ``after_gap`` tells that chunks before this one are lost.
    """

    __slots__ = ("after_gap", "data", "sequence")

    def __init__(self, sequence: int, data: bytes, *, after_gap: bool) -> None:
        self.sequence = sequence
        self.data = data
        self.after_gap = after_gap


class _Place:
    """Where a chunk lies: a frame of the journal, or a slot of the ring (which has no codec)."""

    __slots__ = ("codec", "inflated", "offset", "sequence", "stored")

    def __init__(
        self, sequence: int, offset: int, stored: int, inflated: int, codec: int | None
    ) -> None:
        self.sequence = sequence
        self.offset = offset
        self.stored = stored
        self.inflated = inflated
        self.codec = codec


class JournalReader:
    """The journal at ``path``, whose recorder is not writing any more.

    Opening checks every frame; :meth:`chunks` may be called again and again and holds one chunk at
    a time. What is missing is listed in ``damage``: a damaged journal can still be read up to
    there, and past the gap when the ring holds later chunks. The same in numbers: ``bytes_dropped``
    stand behind the last whole frame, ``chunks_missing`` are gaps in the sequence.

    Raises :class:`TraceError` (``ERR_JOURNAL_FORMAT``) for a file that is no journal or one of
    another version, and :class:`EnvironmentError_` (``ERR_IO``) when it cannot be read.
    """

    def __init__(self, path: Path, *, metadata_only: bool = False) -> None:
        """Open `path`; with `metadata_only` nothing behind its metadata is looked at."""
        self.path = path
        self.metadata: dict[str, object] = {}
        self.end: dict[str, object] | None = None
        self.sources: dict[str, object] = {}
        self.damage: list[str] = []
        self.bytes_dropped = 0
        self.chunks_missing = 0
        self._places: list[_Place] = []
        self._ring_fd = -1
        self._fd = self._open(path)
        try:
            self._length = os.fstat(self._fd).st_size
            self._read_header()
            self._read_frames(metadata_only=metadata_only)
            if metadata_only:
                return
            self._read_ring(path.with_suffix(".ring"))
        except OSError as error:
            self.close()
            raise _failure(path, error) from error
        except BaseException:
            self.close()
            raise
        self._places.sort(key=lambda place: place.sequence)
        self._find_gaps()

    @property
    def complete(self) -> bool:
        """Whether the session ended in order and nothing of it is missing."""
        return self.end is not None and not self.damage

    @property
    def dropped_chunks(self) -> int:
        """How many of the oldest chunks the recorder has not kept because it was told so."""
        if not self.flags & FLAG_OLDEST_DROPPED or not self._places:
            return 0
        return self._places[0].sequence - 1

    @property
    def dropped_steps(self) -> int:
        """How many steps were in the chunks that were not kept."""
        if not self.dropped_chunks:
            return 0
        steps: int = CHUNK_STEPS.unpack_from(self._load(self._places[0]), CHUNK_STEPS_OFFSET)[0]
        return steps

    @property
    def chunk_count(self) -> int:
        """How many chunks :meth:`chunks` gives."""
        return len(self._places)

    @property
    def ring_chunk_count(self) -> int:
        """How many of these only the ring holds."""
        return sum(place.codec is None for place in self._places)

    def chunks(self) -> Iterator[JournalChunk]:
        """Give every chunk, in the order in which they were recorded."""
        expected = 1
        for place in self._places:
            after_gap = place.sequence != expected
            yield JournalChunk(place.sequence, self._load(place), after_gap=after_gap)
            expected = place.sequence + 1

    def close(self) -> None:
        """Close the files; closing twice is harmless."""
        for descriptor in (self._fd, self._ring_fd):
            if descriptor >= 0:
                os.close(descriptor)
        self._fd = self._ring_fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _open(self, path: Path) -> int:
        try:
            return os.open(path, _READ)
        except OSError as error:
            raise _failure(path, error) from error

    def _read_header(self) -> None:
        head = os.pread(self._fd, JOURNAL_HEADER.size, 0)
        if len(head) < JOURNAL_HEADER.size or head[:8] != JOURNAL_MAGIC:
            message = "this is no journal: give the trace.<id>.ctj of a recording"
            raise TraceError("ERR_JOURNAL_FORMAT", message, path=self.path, offset=0)
        _, version, size, self.flags, *rest = JOURNAL_HEADER.unpack(head)
        self.session_id: bytes = rest[0]
        self.started_ns: int = rest[1]
        self.boot_id: bytes = rest[3]
        if version != VERSION or size < JOURNAL_HEADER.size:
            message = "this journal's version is not known: read it with a newer codetracer-core"
            raise TraceError(
                "ERR_JOURNAL_FORMAT", message, path=self.path, offset=8, version=version
            )
        self._start: int = size

    @property
    def crash_safe(self) -> bool:
        """Whether the recorder could share its ring, so that a kill lost nothing."""
        return not self.flags & FLAG_RING_IS_PRIVATE

    def _read_frames(self, *, metadata_only: bool) -> None:
        """Check the frames and note where the chunks are, up to the first that is not whole."""
        offset = self._start
        known = {0}
        while offset < self._length and not (metadata_only and self.metadata):
            fields = self._frame_at(offset)
            if fields is None:
                self.damage.append(f"the journal is damaged or cut at byte {offset}")
                self.bytes_dropped = self._length - offset
                return
            kind, codec, stored, inflated, sequence = fields
            start = offset + _FRAME_SIZE
            if kind == KIND_CHUNK and sequence not in known:
                known.add(sequence)
                self._places.append(_Place(sequence, start, stored, inflated, codec))
            elif kind in _DOCUMENTS:
                self._read_document(kind, _Place(0, start, stored, inflated, codec))
            offset = start + stored

    def _frame_at(self, offset: int) -> tuple[int, int, int, int, int] | None:
        """Return kind, codec, lengths and sequence of a frame; None when it is damaged."""
        head = os.pread(self._fd, _FRAME_SIZE, offset)
        if len(head) < _FRAME_SIZE:
            return None
        magic, kind, codec, _, stored, inflated, sequence, crc = FRAME_START.unpack_from(head)
        if magic != FRAME_MAGIC or FRAME_CRC.unpack_from(head, FRAME_START.size)[0] != crc32(
            head[: FRAME_START.size]
        ):
            return None
        if stored > STORED_LIMIT or inflated > INFLATED_LIMIT:
            return None
        payload = os.pread(self._fd, stored, offset + _FRAME_SIZE)
        if len(payload) < stored or crc32(payload) != crc:
            return None
        return kind, codec, stored, inflated, sequence

    def _read_document(self, kind: int, place: _Place) -> None:
        from json import loads

        try:
            document = loads(self._load(place))
        except (ValueError, RecursionError, TraceError):
            document = None
        if not isinstance(document, dict):
            self.damage.append(f"the journal's {_DOCUMENTS[kind]} cannot be read")
        elif kind == KIND_METADATA:
            self.metadata = document
        elif kind == KIND_SOURCES:
            self.sources.update(document)
        else:
            self.end = document

    def _read_ring(self, path: Path) -> None:
        """Note the ring's slots whose chunks are in no frame."""
        try:
            self._ring_fd = open_regular(path)
        except FileNotFoundError:
            if self.end is None:
                self.damage.append("the ring with the last steps is missing")
            return
        except OSError as error:
            raise _failure(path, error) from error
        head = os.pread(self._ring_fd, RING_HEADER.size, 0)
        fields = RING_HEADER.unpack(head) if len(head) == RING_HEADER.size else (b"",) * 6
        magic, version, _, slots, slot_size, session = fields
        if magic != RING_MAGIC or version != VERSION or session != self.session_id:
            self.damage.append("the ring does not belong to this journal")
            return
        if slots > SLOTS_LIMIT or not CHUNK_HEADER_SIZE <= slot_size <= SLOT_LIMIT:
            self.damage.append("the ring's header is damaged")
            return
        known = {place.sequence for place in self._places}
        for slot in range(slots):
            offset = RING_SLOTS_START + slot * slot_size
            start = os.pread(self._ring_fd, CHUNK_START.size, offset)
            if len(start) < CHUNK_START.size:
                break
            magic, version, _, session, sequence = CHUNK_START.unpack(start)
            if magic != CHUNK_MAGIC or version != VERSION or session != self.session_id:
                continue
            if sequence and sequence not in known:
                known.add(sequence)
                self._places.append(_Place(sequence, offset, slot_size, slot_size, None))

    def _find_gaps(self) -> None:
        expected = 1 + self.dropped_chunks
        for place in self._places:
            if place.sequence > expected:
                self.damage.append(f"chunks {expected} to {place.sequence - 1} are missing")
                self.chunks_missing += place.sequence - expected
            expected = place.sequence + 1

    def _load(self, place: _Place) -> bytes:
        descriptor = self._ring_fd if place.codec is None else self._fd
        try:
            data = os.pread(descriptor, place.stored, place.offset)
        except OSError as error:
            raise _failure(self.path, error) from error
        if place.codec == CODEC_ZSTD:
            data = self._inflated(data, place.offset)
        elif place.codec not in (CODEC_STORED, None):
            message = "the journal's compression is not known: read it with a newer codetracer-core"
            raise TraceError(
                "ERR_JOURNAL_FORMAT",
                message,
                path=self.path,
                offset=place.offset,
                codec=place.codec,
            )
        if len(data) != place.inflated and place.codec is not None:
            message = "a frame of the journal does not hold what its header says"
            raise TraceError("ERR_JOURNAL_CORRUPT", message, path=self.path, offset=place.offset)
        return data

    def _inflated(self, data: bytes, offset: int) -> bytes:
        try:
            return _zstd.decompress(data, INFLATED_LIMIT)
        except TraceError as error:
            raise TraceError(
                "ERR_JOURNAL_CORRUPT", error.message, path=self.path, offset=offset
            ) from error


def journal_metadata(path: Path) -> dict[str, object]:
    """What the journal at `path`, which may be written just now, says of its recording.

    Raises as :class:`JournalReader` does.
    """
    with JournalReader(path, metadata_only=True) as reader:
        return reader.metadata


def journal_is_empty(path: Path) -> bool:
    """Whether the journal at `path`, which may be written just now, has no record yet.

    Raises as :class:`JournalReader` does.
    """
    with JournalReader(path) as reader:
        return not any(any(chunk.data[CHUNK_HEADER_SIZE:][:1]) for chunk in reader.chunks())


def _failure(path: Path, error: OSError) -> EnvironmentError_:
    message = f"cannot read the journal: {error.strerror}; check the path and its permissions"
    return EnvironmentError_("ERR_IO", message, path=path, errno=error.errno)
