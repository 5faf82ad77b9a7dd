"""Flat containers: a list of 100 and a dict of 50 are visible at every step."""

from __future__ import annotations

import sys
import time


def run(n: int) -> int:
    """The sum of `n` items, taken round and round from a list."""
    numbers = list(range(100))
    squares = {str(i): i * i for i in range(50)}
    total = len(squares)
    for i in range(n):
        total += numbers[i % 100]
    return total


if __name__ == "__main__":
    began = time.perf_counter()
    result = run(int(sys.argv[1]))
    print(result, time.perf_counter() - began)
