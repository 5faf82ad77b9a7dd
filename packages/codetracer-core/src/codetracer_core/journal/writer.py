"""Writing a session's journal: the file, the ring, and the thread that moves chunks between them.

docs/journal.md describes the files.
"""

from __future__ import annotations

import errno
import json
import os
import time
from _thread import allocate_lock
from binascii import crc32
from contextlib import suppress
from pathlib import Path

from codetracer_core import _zstd
from codetracer_core._native import ffi, lib
from codetracer_core.errors import EnvironmentError_
from codetracer_core.journal.boot import boot_id
from codetracer_core.journal.format import (
    CHUNK_START,
    CODEC_ZSTD,
    FLAG_RING_IS_PRIVATE,
    FRAME_CRC,
    FRAME_MAGIC,
    FRAME_START,
    JOURNAL_HEADER,
    JOURNAL_MAGIC,
    KIND_CHUNK,
    KIND_END,
    KIND_METADATA,
    KIND_SOURCES,
    VERSION,
)
from codetracer_core.journal.lock import take_lock
from codetracer_core.journal.retention import Retention
from codetracer_core.journal.rewriting import copy_journal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Buffer, Callable, Mapping

    from codetracer_policy import CaptureLimits

__all__ = ["JournalWriter"]

_LEVEL = 1
_FLUSH_SLICE_MS = 100
_WRITEBACK_NS = 1_000_000_000
_HIGH_DESCRIPTOR = 200
_SEALED, _IDLE, _SAVE = 1, 2, 3
"""What ct_writer_take has to say."""


