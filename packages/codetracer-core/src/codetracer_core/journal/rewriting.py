"""Writing a journal anew: without its oldest chunks, or as a copy somewhere else."""

from __future__ import annotations

import os

from codetracer_core.journal.format import (
    FLAG_OLDEST_DROPPED,
    FLAGS_OFFSET,
    FRAME_CRC,
    FRAME_START,
    JOURNAL_HEADER,
    KIND_CHUNK,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["copy_journal", "metadata_end"]

_PIECE = 1 << 20


def metadata_end(descriptor: int) -> int:
    """Where the frames behind the metadata of the open journal begin."""
    return _frame_at(descriptor, JOURNAL_HEADER.size)[1]


def copy_journal(source: int, size: int, destination: Path, *, skipped: int = 0) -> int:
    """Make the file `destination` from the first `size` bytes of the open journal `source`.

    Of the chunks the first `skipped` ones are left out.
    Returns the descriptor of the new file, to which frames can be appended. Raises OSError; no
    file is left then.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(destination, flags, 0o600)
    try:
        copied = 0
        for begin, end in _first_chunks(source, skipped):
            _copy(source, copied, begin, descriptor)
            copied = end
        _copy(source, copied, size, descriptor)
        if skipped:
            dropped = os.pread(descriptor, 4, FLAGS_OFFSET)
            number = int.from_bytes(dropped, "little") | FLAG_OLDEST_DROPPED
            os.pwrite(descriptor, number.to_bytes(4, "little"), FLAGS_OFFSET)
        _append_only(descriptor)
    except BaseException:
        os.close(descriptor)
        destination.unlink(missing_ok=True)
        raise
    return descriptor


def _first_chunks(source: int, count: int) -> Iterator[tuple[int, int]]:
    """Where each of the first `count` chunks begins and ends."""
    begin = metadata_end(source)
    while count:
        kind, end = _frame_at(source, begin)
        if kind == KIND_CHUNK:
            count -= 1
            yield begin, end
        begin = end


def _frame_at(source: int, begin: int) -> tuple[int, int]:
    """The kind of the frame that begins there, and its end."""
    start = FRAME_START.unpack(os.pread(source, FRAME_START.size, begin))
    stored: int = start[4]
    return start[1], begin + FRAME_START.size + FRAME_CRC.size + stored


def _copy(source: int, begin: int, end: int, destination: int) -> None:
    while begin < end:
        piece = os.pread(source, min(_PIECE, end - begin), begin)
        if not piece:
            return
        begin += len(piece)
        while piece:
            piece = piece[os.write(destination, piece) :]


def _append_only(descriptor: int) -> None:
    import fcntl

    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_APPEND)
