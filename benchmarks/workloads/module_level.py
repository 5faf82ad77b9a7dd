"""Code of a module, outside of any function: its variables are globals."""

from __future__ import annotations

import sys
import time

SOURCE = """
total = 0
for i in range(n):
    x = i * 2
    y = x + 1
    total += y
"""
CODE = compile(SOURCE, __file__, "exec")


def run(n: int) -> int:
    """The sum of the first `n` odd numbers."""
    variables = {"n": n, "__name__": __name__}
    exec(CODE, variables)
    return variables["total"]


if __name__ == "__main__":
    began = time.perf_counter()
    result = run(int(sys.argv[1]))
    print(result, time.perf_counter() - began)
