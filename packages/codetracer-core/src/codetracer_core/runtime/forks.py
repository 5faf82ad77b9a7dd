"""Telling the running recorder of forks. Hooks for forks can never be taken out again."""

from __future__ import annotations

import os

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
        _observer.before_fork()


def _after_fork_in_parent() -> None:
    if _observer is not None:
        _observer.after_fork_in_parent()


def _after_fork_in_child() -> None:
    if _observer is not None:
        _observer.after_fork_in_child()