class JournalWriter:
    """The journal of one session, open for appending.

    Chunks are compressed and appended by a thread, which also sees to it that the steps of a
    program that has become idle get here within two seconds.
    """

    def __init__(
        self,
        path: Path,
        ring_path: Path,
        session_id: bytes,
        descriptor: int,
        retention: Retention | None = None,
    ) -> None:
        self.path = path
        self.ring_path = ring_path
        self.session_id = session_id
        self._descriptor = descriptor
        status = os.fstat(descriptor)
        self._identity = (status.st_dev, status.st_ino)
        self._size = status.st_size
        self._run = self._drain_until_closed
        self._thread: Callable[[], None] | None = None
        self._forks = 0
        self._written_back = 0
        self._retention = retention or Retention()
        self._last_sequence = 0
        # Frames are appended, dropped and copied by several threads.
        self._changing = allocate_lock()
        self._on_signal: Callable[[], None] | None = None
        self._failure: Exception | None = None
        self._sources: dict[str, Mapping[str, object]] = {}

    @classmethod
    def create(
        cls,
        directory: Path,
        metadata: Mapping[str, object],
        limits: CaptureLimits,
        retention: Retention | None = None,
    ) -> JournalWriter:
        """Make ``trace.<id>.ctj`` and ``trace.<id>.ring`` in `directory` and open the first chunk.

        `metadata` is written first, as JSON. `limits` holds for the values of the session, and
        decides how large the ring is; `retention` says how much of the journal is kept. Raises
        EnvironmentError (``ERR_IO``); no file is left behind then.
        """
        lib.ct_set_limits(
            limits.max_depth, limits.max_items, limits.max_text, limits.max_value, limits.max_step
        )
        session_id = _uuid7()
        name = f"trace.{_text_of(session_id)}"
        # Absolute, because the program may change its directory.
        path = Path(os.path.abspath(directory), f"{name}.ctj")
        ring_path = path.with_name(f"{name}.ring")
        boot = boot_id()
        shared = ffi.new("int *")
        failed = lib.ct_ring_create(os.fsencode(ring_path), session_id, boot, shared)
        if failed:
            raise _io_error(OSError(failed, os.strerror(failed)), ring_path)
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = _moved_high(os.open(path, flags, 0o600))
            take_lock(descriptor)
            header = JOURNAL_HEADER.pack(
                JOURNAL_MAGIC,
                VERSION,
                JOURNAL_HEADER.size,
                0 if shared[0] else FLAG_RING_IS_PRIVATE,
                session_id,
                time.time_ns(),
                time.monotonic_ns(),
                boot,
            )
            os.write(descriptor, header)
            writer = cls(path, ring_path, session_id, descriptor, retention)
            writer._append(KIND_METADATA, 0, _json_bytes(metadata), _zstd.Compressor(_LEVEL))
        except OSError as error:
            lib.ct_ring_destroy()
            for made in (ring_path, path):
                made.unlink(missing_ok=True)
            raise _io_error(error, path) from error
        return writer

    @property
    def trace_id(self) -> str:
        """The session id as it stands in the names of the files."""
        return _text_of(self.session_id)

    def start_thread(self) -> None:
        """Start the thread that writes sealed chunks, unless it runs.

        Where no thread can be started, or must not be because the process is about to fork, the
        chunks that are ready are written here and now.
        """
        if self._thread is not None or not lib.ct_session_is_active():
            return
        if not self._forks:
            # Another thread of the program may come here while this one starts the writer.
            self._thread = self._run
            if lib.ct_writer_start(id(self._run)) == 0:
                return
            self._thread = None
        self._drain(wait=False)

    def watch_signal(self, number: int, on_signal: Callable[[], None]) -> None:
        """Call `on_signal`, in the writer's thread, whenever the signal `number` has come.

        Raises EnvironmentError (``ERR_IO``) when the system does not let us.
        """
        failed = lib.ct_save_signal_open(number)
        if failed:
            raise _io_error(OSError(failed, os.strerror(failed)), self.path)
        self._on_signal = on_signal
        self.start_thread()

    def copy_to(self, directory: Path, end: Mapping[str, object]) -> Path:
        """Make a journal in `directory` of what is recorded up to now, which ends with `end`.

        Recording goes on meanwhile. Raises EnvironmentError (``ERR_IO``).
        """
        path = directory / self.path.name
        compressor = _zstd.Compressor(_LEVEL)
        try:
            with self._changing:
                self._append_sources()
                self._own_descriptor()
                surplus, _ = self._retention.surplus(time.monotonic_ns(), exact=True)
                descriptor = copy_journal(self._descriptor, self._size, path, skipped=surplus)
                live = self._chunks_in_ring()
            with open(descriptor, "ab", buffering=0) as copy:
                frames = [_frame(KIND_CHUNK, *chunk, compressor) for chunk in live]
                copy.write(b"".join(frames))
                copy.write(_frame(KIND_END, 0, _json_bytes(end), compressor))
        except OSError as error:
            raise _io_error(error, path) from error
        return path

    def add_source(self, path: str, facts: Mapping[str, object]) -> None:
        """Write what is known of a source before the next frame, and a text that no file has now.

        Called while the program runs: a signal handler of it may come here again, and finds the
        journal in use.
        """
        self._sources[path] = facts
        if "text" not in facts or not self._changing.acquire(blocking=False):
            return
        try:
            self._append_sources()
        except Exception as error:  # noqa: BLE001 - whatever it is, the program runs on
            self._failure = self._failure or error
            lib.ct_session_fail()
        finally:
            self._changing.release()

    def _append_sources(self) -> None:
        """Append the sources that were not written yet; the lock is held."""
        if self._sources and self._failure is None:
            sources, self._sources = self._sources, {}
            compressor = _zstd.Compressor(_LEVEL)
            self._append_frame(_frame(KIND_SOURCES, 0, _json_bytes(sources), compressor))

    def _chunks_in_ring(self) -> list[tuple[int, bytes]]:
        """The chunks that are not in the journal yet, with their numbers, in their order."""
        room = ffi.new("uint8_t[]", lib.ct_slot_size())
        chunks = []
        for slot in range(lib.ct_slots()):
            length = lib.ct_slot_copy(slot, room)
            if length:
                chunk = bytes(ffi.buffer(room, length))
                sequence: int = CHUNK_START.unpack_from(chunk)[4]
                if sequence > self._last_sequence:
                    chunks.append((sequence, chunk))
        return sorted(chunks)

    def flush(self, sequence: int) -> None:
        """Wait until the chunks up to number `sequence` are on the disk.

        Raises EnvironmentError (``ERR_IO``).
        """
        while self._failure is None and not lib.ct_writer_wait(sequence, _FLUSH_SLICE_MS):
            continue
        try:
            if self._failure is not None:
                raise self._failure
            self._own_descriptor()
            os.fsync(self._descriptor)
        except Exception as error:
            raise _io_error(error, self.path) from error

    def finish(self, end: Mapping[str, object], *, keep_lock: bool = False) -> None:
        """Write what is left and `end`, close the journal and remove the ring.

        The session must be closed (``ct_session_close``). With `keep_lock` other processes take the
        journal for one in use until :meth:`release`. Raises EnvironmentError (``ERR_IO``); the
        ring stays then, so that what it holds can be recovered.
        """
        self.join()
        self._drain(wait=False)
        self._stop_watching()
        if self._failure is None:
            try:
                self._drop_surplus(exact=True)
                self._append(KIND_END, 0, _json_bytes(end), _zstd.Compressor(_LEVEL))
            except Exception as error:  # noqa: BLE001 - reported below
                self._failure = error
        lib.ct_ring_destroy()
        if not keep_lock or self._failure is not None:
            self.release()
        if self._failure is not None:
            remedy = "free space; codetracer-core recover then makes the trace of what was recorded"
            raise _io_error(self._failure, self.path, remedy) from self._failure
        self.ring_path.unlink(missing_ok=True)

    def release(self) -> None:
        """Close the journal, which other processes may then take; does nothing the second time."""
        descriptor, self._descriptor = self._descriptor, -1
        with suppress(OSError):  # the program may have closed it
            os.close(descriptor)

    def abandon(self) -> None:
        """Close everything and remove both files; for a session that is not to be kept."""
        lib.ct_session_close()
        self.join()
        self._stop_watching()
        self._close()
        for made in (self.ring_path, self.path):
            made.unlink(missing_ok=True)

    def join(self) -> None:
        """Wait for the writer thread, which ends when the session is closed."""
        if self._thread is not None:
            lib.ct_writer_join()
            self._thread = None

    def before_fork(self) -> None:
        """End the writer thread: a child would inherit its locks, and Python warns of threads."""
        # Several threads of the program may be forking.
        self._forks += 1
        lib.ct_writer_pause(1)
        self.join()

    def after_fork(self) -> None:
        """In the parent: chunks are written by a thread again, from the next record on.

        To start it here is too early: CPython 3.13 counts the threads of the process after this.
        """
        self._forks -= 1
        if not self._forks:
            lib.ct_writer_pause(0)

    def detach(self) -> None:
        """In a forked child: let go of the parent's files."""
        self._stop_watching()
        self._close()

    def _close(self) -> None:
        lib.ct_ring_destroy()
        self.release()

    def _stop_watching(self) -> None:
        if self._on_signal is not None:
            lib.ct_save_signal_close()
            self._on_signal = None

    def _drain_until_closed(self) -> None:
        self._drain(wait=True)

    def _drain(self, *, wait: bool) -> None:
        """Write the sealed chunks that are ready; with `wait`, all until the session closes."""
        slot, sequence = ffi.new("int *"), ffi.new("uint64_t *")
        data, length = ffi.new("uint8_t **"), ffi.new("uint32_t *")
        compressor = _zstd.Compressor(_LEVEL)
        while True:
            taken = lib.ct_writer_take(wait, slot, sequence, data, length)
            if taken == _SAVE and self._on_signal is not None:
                self._on_signal()
            elif taken == _IDLE:
                lib.ct_session_seal_idle(sequence[0])
            elif taken == _SEALED:
                self._write_chunk(sequence[0], ffi.buffer(data[0], length[0]), compressor)
                # A chunk that could not be written stays in its slot, where it can be recovered.
                if self._failure is None:
                    lib.ct_writer_give(slot[0])
            else:
                return

    def _write_chunk(self, sequence: int, chunk: Buffer, compressor: _zstd.Compressor) -> None:
        if self._failure is not None:
            return
        try:
            before = self._size
            self._append(KIND_CHUNK, sequence, chunk, compressor)
            now = time.monotonic_ns()
            if now - self._written_back >= _WRITEBACK_NS:
                self._written_back = now
                lib.ct_start_writeback(self._descriptor)
            self._retention.add(self._size - before, time.monotonic_ns())
            if self._retention.is_reached(self._size):
                lib.ct_session_end()
            self._drop_surplus()
        except Exception as error:  # noqa: BLE001 - whatever it is, the program must not stall
            self._failure = error
            lib.ct_session_fail()

    def _append(
        self, kind: int, sequence: int, payload: Buffer, compressor: _zstd.Compressor
    ) -> None:
        """Append one frame, whole or not at all."""
        frame = _frame(kind, sequence, payload, compressor)
        with self._changing:
            self._append_sources()
            self._append_frame(frame)
            self._last_sequence = max(self._last_sequence, sequence)

    def _append_frame(self, frame: bytes) -> None:
        self._own_descriptor()
        written = 0
        try:
            while written < len(frame):
                written += os.write(self._descriptor, frame[written:] if written else frame)
        except OSError:
            # Half a frame would hide every later one from readers.
            os.ftruncate(self._descriptor, self._size)
            raise
        self._size += written

    def _drop_surplus(self, *, exact: bool = False) -> None:
        """Write the journal anew without the chunks that are not to be kept.

        Where there is no room for that it grows on.
        """
        count, _ = self._retention.surplus(time.monotonic_ns(), exact=exact)
        if not count:
            return
        anew = self.path.with_name(f".{self.path.name}.tmp")
        try:
            with self._changing:
                self._own_descriptor()
                anew.unlink(missing_ok=True)
                descriptor = _moved_high(
                    copy_journal(self._descriptor, self._size, anew, skipped=count)
                )
                take_lock(descriptor)
                os.replace(anew, self.path)
                os.close(self._descriptor)
                self._descriptor = descriptor
                status = os.fstat(descriptor)
                self._identity = (status.st_dev, status.st_ino)
                self._size = status.st_size
        except OSError:
            return
        self._retention.forget(count)

    def _own_descriptor(self) -> None:
        """Make sure that the descriptor is still the journal: daemons close every one they find."""
        try:
            status = os.fstat(self._descriptor)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
        else:
            if (status.st_dev, status.st_ino) == self._identity:
                return
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = _moved_high(os.open(self.path, flags))
        take_lock(descriptor)
        status = os.fstat(descriptor)
        if (status.st_dev, status.st_ino) != self._identity:
            os.close(descriptor)
            raise FileNotFoundError(errno.ENOENT, "the journal was replaced", str(self.path))
        self._descriptor = descriptor


