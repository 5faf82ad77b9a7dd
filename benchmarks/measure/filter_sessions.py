"""Whole sessions under filters: the functions that filter_events asks about run and are recorded.

Each call of a function is one step for each of its 50 locals, whose values the filters allow,
redact or, with the function, leave out.
"""

from __future__ import annotations

import gc
import sys
import tempfile
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

from benchmarks.measure.filter_events import SCENARIOS, functions, write_filter
from benchmarks.support.figures import FigureSpec, at_most
from benchmarks.support.recorded import Recording
from benchmarks.support.rounds import interleave

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.support.options import Options
    from benchmarks.support.rounds import Measured, Round

__all__ = ["FIGURES", "measure"]

_ROUNDS = 21
_CALLS = (20, 1)
"""Full and fast number of calls of each function."""
_SUBJECT = "filter session"
_TABLE = "Filters, a session of 100 functions with 50 locals"


def _against(name: str, other: str) -> Callable[[Round], float]:
    return lambda taken: taken[name] / taken[other]


FIGURES = (
    *(FigureSpec(_TABLE, name, "recorded / plain", _SUBJECT, _against(name, "plain"))
      for name in SCENARIOS),
    *(FigureSpec(_TABLE, name, "over baseline", _SUBJECT, _against(name, "baseline"), at_most(1.2),
                 is_ratio=True)
      for name in SCENARIOS if name != "baseline"),
)  # fmt: skip


def measure(options: Options) -> Measured:
    """The seconds that all functions take, plain and under each filter."""
    read = options.read
    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as name:
        folder = Path(name).resolve()
        # The engine asks for the module of code through the globals it runs with.
        runs = []
        for code, module_name in functions(folder):
            module = sys.modules.setdefault(module_name, ModuleType(module_name))
            runs.append(FunctionType(code, vars(module)))
        try:

            def timed() -> float:
                for run in runs:
                    run(1)
                gc.collect()
                began = read()
                for number in range(_CALLS[options.fast]):
                    for run in runs:
                        run(number)
                return read() - began

            def under(name: str, rules: str) -> Callable[[], float]:
                path = write_filter(folder, name, rules)

                def recorded() -> float:
                    with Recording(folder / "out", [path]):
                        return timed()

                return recorded

            variants = {"plain": timed} | {
                name: under(name, rules) for name, rules in SCENARIOS.items()
            }
            for variant in variants.values():
                variant()
            return {_SUBJECT: interleave(variants, options.rounds(_ROUNDS))}
        finally:
            for _, module_name in functions(folder):
                sys.modules.pop(module_name, None)
