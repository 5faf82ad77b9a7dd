"""Calls: naive recursion, where every third event enters or leaves a function."""

from __future__ import annotations

import sys
import time


def run(n: int) -> int:
    """The `n`-th Fibonacci number."""
    if n < 2:
        return n
    return run(n - 1) + run(n - 2)


if __name__ == "__main__":
    began = time.perf_counter()
    result = run(int(sys.argv[1]))
    print(result, time.perf_counter() - began)