def _frame(kind: int, sequence: int, payload: Buffer, compressor: _zstd.Compressor) -> bytes:
    """One frame as it stands in the journal."""
    stored = compressor.compress(payload)
    start = FRAME_START.pack(
        FRAME_MAGIC,
        kind,
        CODEC_ZSTD,
        0,
        len(stored),
        memoryview(payload).nbytes,
        sequence,
        crc32(stored),
    )
    return b"".join((start, FRAME_CRC.pack(crc32(start)), stored))


def _moved_high(descriptor: int) -> int:
    """The same file under a high number, where a program does not meet it."""
    import fcntl

    try:
        high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGH_DESCRIPTOR)
    except OSError:
        return descriptor
    os.close(descriptor)
    return high


def _json_bytes(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def _uuid7() -> bytes:
    """A UUID of version 7 (RFC 9562): milliseconds since the epoch, then random bits."""
    number = bytearray((time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(10))
    number[6] = number[6] & 0x0F | 0x70
    number[8] = number[8] & 0x3F | 0x80
    return bytes(number)


def _text_of(session_id: bytes) -> str:
    digits = session_id.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _io_error(
    error: Exception, path: Path, remedy: str = "free space or choose another folder"
) -> EnvironmentError_:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else repr(error)
    message = f"the journal cannot be written: {reason}; {remedy}"
    return EnvironmentError_("ERR_IO", message, path=path)
