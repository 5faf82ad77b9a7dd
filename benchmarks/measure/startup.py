"""What the recorder adds to a program that does nothing, and to importing."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.support.children import run_child
from benchmarks.support.figures import FigureSpec, at_most
from benchmarks.support.rounds import interleave

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.support.options import Options
    from benchmarks.support.rounds import Measured

__all__ = ["FIGURES", "measure"]

_ROUNDS = 15
_SUBJECT = "start"
_RECORD = "record of an empty script"
_IMPORTS = {
    "import codetracer_core": "import codetracer_core",
    "the same and its start and stop": "from codetracer_core import start, stop",
}
_TARGETS = {_RECORD: 80, "import codetracer_core": 25}
FIGURES = tuple(
    FigureSpec(
        "Start, whole processes above plain python",
        name,
        "ms",
        _SUBJECT,
        lambda taken, name=name: (taken[name] - taken["plain"]) * 1e3,  # type: ignore[misc]
        at_most(_TARGETS[name]) if name in _TARGETS else None,
    )
    for name in (_RECORD, *_IMPORTS)
)


def measure(options: Options) -> Measured:
    """The seconds of whole processes."""
    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as name:
        folder = Path(name)
        script = folder / "empty.py"
        script.touch()
        record = ["-m", "codetracer_core", "record", "-q", "-o", str(folder / "out"), str(script)]

        def timed(*arguments: str) -> Callable[[], float]:
            return lambda: run_child([sys.executable, *arguments], folder, options.clock).seconds

        variants = {
            "plain": timed(str(script)),
            _RECORD: timed(*record),
            **{what: timed("-c", code) for what, code in _IMPORTS.items()},
        }
        for variant in variants.values():
            variant()
        return {_SUBJECT: interleave(variants, options.rounds(_ROUNDS))}
