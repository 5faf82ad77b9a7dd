"""Instructions that recording costs, counted by callgrind, which no other program disturbs."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.regression.counted import SIZES
from benchmarks.support.figures import FigureSpec
from benchmarks.support.places import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.regression.trees import Tree
    from benchmarks.support.rounds import Measured

__all__ = ["FIGURES", "FULL", "SHORT", "count", "is_possible"]

FULL = tuple(SIZES)
SHORT = ("fib", "loop", "lists")
_TABLE = "Millions of instructions"
FIGURES = tuple(
    spec
    for workload in SIZES
    for spec in (
        FigureSpec(
            _TABLE,
            workload,
            "recording",
            f"instructions/{workload}",
            lambda taken: (taken["recorded instructions"] - taken["plain instructions"]) / 1e6,
        ),
        FigureSpec(
            _TABLE,
            workload,
            "making trace.ct",
            f"instructions/{workload}",
            lambda taken: taken["trace instructions"] / 1e6,
        ),
    )
)


def is_possible() -> bool:
    """Whether valgrind and its header are installed."""
    return shutil.which("valgrind") is not None and Path("/usr/include/valgrind").is_dir()


def count(tree: Tree, workloads: Sequence[str]) -> Measured:
    """One round of each workload: instructions of the plain and recorded run, and of the trace.

    Each is the smallest of several counts: nothing makes them smaller than they have to be.
    Raises subprocess.CalledProcessError when the process fails.
    """
    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as name:
        out = Path(name, "callgrind")
        valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--quiet"]
        subprocess.run(
            [*valgrind, sys.executable, "-m", "benchmarks.regression.counted", *workloads],
            cwd=ROOT,
            # Hashes of texts decide how dicts are searched.
            env=tree.environ() | {"PYTHONHASHSEED": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
        measured: Measured = {}
        for path in out.parent.glob(f"{out.name}.*"):
            text = path.read_text(encoding="utf-8")
            label = re.search(r"^desc: Trigger: Client Request: (\w+) (\w+)$", text, re.MULTILINE)
            total = re.search(r"^summary: (\d+)", text, re.MULTILINE)
            if label and total:
                taken = measured.setdefault(f"instructions/{label[1]}", [{}])[0]
                variant = f"{label[2]} instructions"
                taken[variant] = min(int(total[1]), taken.get(variant, math.inf))
    return measured
