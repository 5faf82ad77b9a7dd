"""Steps: four lines of integer arithmetic, repeated."""

from __future__ import annotations

import sys
import time


def run(n: int) -> int:
    """The sum of the first `n` odd numbers."""
    total = 0
    for i in range(n):
        x = i * 2
        y = x + 1
        total += y
    return total


if __name__ == "__main__":
    began = time.perf_counter()
    result = run(int(sys.argv[1]))
    print(result, time.perf_counter() - began)
