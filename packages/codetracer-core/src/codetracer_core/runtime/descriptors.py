"""Mirrors of the descriptors 1 and 2: what reaches them past the methods of Python's streams.

A file is read back. A pipe, socket or device is replaced by a pipe, from which a process of its own
hands everything on at once and keeps a copy. A terminal cannot be mirrored: the program would find
a pipe in its place.
"""

from __future__ import annotations

import os
import stat
import sys

from codetracer_core._native import ffi, lib
from codetracer_core.errors import EnvironmentError_, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Final, TypeAlias

    Identity: TypeAlias = tuple[int, int]
    """Of a file: its device and its number there."""

__all__ = ["DESCRIPTORS", "DescriptorMirror", "leave_to_parents", "refuse_obstacles"]

DESCRIPTORS: Final = {"stdout": 1, "stderr": 2}
"""The descriptors that can be mirrored, by the name of their stream."""

_HIGH: Final = 200
_PATIENCE_S: Final = 10.0
_PAUSE_MS: Final = 1

_of_parents: set[Identity] = set()
"""What the processes mirror that this one descends from. They see what comes from here, too, and
with a pipe in between it would come later than what they write when they hear of it."""


def leave_to_parents(files: Iterable[Identity]) -> None:
    """Mirror none of `files` in this process: one that it descends from does."""
    _of_parents.update(files)


class DescriptorMirror:
    """The mirrors of one session."""

    def __init__(self) -> None:
        self._originals: dict[int, int] = {}
        self._private: dict[int, os.stat_result] = {}
        self._is_open = False
        self.files: set[Identity] = set()
        """What is mirrored, here or by a process that this one descends from."""

    def open(self, streams: Iterable[str], *, insists: bool = True) -> None:
        """Begin to mirror what `streams` lead to, as far as they are open and no parent does.

        When one of them cannot be mirrored, UsageError (``ERR_NO_MIRROR``) is raised if it
        `insists`, and else that one is left alone. Raises EnvironmentError (``ERR_IO``) when the
        system refuses; the descriptors are as before then.
        """
        wanted = [
            name
            for name in sorted(streams, key=DESCRIPTORS.__getitem__)
            if (status := _status(name)) is not None and _identity(status) not in _of_parents
        ]
        if insists:
            refuse_obstacles(wanted)
        else:
            wanted = [name for name in wanted if _obstacle(name, wanted) is None]
        try:
            self._open([DESCRIPTORS[name] for name in wanted])
            own = {_identity(os.fstat(DESCRIPTORS[name])) for name in wanted}
            self.files = own | _of_parents
        except OSError as error:
            self.close()
            raise EnvironmentError_(
                "ERR_IO", f"the standard streams cannot be mirrored: {error.strerror}"
            ) from error

    def _open(self, descriptors: list[int]) -> None:
        self._is_open = True
        targets: dict[tuple[int, int], list[int]] = {}
        for number in descriptors:
            status = os.fstat(number)
            targets.setdefault((status.st_dev, status.st_ino), []).append(number)
        pipes: list[int] = []
        for numbers in targets.values():
            if stat.S_ISREG(os.fstat(numbers[0]).st_mode):
                source = os.open(f"/proc/self/fd/{numbers[0]}", os.O_RDONLY | os.O_CLOEXEC)
                _check(lib.ct_mirror_add(numbers[0] - 1, numbers[0], self._keep(source), -1))
            else:
                pipes += numbers[:1]
        if pipes:
            self._forward(pipes, targets)
        if descriptors:
            lib.ct_mirror_watch()

    def _forward(self, pipes: list[int], targets: dict[tuple[int, int], list[int]]) -> None:
        """Put pipes in place of the descriptors `pipes`, and of others of the same target."""
        copies, inner, given = [], [], []
        try:
            for number in pipes:
                copies.append(self._keep(os.memfd_create("output", os.MFD_CLOEXEC)))
                self._originals[number] = self._keep(os.dup(number))
                inner.append(os.pipe())
                if not os.get_blocking(number):
                    os.set_blocking(inner[-1][1], False)
                given += [inner[-1][0], self._originals[number], copies[-1]]
            _check(lib.ct_forward_open(ffi.new("int[]", given), len(pipes)))
            for i, number in enumerate(pipes):
                (same,) = (numbers for numbers in targets.values() if number in numbers)
                for other in same:
                    self._originals[other] = self._originals[number]
                    os.dup2(inner[i][1], other)
                _check(lib.ct_mirror_add(number - 1, number, copies[i], i))
        finally:
            for ends in inner:
                for end in ends:
                    os.close(end)

    def close(self) -> None:
        """Let everything arrive and put the descriptors back; does nothing the second time.

        When whoever reads a stream takes nothing for ten seconds, its descriptor stays as it is:
        what comes next must not overtake what is on its way.
        """
        if not self._is_open:
            return
        lib.ct_mirror_rest()
        for number, original in self._originals.items():
            if self._is_ours(original):
                _restore(number, original)
        lib.ct_mirror_finish()
        self._forget(is_over=True)

    def leave(self) -> None:
        """Forget the mirrors in a forked child, which goes on to write where its parent does."""
        leave_to_parents(self.files)
        self._forget(is_over=False)

    def _forget(self, *, is_over: bool) -> None:
        lib.ct_mirror_close(is_over)
        self._is_open = False
        self._originals = {}
        for number in self._private:
            if self._is_ours(number):
                os.close(number)
        self._private = {}

    def pause(self) -> None:
        """The process is about to fork: end the thread that looks at the mirrors."""
        lib.ct_mirror_rest()

    def resume(self) -> None:
        """The process has forked; this is the one that is recorded."""
        if self._is_open:
            lib.ct_mirror_watch()

    def _keep(self, descriptor: int) -> int:
        """The same file under a high number, where a program does not meet it."""
        import fcntl

        high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGH)
        os.close(descriptor)
        self._private[high] = os.fstat(high)
        return high

    def _is_ours(self, descriptor: int) -> bool:
        """Whether the program has not closed it, and perhaps opened another file there."""
        try:
            return os.path.samestat(os.fstat(descriptor), self._private[descriptor])
        except OSError:
            return False


