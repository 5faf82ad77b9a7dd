"""The trace's own description: the record ``meta.dat``."""

from __future__ import annotations

from dataclasses import dataclass

from codetracer_core.ctfs.layout import (
    COLUMNS,
    KNOWN_FLAGS,
    LAYOUT_SNAPSHOT,
    META_HEAD,
    META_MAGIC,
    META_VERSION,
    NATIVE,
    REPLAY_LAUNCH,
    TRACE_FILTERS,
)
from codetracer_core.ctfs.varint import Cursor
from codetracer_core.errors import TraceError

__all__ = ["TraceFilter", "TraceMeta", "parse_meta"]


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """A filter that shaped the recording: its origin and the SHA-256 of its text, in hex."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class TraceMeta:
    """What was recorded: ``program`` with ``args`` in ``workdir``; ``flags`` choose the framing."""

    flags: int
    recording_id: str
    program: str
    args: tuple[str, ...]
    workdir: str
    recorder: str
    paths: tuple[str, ...]
    filters: tuple[TraceFilter, ...]

    @property
    def columns(self) -> bool:
        """Whether steps carry columns and paths their line lengths."""
        return bool(self.flags & COLUMNS)


def parse_meta(data: bytes) -> TraceMeta:
    """Return the content of ``meta.dat``; bytes after the known fields are ignored.

    Raises :class:`TraceError`: ``ERR_TRACE_FORMAT`` for a version or flag that is not known and for
    native recordings, ``ERR_TRACE_CORRUPT`` for damage.
    """
    if len(data) < META_HEAD.size or not data.startswith(META_MAGIC):
        raise TraceError(
            "ERR_TRACE_CORRUPT", "meta.dat does not begin with its magic", file="meta.dat", offset=0
        )
    _, version, flags = META_HEAD.unpack_from(data)
    if version != META_VERSION or flags & ~KNOWN_FLAGS:
        message = "meta.dat has a version or flag that is not known: read it with a newer version"
        raise TraceError(
            "ERR_TRACE_FORMAT",
            message,
            file="meta.dat",
            offset=4 if version != META_VERSION else 6,
            version=version,
            flags=f"{flags:#06x}",
        )
    if flags & NATIVE:
        message = "this is a recording of native code: replay it with the CodeTracer debugger"
        raise TraceError(
            "ERR_TRACE_FORMAT", message, file="meta.dat", offset=6, flags=f"{flags:#06x}"
        )
    cursor = Cursor(data, META_HEAD.size)
    recording_id, program = cursor.text(), cursor.text()
    args = _texts(cursor)
    workdir, recorder = cursor.text(), cursor.text()
    paths = _texts(cursor)
    if flags & REPLAY_LAUNCH:
        cursor.raw(1)
    if flags & LAYOUT_SNAPSHOT:
        cursor.raw(8)
        cursor.blob()
    filters = _filters(cursor) if flags & TRACE_FILTERS else ()
    return TraceMeta(flags, recording_id, program, args, workdir, recorder, paths, filters)


def _texts(cursor: Cursor) -> tuple[str, ...]:
    return tuple(cursor.text() for _ in range(cursor.count()))


def _filters(cursor: Cursor) -> tuple[TraceFilter, ...]:
    return tuple(TraceFilter(cursor.text(), cursor.raw(32).hex()) for _ in range(cursor.count()))
