"""Generators: each value comes through a chain of three."""

from __future__ import annotations

from collections.abc import Iterator
import sys
import time

def numbers(n: int) -> Iterator[int]:
    """The numbers below `n`."""
    for number in range(n):
        yield number


def odd(source: Iterator[int]) -> Iterator[int]:
    """Those that are odd."""
    for number in source:
        if number % 2:
            yield number


def squares(source: Iterator[int]) -> Iterator[int]:
    """Their squares."""
    for number in source:
        square = number * number
        yield square


def run(n: int) -> int:
    """The sum of the squares of the odd numbers below `n`."""
    total = 0
    for square in squares(odd(numbers(n))):
        total += square
    return total


if __name__ == "__main__":
    began = time.perf_counter()
    result = run(int(sys.argv[1]))
    print(result, time.perf_counter() - began)
