"""The lock that tells of recordings in use."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest

from codetracer_core.journal.lock import is_locked, take_lock


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A file that can be locked."""
    path = tmp_path / "journal"
    path.touch()
    return path


def test_a_lock_lasts_until_its_file_is_closed(journal: Path) -> None:
    """Others see it, and none of them gets it meanwhile."""
    first, second = os.open(journal, os.O_RDONLY), os.open(journal, os.O_RDONLY)
    assert not is_locked(journal)
    assert take_lock(first)
    assert is_locked(journal)
    assert not take_lock(second)
    os.close(first)
    assert not is_locked(journal)
    assert take_lock(second)
    os.close(second)


def test_who_only_asks_keeps_nobody_from_the_lock(journal: Path) -> None:
    """Asking takes a shared lock for a moment, after which the lock is there to be had."""
    with journal.open("rb") as asking, journal.open("rb") as recording:
        fcntl.flock(asking, fcntl.LOCK_SH)
        release = threading.Timer(0.02, fcntl.flock, (asking, fcntl.LOCK_UN))
        release.start()
        assert take_lock(recording.fileno())
        release.join()
        assert is_locked(journal)
