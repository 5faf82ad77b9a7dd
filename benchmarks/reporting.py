"""What the recorder's own log costs: lines that are not written, lines that are, trailers.

``python benchmarks/reporting.py`` prints the time of one call beside what is aimed at.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from codetracer_log import LogError, RecorderLogger, emit_error_trailer, use_stderr
from support import command
from support.results import save
from support.rounds import interleave, summarise
from support.tables import print_table

if TYPE_CHECKING:
    from collections.abc import Callable

_FILTERED, _WRITTEN = (200_000, 200), (2_000, 20)
"""Full and fast number of calls in a round."""
_ROUNDS = 15
_TARGETS = {
    "a filtered line": 1e-6,
    "a line filtered by its target": 1e-6,
    "a line to a file": None,
    "a trailer": 100e-6,
}


def main() -> None:
    """Measure and print."""
    options = command.parser(__doc__ or "").parse_args()
    use_stderr(os.open(os.devnull, os.O_WRONLY))
    variants = _variants(command.CLOCKS[options.clock], fast=options.fast)
    for run in variants.values():
        run()
    rounds = interleave(variants, 1 if options.fast else _ROUNDS)
    rows = []
    for name, target in _TARGETS.items():
        micros = summarise(rounds, lambda taken, name=name: taken[name] * 1e6)  # type: ignore[misc]
        aim = "" if target is None else f"<= {target * 1e6:g} us"
        rows.append([name, f"{micros} us", aim])
    print_table("Log and trailers, one call", ["call", "measured", "target"], rows)
    if options.json:
        save(options.json, {"reporting": rounds})


def _variants(read: Callable[[], float], *, fast: bool) -> dict[str, Callable[[], float]]:
    """The seconds of one call, by the name of the call."""
    quiet, partly_loud, filed = RecorderLogger(), RecorderLogger(), RecorderLogger()
    partly_loud.configure(level="warn,elsewhere=debug")
    filed.configure(level="debug", log_file=os.devnull)

    def logging(logger: RecorderLogger, calls: int) -> Callable[[], float]:
        def run() -> float:
            debug = logger.debug
            began = read()
            for number in range(calls):
                debug("chunk written", target="codetracer_core::journal", size=number)
            return (read() - began) / calls

        return run

    def trailing(calls: int) -> Callable[[], float]:
        def run() -> float:
            failures = [LogError("ERR_IO", "no space is left", path="/t") for _ in range(calls)]
            began = read()
            for failure in failures:
                emit_error_trailer(failure)
            return (read() - began) / calls

        return run

    return {
        "a filtered line": logging(quiet, _FILTERED[fast]),
        "a line filtered by its target": logging(partly_loud, _FILTERED[fast]),
        "a line to a file": logging(filed, _WRITTEN[fast]),
        "a trailer": trailing(_WRITTEN[fast]),
    }


if __name__ == "__main__":
    main()
