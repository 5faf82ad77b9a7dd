"""How each tool is run on a program, and what it records."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.peers.environment import PYTHONS, packages

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OURS", "REFERENCE", "TOOLS", "Tool"]

_HERE = Path(__file__).parent
_MEMORY = "6000000"
"""Kilobytes that the reference may use: on some programs it takes all there are."""
Command = list[str]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool in one of its settings."""

    name: str
    package: str
    """On PyPI; empty for what lives here."""
    records: str
    command: Callable[[Path, Path, Command], Command]
    """Command line from the interpreter of the tools' environment, the output and the program."""
    needs_monitoring: bool = False
    """Whether it stands on ``sys.monitoring``, which CPython 3.11 has not."""

    @property
    def pythons(self) -> tuple[str, ...]:
        """The versions of CPython that it runs on."""
        known = packages()[self.package].pythons if self.package else PYTHONS
        return tuple(one for one in known if not (self.needs_monitoring and one == "3.11"))

    @property
    def runs_here(self) -> bool:
        """Whether it runs on this version of CPython."""
        return f"{sys.version_info[0]}.{sys.version_info[1]}" in self.pythons


def _ours(_python: Path, out: Path, program: Command) -> Command:
    return [sys.executable, "-m", "codetracer_core", "record", "-q", "-o", str(out), *program]


def _reference(form: str) -> Callable[[Path, Path, Command], Command]:
    def command(python: Path, out: Path, program: Command) -> Command:
        limited = ["sh", "-c", f'ulimit -v {_MEMORY} && exec "$@"', "sh"]
        module = "codetracer_python_recorder"
        options = ["--trace-dir", str(out), "--format", form]
        return [*limited, str(python), "-m", module, *options, *program]

    return command


def _viztracer(*options: str) -> Callable[[Path, Path, Command], Command]:
    def command(python: Path, out: Path, program: Command) -> Command:
        # The buffer is a ring: with a smaller one the oldest events would be lost.
        own = ["--quiet", "--tracer_entries", "10000000", "-o", f"{out}.json", *options]
        return [str(python), "-m", "viztracer", *own, "--", *program]

    return command


def _coverage(core: str) -> Callable[[Path, Path, Command], Command]:
    def command(python: Path, out: Path, program: Command) -> Command:
        own = ["-m", "coverage", "run", f"--data-file={out}"]
        return ["env", f"COVERAGE_CORE={core}", str(python), *own, *program]

    return command


def _script(name: str) -> Callable[[Path, Path, Command], Command]:
    return lambda python, out, program: [str(python), str(_HERE / name), str(out), *program]


OURS = "codetracer-core"
REFERENCE = {form: f"codetracer-python-recorder, {form}" for form in ("binary", "json")}
_EVERYTHING = "each line with its variables, each call with arguments and return value"
_ITS_OWN = f"{_EVERYTHING}; all globals at each line, repr of objects, texts of any length"

TOOLS = (
    Tool(OURS, "", f"{_EVERYTHING}; exceptions, output", _ours),
    *(
        Tool(name, "codetracer-python-recorder", _ITS_OWN, _reference(form))
        for form, name in REFERENCE.items()
    ),
    Tool(
        "Python on sys.monitoring",
        "",
        f"{_EVERYTHING}, as differences",
        _script("python_recorder.py"),
        needs_monitoring=True,
    ),
    Tool(
        "hunter",
        "hunter",
        "each line with its variables, each call and return, as text",
        _script("run_hunter.py"),
    ),
    Tool("VizTracer", "viztracer", "start and end of each call", _viztracer()),
    Tool(
        "VizTracer, with values",
        "viztracer",
        "start and end of each call, repr of arguments and return values",
        _viztracer("--log_func_args", "--log_func_retval"),
    ),
    Tool(
        "coverage.py, sysmon",
        "coverage",
        "which lines ran at all",
        _coverage("sysmon"),
        needs_monitoring=True,
    ),
    Tool("coverage.py, C tracer", "coverage", "which lines ran at all", _coverage("ctrace")),
)
