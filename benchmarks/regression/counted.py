"""The process whose instructions are counted: ``counted.py [NAME...]``, under callgrind.

Each workload runs plain, then recorded, then its trace is made, and all of it again. Counting
begins and ends around each of these, so that imports are in none.
"""

from __future__ import annotations

import gc
import importlib
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.native.loading import load
from benchmarks.support.places import BUILD, WORKLOAD_PACKAGE
from benchmarks.support.recorded import Recording
from codetracer_core.ctfs.materialiser import materialise

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = {"fib": 15, "loop": 1500, "lists": 1500, "objects": 300, "text": 300, "generators": 500}
"""Small: a program takes fifty times as long under callgrind."""
_REPETITIONS = 2
"""After one for what a process does only once. A chunk that becomes a second old is sealed, which a
slow machine sees more often; one of the repetitions is without it."""


def main() -> None:
    """Count each workload in turn."""
    lib = load("counting", BUILD).lib
    if not lib.counting_is_possible():
        raise SystemExit("counted: this is for a process under valgrind")

    def count(label: str, run: Callable[[], object]) -> None:
        gc.collect()
        lib.counting_begin()
        run()
        lib.counting_end(label.encode("ascii"))

    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as name:
        folder = Path(name)
        for workload in sys.argv[1:]:
            run: Callable[[int], object]
            run = importlib.import_module(f"{WORKLOAD_PACKAGE}.{workload}").run
            size = SIZES[workload]
            for number in range(_REPETITIONS + 1):
                run(2)
                count(f"{workload} plain", partial(run, size))
                with Recording(folder / f"{workload}{number}") as recording:
                    run(2)
                    count(f"{workload} recorded", partial(run, size))
                journal = recording.journal
                count(f"{workload} trace", partial(materialise, journal, journal.parent))


if __name__ == "__main__":
    main()
