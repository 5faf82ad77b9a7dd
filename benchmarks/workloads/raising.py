"""Exceptions alone: each turn of the loop raises one and catches it in the caller."""

from __future__ import annotations

import sys
import time


def refuse() -> None:
    """Raise ValueError."""
    raise ValueError


def run(n: int) -> int:
    """How many of `n` exceptions were caught."""
    caught = 0
    for _ in range(n):
        try:
            refuse()
        except ValueError:
            caught += 1
    return caught


if __name__ == "__main__":
    began = time.perf_counter()
    result = run(int(sys.argv[1]))
    print(result, time.perf_counter() - began)
