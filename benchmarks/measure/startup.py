"""What the recorder adds to a program that does nothing, to its children, and to importing."""

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
    from benchmarks.support.rounds import Measured, Round

__all__ = ["FIGURES", "measure"]

_ROUNDS = 15
_SUBJECT = "start"
_RECORD = "record of an empty script"
_IMPORTS = {
    "import codetracer_core": "import codetracer_core",
    "the same and its start and stop": "from codetracer_core import start, stop",
}
_TARGETS = {_RECORD: 80, "import codetracer_core": 25}
_TABLE = "Start, whole processes above plain python"
_CHILDREN = 8
_AUTO_START = "codetracer_core_auto_start.pth"
"""What makes programs record themselves; only an installed recorder has it."""
_STARTED = "a started child"
_CHILD = """
def work():
    total = 0
    for number in range(5):
        total += number
    return total
"""
_PARENTS = {
    "a forked child": f"""
import os, sys
{_CHILD}
for _ in range(int(sys.argv[1])):
    child = os.fork()
    if child == 0:
        work()
        sys.exit()
    os.waitpid(child, 0)
""",
    _STARTED: """
import os, sys
for _ in range(int(sys.argv[1])):
    child = [sys.executable, sys.argv[2]]
    os.waitpid(os.posix_spawn(sys.executable, child, os.environ), 0)
""",
}
"""Programs that have as many children as they are told, one after the other."""


def _of_a_child(kind: str) -> Callable[[Round], float]:
    """What recording adds to one of the children, whose parent is recorded, too."""

    def milliseconds(taken: Round) -> float:
        recorded = taken[f"{kind}, recorded"] - taken[f"{kind}, recorded without"]
        plain = taken[f"{kind}, plain"] - taken[f"{kind}, plain without"]
        return (recorded - plain) / _CHILDREN * 1e3

    return milliseconds


FIGURES = (
    *(
        FigureSpec(
            _TABLE,
            name,
            "ms",
            _SUBJECT,
            lambda taken, name=name: (taken[name] - taken["plain"]) * 1e3,  # type: ignore[misc]
            at_most(_TARGETS[name]) if name in _TARGETS else None,
        )
        for name in (_RECORD, *_IMPORTS)
    ),
    *(
        FigureSpec(_TABLE, f"{kind} of a recorded program", "ms", _SUBJECT, _of_a_child(kind))
        for kind in _PARENTS
    ),
)


def measure(options: Options) -> Measured:
    """The seconds of whole processes."""
    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as name:
        folder = Path(name)
        script = folder / "empty.py"
        script.touch()
        record = ["-m", "codetracer_core", "record", "-q", "-o", str(folder / "out")]

        def timed(*arguments: str) -> Callable[[], float]:
            return lambda: run_child([sys.executable, *arguments], folder, options.clock).seconds

        variants = {
            "plain": timed(str(script)),
            _RECORD: timed(*record, str(script)),
            **{what: timed("-c", code) for what, code in _IMPORTS.items()},
        }
        child = folder / "child.py"
        child.write_text(f"{_CHILD}\nwork()\n", encoding="utf-8")
        starts_by_itself = any(Path(entry, _AUTO_START).exists() for entry in sys.path)
        for number, (kind, code) in enumerate(_PARENTS.items()):
            if kind == _STARTED and not starts_by_itself:
                continue
            parent = folder / f"parent{number}.py"
            parent.write_text(code, encoding="utf-8")
            for how, before in (("plain", []), ("recorded", record)):
                program = [*before, str(parent)]
                variants[f"{kind}, {how} without"] = timed(*program, "0", str(child))
                variants[f"{kind}, {how}"] = timed(*program, str(_CHILDREN), str(child))
        for variant in variants.values():
            variant()
        return {_SUBJECT: interleave(variants, options.rounds(_ROUNDS))}