def refuse_obstacles(streams: Collection[str]) -> None:
    """Raise UsageError (``ERR_NO_MIRROR``) when one of `streams` is open and cannot be mirrored."""
    for name in streams:
        reason = _obstacle(name, streams)
        if reason is not None:
            raise UsageError(
                "ERR_NO_MIRROR",
                f"{name} cannot be mirrored: {reason}; redirect it, or record without descriptors"
                " (--io-capture proxies)",
                stream=name,
            )


def _obstacle(name: str, wanted: Collection[str]) -> str | None:
    """Why the stream cannot be mirrored when `wanted` are; None when it can, or is closed."""
    status = _status(name)
    if status is None:
        return None
    number = DESCRIPTORS[name]
    if not sys.platform.startswith("linux"):
        return "that works on Linux only"
    if os.isatty(number):
        return "it is a terminal, which the program would not find any more"
    if stat.S_ISREG(status.st_mode) and not os.access(f"/proc/self/fd/{number}", os.R_OK):
        return "it is a file that may not be read"
    for other in DESCRIPTORS.keys() - set(wanted):
        status_of_other = _status(other)
        if status_of_other is not None and os.path.samestat(status, status_of_other):
            return f"it leads to the same place as {other}, which is not recorded"
    return None


def _identity(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino


def _status(name: str) -> os.stat_result | None:
    """What the stream's descriptor leads to; None when it is closed."""
    try:
        return os.fstat(DESCRIPTORS[name])
    except OSError:
        return None


def _restore(number: int, original: int) -> None:
    import time

    left = lib.ct_mirror_restore(number, original)
    until = time.monotonic() + _PATIENCE_S
    while left and time.monotonic() < until:
        # Not `time.sleep`: libraries such as gevent let other work of the program run in it.
        lib.ct_own_thread_pause(_PAUSE_MS)
        before, left = left, lib.ct_mirror_restore(number, original)
        if left != before:
            until = time.monotonic() + _PATIENCE_S


def _check(failed: int) -> None:
    if failed:
        raise OSError(failed, os.strerror(failed))
