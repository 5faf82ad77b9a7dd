"""What a tracer is: the events there are, and the methods that receive them."""

from __future__ import annotations

from enum import IntFlag

from codetracer_core.monitoring.capabilities import BRANCH_HAS_SIDES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Tracer(Protocol):
        """Receives the events it is interested in.

        For each event of `interest` the object has the method that ``CALLBACK_SPECS`` names; it
        gets what ``sys.monitoring`` gives and may return ``sys.monitoring.DISABLE``. An exception
        that a method raises is handled by the error policy of the installation.

        A native tracer says so with a true ``is_native``: its events go to the functions in C that
        ``CALLBACK_SPECS`` names, and its methods are not called.
        """

        interest: Event


__all__ = ["BRANCHES", "Event"]


class Event(IntFlag):
    """The events a tracer can ask for, as a mask of our own.

    The numbers of ``sys.monitoring.events`` differ between versions of Python, these do not.
    """

    PY_START = 1 << 0
    PY_RESUME = 1 << 1
    PY_RETURN = 1 << 2
    PY_YIELD = 1 << 3
    PY_THROW = 1 << 4
    PY_UNWIND = 1 << 5
    LINE = 1 << 6
    CALL = 1 << 7
    INSTRUCTION = 1 << 8
    JUMP = 1 << 9
    if BRANCH_HAS_SIDES:
        BRANCH_LEFT = 1 << 10
        BRANCH_RIGHT = 1 << 16
    else:
        BRANCH = 1 << 10
    RAISE = 1 << 11
    RERAISE = 1 << 12
    EXCEPTION_HANDLED = 1 << 13
    C_RETURN = 1 << 14
    C_RAISE = 1 << 15


BRANCHES = Event.BRANCH_LEFT | Event.BRANCH_RIGHT if BRANCH_HAS_SIDES else Event.BRANCH
"""Both ways of a branch."""
