"""Measures what recording costs, and prints it in tables.

``python -m benchmarks`` measures everything. Other commands: ``python -m benchmarks.document``,
``python -m benchmarks.trend`` and ``python -m benchmarks.gate``.
"""

from __future__ import annotations

import argparse

from benchmarks import suite
from benchmarks.support import arguments, results
from benchmarks.support.options import CLOCKS, Options


def main() -> None:
    """Measure, print, and keep the values if asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "subjects",
        nargs="*",
        metavar="SUBJECT",
        help=f"what to measure, everything unless given: {', '.join(suite.SUBJECTS)}",
    )
    parser.add_argument(
        "--fast",
        action="store_true",
        help="small workloads and one round: shows that it works, the figures mean little",
    )
    parser.add_argument(
        "--clock",
        choices=CLOCKS,
        default="wall",
        help="cpu: the time in which the program really ran, for a machine with other work to do",
    )
    parser.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        default=[],
        type=arguments.workload,
        help="this workload alone; may be repeated",
    )
    parser.add_argument(
        "--only-ours", action="store_true", help="leave other tools out; needs no network"
    )
    parser.add_argument(
        "--json",
        type=arguments.new_file,
        metavar="FILE",
        help="keep every measured value, for pyperf",
    )
    given = parser.parse_args()
    unknown = set(given.subjects) - set(suite.SUBJECTS)
    if unknown:
        parser.error(f"no subject is named {', '.join(sorted(unknown))}")
    options = Options(
        fast=given.fast, clock=given.clock, only_ours=given.only_ours, only=tuple(given.only)
    )
    measured, seconds = suite.measure(options, given.subjects or suite.SUBJECTS)
    if not measured:
        parser.error(f"nothing of what is asked for has the workload {', '.join(options.only)}")
    print(f"measured in {seconds} s")
    if given.json:
        about = {"clock": given.clock, "fast": int(given.fast), "seconds_in_all": seconds}
        results.save(given.json, measured, about)


if __name__ == "__main__":
    main()
