"""Streaming writer of CTFS containers: files grow in any order while memory stays flat."""

from __future__ import annotations

import os
import struct

from codetracer_core.ctfs.base40 import pack_name
from codetracer_core.ctfs.layout import (
    BLOCK_SIZE,
    BLOCK_SIZES,
    HEADER,
    MAGIC,
    MAX_SHARDS,
    POINTER,
    SLOT,
    SLOTS,
    WRITTEN_VERSION,
)
from codetracer_core.ctfs.temporary import open_new
from codetracer_core.errors import EnvironmentError_, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

__all__ = ["ContainerWriter"]

# Small appends gather to this many blocks, so that neighbours on disk belong together and system
# calls stay few.
_GATHERED_BLOCKS = 16


class _MappingBlock:
    """A mapping block with room: its block number, its bytes and how many entries are free."""

    __slots__ = ("data", "free", "number")

    def __init__(self, number: int, block_size: int) -> None:
        self.number = number
        self.data = bytearray(block_size)
        # The last entry is the link to the next level.
        self.free = block_size // POINTER.size - 1

    def add(self, first: int, count: int) -> None:
        """Take the next ``count`` entries for the consecutive blocks from ``first`` on."""
        offset = len(self.data) - (self.free + 1) * POINTER.size
        struct.pack_into(f"<{count}Q", self.data, offset, *range(first, first + count))
        self.free -= count

    def link(self, number: int) -> None:
        """Point the chain entry at the mapping block of the next level."""
        POINTER.pack_into(self.data, len(self.data) - POINTER.size, number)


class _InternalFile:
    """State of one internal file; ``open`` has its open mapping blocks, level 1 last."""

    __slots__ = ("open", "packed", "root", "size", "tail")

    def __init__(self, packed: int, root: _MappingBlock) -> None:
        self.packed = packed
        self.root = root.number
        self.size = 0
        self.tail = bytearray()
        self.open = [root]


class ContainerWriter:
    """Writes the container at ``path`` with the internal files ``names``, in that directory order.

    The file is created with mode 0600 and must not exist. It is readable only after :meth:`close`;
    :meth:`abort` removes it. As a context manager it closes on success and aborts on an exception.
    Some readers take only the default ``block_size``; 1024 and 2048 are for small containers that
    those need not open. Not safe for use from several threads.

    Raises :class:`UsageError` for a bad name, block size or number of files, and
    :class:`EnvironmentError_` (``ERR_IO``) when the file cannot be created or written.
    """

    def __init__(self, path: Path, names: Sequence[str], block_size: int = BLOCK_SIZE) -> None:
        if len(names) > SLOTS or len(set(names)) != len(names):
            message = f"a container holds at most {SLOTS} files of different names"
            raise UsageError("ERR_CTFS_NAME", message, names=len(names))
        if block_size not in BLOCK_SIZES:
            message = f"a block size is one of {', '.join(map(str, BLOCK_SIZES))}"
            raise UsageError("ERR_CTFS_BLOCK_SIZE", message, block_size=block_size)
        self._path = path
        self._block_size = block_size
        self._blocks = 1
        self._files = {name: _InternalFile(pack_name(name), self._new_mapping()) for name in names}
        try:
            self._fd = open_new(path, os.O_RDWR)
        except OSError as error:
            raise self._failure(error) from error

    def append(self, name: str, data: bytes | bytearray | memoryview) -> None:
        """Add ``data`` to the end of the internal file ``name``; its buffer may be reused."""
        file = self._files[name]
        length = data.nbytes if isinstance(data, memoryview) else len(data)
        file.size += length
        tail = file.tail
        if len(tail) + length < _GATHERED_BLOCKS * self._block_size:
            tail += data
            return
        with memoryview(data) as whole, whole.cast("B") as view:
            # Complete the tail to whole blocks, so that the rest passes without a copy.
            start = -len(tail) % self._block_size
            tail += view[:start]
            self._write_blocks(file, memoryview(tail))
            end = len(view) - (len(view) - start) % self._block_size
            self._write_blocks(file, view[start:end])
            file.tail = bytearray(view[end:])

    def size(self, name: str) -> int:
        """Return how many bytes the internal file ``name`` holds so far."""
        return self._files[name].size

    def close(self) -> None:
        """Write what is held back and the directory, and sync; closing twice is harmless."""
        if self._fd < 0:
            return
        for file in self._files.values():
            if file.tail:
                file.tail += bytes(-len(file.tail) % self._block_size)
                self._write_blocks(file, memoryview(file.tail))
                file.tail = bytearray()
            for mapping in file.open:
                self._write(mapping.number, mapping.data)
        self._write(0, self._directory())
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise self._failure(error) from error
        os.close(self._fd)
        self._fd = -1

    def abort(self) -> None:
        """Give up: close and remove the file; after :meth:`close` it does nothing."""
        if self._fd < 0:
            return
        os.close(self._fd)
        self._fd = -1
        try:
            os.unlink(self._path)
        except FileNotFoundError:
            return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.abort()
            return
        try:
            self.close()
        except BaseException:
            self.abort()
            raise

    def _directory(self) -> bytes:
        block = bytearray(self._block_size)
        HEADER.pack_into(block, 0, MAGIC, WRITTEN_VERSION, 0, MAX_SHARDS, self._block_size, SLOTS)
        for slot, file in enumerate(self._files.values()):
            SLOT.pack_into(block, HEADER.size + slot * SLOT.size, file.size, file.root, file.packed)
        return bytes(block)

    def _write_blocks(self, file: _InternalFile, view: memoryview) -> None:
        """Store whole blocks in runs that are contiguous on disk."""
        position = 0
        while position < len(view):
            leaf = file.open[-1]
            if leaf.free == 0:
                leaf = self._grow(file)
            count = min(leaf.free, (len(view) - position) // self._block_size)
            first = self._take(count)
            leaf.add(first, count)
            end = position + count * self._block_size
            self._write(first, view[position:end])
            position = end

    def _grow(self, file: _InternalFile) -> _MappingBlock:
        """Replace the full mapping blocks of ``file`` and return the new level-1 block."""
        depth = len(file.open)
        levels = depth
        while levels and file.open[levels - 1].free == 0:
            levels -= 1
        full = file.open[levels:]
        del file.open[levels:]
        if not file.open:
            top = self._new_mapping()
            full[0].link(top.number)
            file.open.append(top)
            depth += 1
        while len(file.open) < depth:
            child = self._new_mapping()
            file.open[-1].add(child.number, 1)
            file.open.append(child)
        for mapping in full:
            self._write(mapping.number, mapping.data)
        return file.open[-1]

    def _new_mapping(self) -> _MappingBlock:
        return _MappingBlock(self._take(1), self._block_size)

    def _take(self, count: int) -> int:
        first = self._blocks
        self._blocks += count
        return first

    def _write(self, block: int, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        offset = block * self._block_size
        try:
            while view:
                written = os.pwrite(self._fd, view, offset)
                view = view[written:]
                offset += written
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> EnvironmentError_:
        message = f"cannot write the trace: {error.strerror}; free space or choose another folder"
        return EnvironmentError_("ERR_IO", message, path=self._path, errno=error.errno)
