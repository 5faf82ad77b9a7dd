"""What the recorder's own log costs: lines that are not written, lines that are, trailers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from benchmarks.support.figures import FigureSpec, at_most
from benchmarks.support.rounds import interleave
from codetracer_log import LogError, RecorderLogger, emit_error_trailer, use_stderr

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.support.options import Options
    from benchmarks.support.rounds import Measured

__all__ = ["FIGURES", "measure"]

_FILTERED, _WRITTEN = (200_000, 200), (2_000, 20)
"""Full and fast number of calls in a round."""
_ROUNDS = 15
_SUBJECT = "log"
_TARGETS = {
    "a filtered line": 1,
    "a line filtered by its target": 1,
    "a line to a file": None,
    "a trailer": 100,
}
FIGURES = tuple(
    FigureSpec(
        "Log and trailers, one call",
        name,
        "us",
        _SUBJECT,
        lambda taken, name=name: taken[name] * 1e6,  # type: ignore[misc]
        None if target is None else at_most(target),
    )
    for name, target in _TARGETS.items()
)


def measure(options: Options) -> Measured:
    """The seconds of one call of each kind."""
    null = os.open(os.devnull, os.O_WRONLY)
    use_stderr(null)
    try:
        variants = _variants(options.read, fast=options.fast)
        for run in variants.values():
            run()
        return {_SUBJECT: interleave(variants, options.rounds(_ROUNDS))}
    finally:
        use_stderr()
        os.close(null)


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
