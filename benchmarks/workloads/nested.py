"""Nested containers: a grid of cells changes in place, a row at a time."""

from __future__ import annotations

import sys
import time

SIZE = 12


def neighbours(grid: list[list[int]], row: int, column: int) -> int:
    """How many of the eight cells around one are alive; the grid has no border."""
    alive = 0
    for i in (row - 1, row, (row + 1) % SIZE):
        for j in (column - 1, column, (column + 1) % SIZE):
            alive += grid[i][j]
    return alive - grid[row][column]


def run(n: int) -> int:
    """How many cells are alive after `n` turns of the game of life."""
    grid = [[(i * 7 + j * j) % 5 % 2 for j in range(SIZE)] for i in range(SIZE)]
    for _ in range(n):
        after = []
        for i in range(SIZE):
            counts = [neighbours(grid, i, j) for j in range(SIZE)]
            row = [int(c == 3 or (c == 2 and grid[i][j])) for j, c in enumerate(counts)]
            after.append(row)
        grid = after
    return sum(map(sum, grid))


if __name__ == "__main__":
    began = time.perf_counter()
    result = run(int(sys.argv[1]))
    print(result, time.perf_counter() - began)
