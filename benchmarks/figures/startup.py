"""What the recorder adds to a program that does nothing."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from support.children import run_child
from support.figure_row import FigureRow
from support.rounds import interleave, summarise

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["measure"]

_ROUNDS = 15
_IMPORTS = {
    "import codetracer_core": "import codetracer_core",
    "the same and its start and stop": "from codetracer_core import start, stop",
}


def measure(*, fast: bool, clock: str) -> list[FigureRow]:
    """Starting `record` and importing the package, in milliseconds above plain python."""
    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as name:
        folder = Path(name)
        script = folder / "empty.py"
        script.touch()
        record = ["-m", "codetracer_core", "record", "-q", "-o", str(folder / "out"), str(script)]

        def timed(*arguments: str) -> Callable[[], float]:
            return lambda: run_child([sys.executable, *arguments], folder, clock).seconds

        variants = {
            "plain": timed(str(script)),
            "record of an empty script": timed(*record),
            **{what: timed("-c", code) for what, code in _IMPORTS.items()},
        }
        for variant in variants.values():
            variant()
        rounds = interleave(variants, 1 if fast else _ROUNDS)

    def row(what: str, target: str) -> FigureRow:
        above = summarise(rounds, lambda taken: (taken[what] - taken["plain"]) * 1e3)
        return FigureRow(f"{what}, above plain", f"{above} ms", target)

    first, second = _IMPORTS
    return [
        row("record of an empty script", "<= 80 ms"),
        row(first, "<= 25 ms"),
        row(second, ""),
    ]
