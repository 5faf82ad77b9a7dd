"""The command line that all benchmarks have."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["parser"]


def parser(description: str) -> argparse.ArgumentParser:
    """A parser with ``--fast`` and ``--json``."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument(
        "--fast",
        action="store_true",
        help="small workloads and one round: shows that it works, the figures mean little",
    )
    made.add_argument(
        "--json", type=Path, metavar="FILE", help="keep every measured value, for pyperf"
    )
    return made
