"""The lock on a journal by which other processes see that its recording is in use.

The system releases it when the process that holds it ends, however that happens. File systems
without locks are taken for ones on which nothing is in use.
"""

from __future__ import annotations

import time

from codetracer_core.regular import open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["is_locked", "take_lock"]

_TRIES = 100
_PAUSE_S = 0.001


def take_lock(descriptor: int) -> bool:
    """Lock the open journal for this process; False when another one uses it.

    Who asks whether it is locked holds it for a moment, which is waited for.
    """
    import fcntl

    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_S)
        except OSError:
            return True
        else:
            return True
    return False


def is_locked(journal: Path) -> bool:
    """Whether a process that is still at work has the file `journal` locked."""
    import fcntl

    try:
        with open(open_regular(journal), "rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
