"""The command line that all benchmarks have, and the clocks that it chooses from."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

__all__ = ["CLOCKS", "parser"]

CLOCKS = {"wall": time.perf_counter, "cpu": time.thread_time}
"""What times a section of this process; `cpu` counts only while the calling thread runs."""


def parser(description: str) -> argparse.ArgumentParser:
    """A parser with ``--fast``, ``--json`` and ``--clock``."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument(
        "--fast",
        action="store_true",
        help="small workloads and one round: shows that it works, the figures mean little",
    )
    made.add_argument(
        "--json", type=Path, metavar="FILE", help="keep every measured value, for pyperf"
    )
    made.add_argument(
        "--clock",
        choices=CLOCKS,
        default="wall",
        help="cpu: the time in which the program really ran, for a machine with other work to do",
    )
    return made
