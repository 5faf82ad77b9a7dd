"""What other tools cost on the same programs, in the same run.

A round runs each program plain and under each tool, in turn. Two times are taken: that of the work
by the program's own clock, and that of the whole process until the tool's output is ready.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.peers.environment import install
from benchmarks.peers.tools import OURS, REFERENCE, TOOLS, Tool
from benchmarks.support.children import run_child
from benchmarks.support.figures import FigureSpec, at_least
from benchmarks.support.places import WORKLOADS
from benchmarks.support.rounds import interleave

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.support.options import Options
    from benchmarks.support.rounds import Measured, Round

__all__ = ["FIGURES", "SIZES", "measure"]

SIZES = {"fib": (18, 5), "loop": (20_000, 20), "lists": (2_000, 10), "objects": (2_000, 20)}
"""Workload to its full and fast size: small, because the slowest tool takes seconds for them."""
_ROUNDS = 9
_INSIDE, _WHOLE = "in process", "whole process"
_IN_PROCESS_TARGET = 50
_WHOLE_TARGETS = {"loop": 20}


def _ratio(tool: str, other: str, kind: str) -> Callable[[Round], float]:
    return lambda taken: taken[f"{tool} {kind}"] / taken[f"{other} {kind}"]


def _aim(workload: str, kind: str) -> float | None:
    if kind == _WHOLE:
        return _WHOLE_TARGETS.get(workload)
    return _IN_PROCESS_TARGET if workload != "objects" else None


FIGURES = (
    *(
        FigureSpec(
            f"Slowdown against the plain program, {kind}",
            tool.name,
            workload,
            f"peers/{workload}",
            _ratio(tool.name, "plain", kind),
        )
        for kind in (_INSIDE, _WHOLE)
        for tool in TOOLS
        for workload in SIZES
    ),
    *(
        FigureSpec(
            f"Reference over ours, {kind}",
            form,
            workload,
            f"peers/{workload}",
            _ratio(tool, OURS, kind),
            None if _aim(workload, kind) is None else at_least(_aim(workload, kind) or 0),
            is_ratio=True,
        )
        for kind in (_INSIDE, _WHOLE)
        for form, tool in REFERENCE.items()
        for workload in SIZES
    ),
)


def measure(options: Options) -> Measured:
    """The seconds of each workload under each tool that runs on this interpreter."""
    python, tools = _equip(options)
    return {
        f"peers/{workload}": _measure(workload, sizes[options.fast], python, tools, options)
        for workload, sizes in SIZES.items()
        if options.wants(workload)
    }


def _equip(options: Options) -> tuple[Path, list[Tool]]:
    """The interpreter that has the other tools, and all tools that can be run; names the others."""
    tools = [tool for tool in TOOLS if tool.runs_here]
    absent = [tool.name for tool in TOOLS if not tool.runs_here]
    if absent:
        _say(f"not made for CPython {platform.python_version()}: {'; '.join(absent)}")
    if not options.only_ours:
        try:
            return install(), tools
        except subprocess.CalledProcessError as error:
            _say(f"the other tools are left out, they cannot be installed: {error}")
    return Path(sys.executable), [tool for tool in tools if not tool.package]


def _say(text: str) -> None:
    print(f"peers: {text}", file=sys.stderr, flush=True)


def _measure(
    workload: str, size: int, python: Path, tools: Sequence[Tool], options: Options
) -> list[Round]:
    program = [str(WORKLOADS / f"{workload}.py"), str(size)]
    inside: dict[str, list[float]] = {}

    def timed(name: str, make: Callable[[Path], Sequence[str | Path]]) -> Callable[[], float]:
        def run() -> float:
            with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as folder:
                child = run_child(make(Path(folder, "out")), Path(folder), options.clock)
            inside.setdefault(name, []).append(float(child.output.split()[1]))
            return child.seconds

        return run

    variants = {"plain": timed("plain", lambda _: [sys.executable, *program])}
    for tool in tools:
        variants[tool.name] = timed(
            tool.name,
            lambda out, tool=tool: tool.command(python, out, program),  # type: ignore[misc]
        )
    # Fills the caches of the file system and of compiled modules.
    for name, variant in list(variants.items()):
        try:
            variant()
        except RuntimeError as error:
            if name in ("plain", OURS):
                raise
            _say(f"{name} is left out of {workload}, it failed: {error}")
            del variants[name]
    inside.clear()
    whole = interleave(variants, options.rounds(_ROUNDS))
    return [
        {f"{name} {_WHOLE}": seconds for name, seconds in taken.items()}
        | {f"{name} {_INSIDE}": seconds[number] for name, seconds in inside.items()}
        for number, taken in enumerate(whole)
    ]
