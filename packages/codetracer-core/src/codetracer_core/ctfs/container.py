"""Random access to the internal files of a CTFS container, and the writer of such containers."""

from __future__ import annotations

import os
import struct

from codetracer_core.ctfs.base40 import unpack_name
from codetracer_core.ctfs.layout import (
    BLOCK_SIZES,
    HEADER,
    MAGIC,
    POINTER,
    READ_VERSIONS,
    SLOT,
)
from codetracer_core.ctfs.writer import ContainerWriter
from codetracer_core.errors import EnvironmentError_, TraceError
from codetracer_core.regular import open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

__all__ = ["Container", "ContainerWriter"]

_CACHED_MAPPINGS = 64


class Container:
    """The internal files of the container at ``path``, read piece by piece and never as a whole.

    Raises :class:`TraceError` for a file that is no container, of a version or block size that
    nothing reads, or whose directory is damaged, and :class:`EnvironmentError_` (``ERR_IO``) when
    the file cannot be read. Damage in one internal file shows when that file is read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = open(open_regular(path), "rb", buffering=0)  # noqa: SIM115 - see close()
        except OSError as error:
            raise self._failure(error) from error
        try:
            self._length = os.fstat(self._file.fileno()).st_size
            self.version, self.block_size, slots = self._header()
            self._fan_out = self.block_size // POINTER.size - 1
            self._files = self._directory(slots)
        except BaseException:
            self.close()
            raise
        self._mappings: dict[int, tuple[int, ...]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the internal files in directory order."""
        return tuple(self._files)

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def size(self, name: str) -> int:
        """Return the size in bytes of the internal file ``name``.

        Raises :class:`TraceError` (``ERR_TRACE_UNFINISHED``) when there is none.
        """
        return self._entry(name)[0]

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """Return ``length`` bytes (default: all) of the internal file ``name`` from ``offset`` on.

        Raises :class:`TraceError` when that range is not inside the file or its blocks are not
        inside the container.
        """
        size, root, _ = self._entry(name)
        if length is None:
            length = size - offset
        if offset < 0 or length < 0 or offset + length > size:
            message = "a range outside an internal file is needed: the trace is damaged"
            raise self._corrupt(message, file=name, offset=offset, length=length, size=size)
        pieces = []
        while length:
            block, within = divmod(offset, self.block_size)
            number, run = self._find_run(root, block, -(-(within + length) // self.block_size))
            count = min(length, run * self.block_size - within)
            pieces.append(self._pread(number * self.block_size + within, count))
            offset += count
            length -= count
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        """Release the file; closing twice is harmless."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _header(self) -> tuple[int, int, int]:
        head = self._pread(0, min(HEADER.size, self._length))
        if len(head) < HEADER.size or not head.startswith(MAGIC):
            message = "this file is not a .ct trace: it does not begin with the CTFS magic"
            raise TraceError("ERR_TRACE_FORMAT", message, path=self.path, offset=0)
        _, version, encryption, _, block_size, slots = HEADER.unpack(head)
        if version not in READ_VERSIONS:
            message = "this container version is not known: read it with a newer codetracer-core"
            raise TraceError("ERR_TRACE_FORMAT", message, path=self.path, offset=5, version=version)
        if version >= 4 and encryption:
            message = "the container is encrypted: decrypt it first"
            raise TraceError(
                "ERR_TRACE_FORMAT", message, path=self.path, offset=6, encryption=encryption
            )
        if block_size not in BLOCK_SIZES:
            message = f"a block size is one of {', '.join(map(str, BLOCK_SIZES))}"
            raise self._corrupt(message, offset=8, block_size=block_size)
        return version, block_size, slots

    def _directory(self, slots: int) -> dict[str, tuple[int, int, int]]:
        """Size, root block and place of the directory slot of each internal file."""
        # The directory ends with block 0, whatever number the header claims.
        slots = min(slots, (self.block_size - HEADER.size) // SLOT.size)
        table = self._pread(HEADER.size, slots * SLOT.size)
        files: dict[str, tuple[int, int, int]] = {}
        for number, (size, root, packed) in enumerate(SLOT.iter_unpack(table)):
            if packed:
                offset = HEADER.size + number * SLOT.size
                try:
                    name = unpack_name(packed)
                except TraceError as error:
                    raise self._corrupt(error.message, offset=offset, **error.context) from error
                files.setdefault(name, (size, root, offset))
        return files

    def _entry(self, name: str) -> tuple[int, int, int]:
        entry = self._files.get(name)
        if entry is None:
            message = f"the trace has no internal file {name}"
            raise TraceError(
                "ERR_TRACE_UNFINISHED", message, path=self.path, file=name, offset=HEADER.size
            )
        size, root, offset = entry
        if size > self._length:
            message = "an internal file claims to exceed the container: the trace is damaged"
            raise self._corrupt(message, file=name, offset=offset, size=size, length=self._length)
        if size and not root:
            message = "an internal file has no block map: the trace is damaged"
            raise self._corrupt(message, file=name, offset=offset)
        return entry

    def _find_run(self, root: int, block: int, wanted: int) -> tuple[int, int]:
        """Return where data block ``block`` lies and how many of ``wanted`` are in a row there."""
        fan_out = self._fan_out
        level, capacity, mapping = 1, fan_out, root
        while block >= capacity:
            block -= capacity
            mapping = self._pointer(mapping, fan_out)
            level += 1
            capacity *= fan_out
        while level > 1:
            level -= 1
            capacity //= fan_out
            child, block = divmod(block, capacity)
            mapping = self._pointer(mapping, child)
        first = self._pointer(mapping, block)
        entries = self._mapping(mapping)
        count = 1
        while (
            count < wanted and block + count < fan_out and entries[block + count] == first + count
        ):
            count += 1
        return first, count

    def _pointer(self, mapping: int, entry: int) -> int:
        number = self._mapping(mapping)[entry]
        if not 0 < number * self.block_size < self._length:
            message = "a block map points outside the container: the trace is damaged"
            offset = mapping * self.block_size + entry * POINTER.size
            raise self._corrupt(message, offset=offset, block=number)
        return number

    def _mapping(self, number: int) -> tuple[int, ...]:
        entries = self._mappings.get(number)
        if entries is None:
            data = self._pread(number * self.block_size, self.block_size)
            entries = struct.unpack(f"<{self._fan_out + 1}Q", data)
            if len(self._mappings) >= _CACHED_MAPPINGS:
                del self._mappings[next(iter(self._mappings))]
            self._mappings[number] = entries
        return entries

    def _pread(self, offset: int, length: int) -> bytes:
        if offset + length > self._length:
            message = "the container ends inside a block: the trace is cut"
            raise self._corrupt(message, offset=offset, length=length, size=self._length)
        try:
            descriptor = self._file.fileno()
            data = os.pread(descriptor, length, offset)
            while len(data) < length:
                more = os.pread(descriptor, length - len(data), offset + len(data))
                if not more:
                    break
                data += more
        except OSError as error:
            raise self._failure(error) from error
        if len(data) < length:
            message = "the container became shorter while it was read"
            raise self._corrupt(message, offset=offset, length=length)
        return data

    def _corrupt(self, message: str, **context: object) -> TraceError:
        return TraceError("ERR_TRACE_CORRUPT", message, path=self.path, **context)

    def _failure(self, error: OSError) -> EnvironmentError_:
        message = f"cannot read the trace: {error.strerror}; check the path and its permissions"
        return EnvironmentError_("ERR_IO", message, path=self.path, errno=error.errno)
