"""Telling the running recorder of forks. Hooks for forks can never be taken out again."""

from __future__ import annotations

import os
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class ForkObserver(Protocol):
        """Who is told."""

        def before_fork(self) -> None:
            """The process is about to fork."""

        def after_fork_in_parent(self) -> None:
            """The process has forked and this is the one that is recorded."""

        def after_fork_in_child(self) -> None:
            """The process has forked and this is the child."""

        def retire(self) -> None:
            """In a forked child: another recording begins, or none."""


__all__ = ["retire_dormant", "watch_forks"]

_observer: ForkObserver | None = None
_told: dict[int, ForkObserver] = {}
"""Who was told that a thread, by its number, is about to fork. Meanwhile another thread, or a hook
of the program, may begin a recording, which knows nothing of that fork, or end one."""
_is_registered = False


def watch_forks(observer: ForkObserver | None) -> None:
    """Make `observer` the one that is told of forks; None for nobody."""
    global _observer, _is_registered
    _observer = observer
    if not _is_registered:
        _is_registered = True
        os.register_at_fork(
            before=_before_fork,
            after_in_parent=_after_fork_in_parent,
            after_in_child=_after_fork_in_child,
        )


def retire_dormant() -> None:
    """Take out what a forked child has of its parent's recorder, before it gets one of its own."""
    if _observer is not None:
        _observer.retire()


def _before_fork() -> None:
    if _observer is not None:
        _told[get_ident()] = _observer
        _observer.before_fork()


def _after_fork_in_parent() -> None:
    told = _told.pop(get_ident(), None)
    if told is not None and told is _observer:
        told.after_fork_in_parent()


def _after_fork_in_child() -> None:
    _told.clear()
    if _observer is not None:
        _observer.after_fork_in_child()
