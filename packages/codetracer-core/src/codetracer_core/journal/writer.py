"""Writing a session's journal: the file, the ring, and the thread that moves chunks between them.

docs/journal.md describes the files.
"""

from __future__ import annotations

import errno
import json
import os
import time
from _thread import allocate_lock
from contextlib import suppress
from pathlib import Path

from codetracer_core import _zstd
from codetracer_core._native import ffi, lib
from codetracer_core.errors import EnvironmentError_
from codetracer_core.journal.format import (
    CHUNK_START,
    FLAG_RING_IS_PRIVATE,
    JOURNAL_HEADER,
    JOURNAL_MAGIC,
    KIND_CHUNK,
    KIND_END,
    KIND_METADATA,
    KIND_SOURCES,
    VERSION,
)
from codetracer_core.journal.identifiers import boot_id, new_session_id, session_id_text
from codetracer_core.journal.lock import take_lock
from codetracer_core.journal.retention import Retention
from codetracer_core.journal.rewriting import copy_journal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from codetracer_policy import CaptureLimits

__all__ = ["JournalWriter"]

_LEVEL = 1
_FLUSH_SLICE_MS = 100
_HIGH_DESCRIPTOR = 200


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
        self._file = ffi.new("ct_journal *")
        self._compressor = _zstd.Compressor(_LEVEL)
        self._retention = retention or Retention()
        # Frames are appended, dropped and copied by several threads.
        self._changing = allocate_lock()
        _lead_to(self._file, descriptor)
        self._file.is_bounded = self._retention.is_bounded
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
        session_id = new_session_id()
        name = f"trace.{session_id_text(session_id)}"
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
            writer._append(KIND_METADATA, _json_bytes(metadata))
            writer._become_the_one_of_c()
        except OSError as error:
            lib.ct_ring_destroy()
            for made in (ring_path, path):
                made.unlink(missing_ok=True)
            raise _io_error(error, path) from error
        return writer

    @property
    def trace_id(self) -> str:
        """The session id as it stands in the names of the files."""
        return session_id_text(self.session_id)

    def start_thread(self) -> None:
        """Start the thread that writes sealed chunks, unless it runs.

        Where no thread can be started, or must not be because the process is about to fork, the
        chunks that are ready are written here and now.
        """
        if lib.ct_session_is_active() and lib.ct_writer_start() != 0:
            lib.ct_writer_drain()

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
        copy = ffi.new("ct_journal *")
        try:
            with self._changing:
                self._append_sources()
                self._own_descriptor()
                surplus, _ = self._retention.surplus(time.monotonic_ns(), exact=True)
                file = self._file
                descriptor = copy_journal(file.descriptor, file.size, path, skipped=surplus)
                live = self._chunks_in_ring()
            try:
                _lead_to(copy, descriptor)
                for sequence, chunk in live:
                    _check(self._append_to(copy, KIND_CHUNK, chunk, sequence))
                _check(self._append_to(copy, KIND_END, _json_bytes(end)))
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _io_error(error, path) from error
        return path

    def add_source(self, path: str, facts: Mapping[str, object]) -> None:
        """Write what is known of a source before the next frame, and a text that no file has now.

        Called while the program runs: a signal handler of it may come here again, and finds the
        journal in use.
        """
        self._sources[path] = facts
        self._file.has_sources = True
        if "text" not in facts or not self._changing.acquire(blocking=False):
            return
        try:
            self._append_sources()
        except Exception as error:  # noqa: BLE001 - whatever it is, the program runs on
            self._fail(error)
        finally:
            self._changing.release()

    def _append_sources(self) -> None:
        """Append the sources that were not written yet; the lock is held."""
        if self._sources and self._failure is None:
            self._file.has_sources = False
            sources, self._sources = self._sources, {}
            self._append_frame(KIND_SOURCES, _json_bytes(sources))

    def _chunks_in_ring(self) -> list[tuple[int, bytes]]:
        """The chunks that are not in the journal yet, with their numbers, in their order."""
        room = ffi.new("uint8_t[]", lib.ct_slot_size())
        chunks = []
        for slot in range(lib.ct_slots()):
            length = lib.ct_slot_copy(slot, room)
            if length:
                chunk = bytes(ffi.buffer(room, length))
                sequence: int = CHUNK_START.unpack_from(chunk)[4]
                if sequence > self._file.last_sequence:
                    chunks.append((sequence, chunk))
        return sorted(chunks)

    def flush(self, sequence: int) -> None:
        """Wait until the chunks up to number `sequence` are on the disk.

        Raises EnvironmentError (``ERR_IO``).
        """
        while not self._file.failed and not lib.ct_writer_wait(sequence, _FLUSH_SLICE_MS):
            continue
        self._note_failure()
        try:
            if self._failure is not None:
                raise self._failure
            self._own_descriptor()
            os.fsync(self._file.descriptor)
        except Exception as error:
            raise _io_error(error, self.path) from error

    def finish(self, end: Mapping[str, object], *, keep_lock: bool = False) -> None:
        """Write what is left and `end`, close the journal and remove the ring.

        The session must be closed (``ct_session_close``). With `keep_lock` other processes take the
        journal for one in use until :meth:`release`. Raises EnvironmentError (``ERR_IO``); the
        ring stays then, so that what it holds can be recovered.
        """
        self.join()
        lib.ct_writer_drain()
        self._stop_watching()
        self._note_failure()
        if self._failure is None:
            try:
                self._drop_surplus(exact=True)
                self._append(KIND_END, _json_bytes(end))
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
        descriptor, self._file.descriptor = self._file.descriptor, -1
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
        lib.ct_writer_join()

    def before_fork(self) -> None:
        """End the writer thread: a child would inherit its locks, and Python warns of threads."""
        lib.ct_writer_pause(1)
        self.join()

    def after_fork(self) -> None:
        """In the parent: chunks are written by a thread again, from the next record on.

        Several threads of the program may be forking; then the last of them lets it be. To start
        the thread here is too early: CPython 3.13 counts those of the process after this.
        """
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

    def _become_the_one_of_c(self) -> None:
        """Let the C part write chunks here; what it is given is kept as long as this journal."""
        self._functions = (
            *self._compressor.builtin(),
            self._changing.acquire,
            self._changing.release,
            self._prepare,
            self._appended,
            self._save,
            self._fail,
        )
        lib.ct_writer_open(self._file, id(self._functions))

    def _prepare(self) -> None:
        """Before a chunk is appended, with the lock held."""
        self._append_sources()
        self._own_descriptor()

    def _appended(self, size: int) -> None:
        """After a chunk was appended to a journal of which not all is kept."""
        self._retention.add(size, time.monotonic_ns())
        if self._retention.is_reached(self._file.size):
            lib.ct_session_end()
        self._drop_surplus()

    def _save(self) -> None:
        if self._on_signal is not None:
            self._on_signal()

    def _note_failure(self) -> None:
        if self._file.failed and self._failure is None:
            self._failure = MemoryError()  # there was not even enough to say so

    def _fail(self, error: Exception) -> None:
        """Nothing more can be written: the program must not stall for that."""
        self._failure = self._failure or error
        self._file.failed = True
        lib.ct_session_fail()

    def _append(self, kind: int, payload: bytes) -> None:
        """Append one frame, whole or not at all."""
        with self._changing:
            self._append_sources()
            self._append_frame(kind, payload)

    def _append_frame(self, kind: int, payload: bytes) -> None:
        """The same with the lock held."""
        failed = self._append_to(self._file, kind, payload)
        if failed == lib.CT_JOURNAL_LOST:
            self._own_descriptor()
            failed = self._append_to(self._file, kind, payload)
        _check(failed)

    def _append_to(self, file: Any, kind: int, payload: bytes, sequence: int = 0) -> int:
        stored = self._compressor.compress(payload)
        failed: int = lib.ct_journal_append(file, kind, sequence, len(payload), stored, len(stored))
        return failed

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
                file = self._file
                descriptor = _moved_high(
                    copy_journal(file.descriptor, file.size, anew, skipped=count)
                )
                take_lock(descriptor)
                os.replace(anew, self.path)
                os.close(file.descriptor)
                _lead_to(file, descriptor)
        except OSError:
            return
        self._retention.forget(count)

    def _own_descriptor(self) -> None:
        """Make sure that the descriptor is still the journal: daemons close every one they find."""
        file = self._file
        if _leads_to(file, file.descriptor):
            return
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = _moved_high(os.open(self.path, flags))
        take_lock(descriptor)
        if not _leads_to(file, descriptor):
            os.close(descriptor)
            raise FileNotFoundError(errno.ENOENT, "the journal was replaced", str(self.path))
        file.descriptor = descriptor


def _lead_to(file: Any, descriptor: int) -> None:
    """Make `file` that which the descriptor leads to."""
    status = os.fstat(descriptor)
    file.descriptor = descriptor
    file.device, file.inode, file.size = status.st_dev, status.st_ino, status.st_size


def _leads_to(file: Any, descriptor: int) -> bool:
    """Whether the descriptor leads to `file`."""
    try:
        status = os.fstat(descriptor)
    except OSError as error:
        if error.errno != errno.EBADF:
            raise
        return False
    return (status.st_dev, status.st_ino) == (file.device, file.inode)


def _check(failed: int) -> None:
    if failed:
        raise OSError(failed, os.strerror(failed))


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


def _io_error(
    error: Exception, path: Path, remedy: str = "free space or choose another folder"
) -> EnvironmentError_:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else repr(error)
    message = f"the journal cannot be written: {reason}; {remedy}"
    return EnvironmentError_("ERR_IO", message, path=path)
