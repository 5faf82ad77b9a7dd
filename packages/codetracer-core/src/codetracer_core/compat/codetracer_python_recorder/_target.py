"""Running the program of a command line, and putting back what that changed in this process."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass

from codetracer_core.cli.program import Program, find_program
from codetracer_core.cli.running import prepare, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._arguments import RecorderCLIConfig

__all__ = ["Outcome", "find_target", "run_target"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the program ended: its exit status, and whether an exception that was shown ended it."""

    status: int
    failed: bool = False
    interrupt: KeyboardInterrupt | None = None


def find_target(config: RecorderCLIConfig) -> Program:
    """The script or the test framework of `config`. Raises UsageError when it cannot be run."""
    if config.framework is None:
        return find_program(config.argv, literal=True)
    return find_program([f"--{config.framework}", *config.framework_args])


def run_target(program: Program) -> Outcome:
    """Run `program` as ``python`` would."""
    with _process_state():
        ending = run(program, prepare(program))
    if isinstance(ending.error, KeyboardInterrupt):
        return Outcome(ending.status, failed=True, interrupt=ending.error)
    if isinstance(ending.error, SystemExit):
        code = ending.error.code
        if code is not None and not isinstance(code, int):
            print(code, file=sys.stderr)
        return Outcome(ending.status)
    return Outcome(ending.status, failed=ending.status != 0)


@contextmanager
def _process_state() -> Iterator[None]:
    """Give back the command line, the import path and the main module after the block."""
    argv, orig_argv, path = sys.argv, list(sys.orig_argv), list(sys.path)
    main = sys.modules.get("__main__")
    try:
        yield
    finally:
        sys.argv = argv
        sys.orig_argv[:] = orig_argv
        sys.path[:] = path
        if main is not None:
            sys.modules["__main__"] = main
