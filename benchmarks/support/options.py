"""What is asked of a measurement, and the clocks that it chooses from."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CLOCKS", "Options"]

CLOCKS = {"wall": time.perf_counter, "cpu": time.thread_time}
"""What times a section of this process; `cpu` counts only while the calling thread runs."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to measure."""

    fast: bool = False
    """Small sizes and one round: shows that everything works, the figures mean little."""
    clock: str = "wall"
    """A name of ``CLOCKS``: ``cpu`` is for a machine with other work to do."""
    only_ours: bool = False
    """Leave out other tools, which are installed from PyPI."""
    only: tuple[str, ...] = ()
    """Workloads to keep to; all when empty."""

    @property
    def read(self) -> Callable[[], float]:
        """The clock, in seconds."""
        return CLOCKS[self.clock]

    def rounds(self, count: int) -> int:
        """`count`, or one in the fast form."""
        return 1 if self.fast else count

    def wants(self, workload: str) -> bool:
        """Whether `workload` is to be measured."""
        return not self.only or workload in self.only
