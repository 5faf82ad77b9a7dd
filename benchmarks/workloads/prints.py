"""Output: a line is printed in each turn of a loop."""

from __future__ import annotations

import sys
import time

def run(n: int) -> int:
    """How many lines were printed."""
    printed = 0
    for number in range(n):
        print("line", number)
        printed += 1
    return printed


if __name__ == "__main__":
    began = time.perf_counter()
    result = run(int(sys.argv[1]))
    print(result, time.perf_counter() - began)
