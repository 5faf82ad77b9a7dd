"""Threads: two of them count, and take turns whenever the interpreter says so."""

from __future__ import annotations

import sys
import threading
import time

def count(n: int, results: list[int]) -> None:
    """Append the sum of the numbers below `n`."""
    total = 0
    for number in range(n):
        doubled = number * 2
        total += doubled
    results.append(total // 2)


def run(n: int) -> int:
    """The sum of what two threads have counted, each up to half of `n`."""
    results: list[int] = []
    threads = [threading.Thread(target=count, args=(n // 2, results)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(results)


if __name__ == "__main__":
    began = time.perf_counter()
    result = run(int(sys.argv[1]))
    print(result, time.perf_counter() - began)
