"""Telling processes apart, also those that got the number of an older one."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    Process: TypeAlias = tuple[int, int]
    """A process by its number and the moment it began, in clock ticks since the machine's start."""

__all__ = ["ancestors", "own_process", "process_started"]

_PARENT, _STARTED = 1, 19
"""Fields of /proc/PID/stat, counted from the one after the name of the program."""


def process_started() -> int | None:
    """When this process began, in clock ticks since the machine's start; None when unknown."""
    fields = _fields(os.getpid())
    return int(fields[_STARTED]) if fields else None


def own_process() -> Process:
    """This process; the moment is 0 where the system does not say."""
    return os.getpid(), process_started() or 0


def ancestors() -> Iterator[Process]:
    """The processes that this one descends from, the parent first, as far as the system says."""
    pid = os.getppid()
    while pid > 0:
        fields = _fields(pid)
        if not fields:
            return
        yield pid, int(fields[_STARTED])
        pid = int(fields[_PARENT])


def _fields(pid: int) -> list[bytes]:
    try:
        with open(f"/proc/{pid}/stat", "rb") as source:
            # The name of the program stands in parentheses and may hold any characters.
            return source.read().rpartition(b")")[2].split()
    except OSError:
        return []
