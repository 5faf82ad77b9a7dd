"""The overhead of both sides by the clock, from processes that take turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measure.hot_path import CASES, measure_apart, overhead
from benchmarks.support.figures import summarise

if TYPE_CHECKING:
    from benchmarks.regression.trees import Tree
    from benchmarks.support.rounds import Measured

__all__ = ["FULL", "SHORT", "compare"]

FULL = ("fib", "loop", "lists", "objects", "text", "generators", "threads", "prints")
SHORT = ("fib", "loop")
_ROUNDS = 21


def compare(
    base: Tree, head: Tree, workloads: tuple[str, ...], pairs: int, clock: str
) -> tuple[dict[str, list[float]], Measured]:
    """For each workload the ratio head over base in each pair, and the rounds of head.

    A pair is a process of each side, the second right after the first; they change places from pair
    to pair. What is compared is the overhead over that of empty callbacks, which hardly depends on
    the machine. Raises subprocess.CalledProcessError when a process fails.
    """
    ratios: dict[str, list[float]] = {}
    measured: Measured = {}
    cases = [case for case in CASES if case.name in workloads]
    for number in range(pairs):
        for case in cases:
            sides = (base, head) if number % 2 else (head, base)
            rounds = {
                tree.root: measure_apart(case, clock, rounds=_ROUNDS, packages=tree.packages)
                for tree in sides
            }
            below, above = (summarise(rounds[tree.root], overhead).median for tree in (base, head))
            ratios.setdefault(case.name, []).append(above / below)
            measured.setdefault(f"hot path/{case.name}", []).extend(rounds[head.root])
    return ratios, measured
