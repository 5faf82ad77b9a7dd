"""``codetracer-core show``: print a trace."""

from __future__ import annotations

import os
import signal
import sys
from argparse import ArgumentTypeError
from pathlib import Path

from codetracer_core.cli.arguments import CommandParser
from codetracer_core.cli.find_trace import find_trace, recorded_digests
from codetracer_core.cli.report import Stderr
from codetracer_core.cli.sources import SourceRoot, Sources
from codetracer_core.cli.walk import walk
from codetracer_core.ctfs.reader import Trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

    from codetracer_core.ctfs.reader import Call, Step

__all__ = ["run"]

_DESCRIPTION = """\
Print a trace: each step with its source line, indented by the depth of calls, and the
variables that have changed since the step before it in the same call."""
_EPILOG = """\
examples:
  codetracer-core show trace-out
  codetracer-core show --calls trace-out
  codetracer-core show --steps 100:120 trace-out
  codetracer-core show --format json trace-out | jq 'select(.type == "call")'
  codetracer-core show --source-root /build/app=$PWD trace-out
"""
_BATCH = 512


def run(words: Sequence[str]) -> int:
    """Print the trace that `words` name; return the exit status. Raises RecorderError."""
    options = _parser().parse_args(words)
    stderr = Stderr()
    path = find_trace(options.trace, stderr)
    if hasattr(signal, "SIGPIPE"):
        # A reader that has seen enough ends this command as it ends other tools.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    with Trace(path) as trace:
        _print(_lines(trace, path, options, stderr))
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        "show",
        usage="codetracer-core show [OPTION]... DIR|FILE.ct",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument(
        "trace", metavar="DIR|FILE.ct", type=Path, help="the folder of a recording, or a trace file"
    )
    parser.add_argument("--calls", action="store_true", help="print the tree of calls only")
    parser.add_argument(
        "--steps",
        metavar="A:B",
        type=_step_range,
        default=slice(None),
        help="from step A up to, not including, step B; either may be left out,"
        " and negative numbers count from the end",
    )
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help="text for people (default), or one JSON object a line",
    )
    parser.add_argument(
        "--source-root",
        metavar="OLD=NEW",
        type=_source_root,
        action="append",
        default=[],
        help="look for sources recorded below OLD below NEW; may be repeated",
    )
    return parser


def _step_range(text: str) -> slice:
    parts = text.split(":")
    try:
        numbers = [int(part) if part else None for part in parts]
    except ValueError:
        numbers = []
    match numbers:
        case [int() as only]:
            return slice(only, only + 1 or None)
        case [first, last]:
            return slice(first, last)
    raise ArgumentTypeError(f"{text!r} is no range of steps such as 100:120")


def _source_root(text: str) -> SourceRoot:
    old, sign, new = text.partition("=")
    if not (old and sign and new):
        raise ArgumentTypeError(f"{text!r} is not of the form OLD=NEW")
    return SourceRoot(old, new)


def _lines(trace: Trace, path: Path, options: argparse.Namespace, stderr: Stderr) -> Iterator[str]:
    start, stop, _ = options.steps.indices(len(trace))
    if options.format == "json":
        from codetracer_core.cli import json_view

        if options.calls:
            return json_view.call_lines(_calls(trace, start, stop))
        return json_view.step_lines(walk(trace, start, stop))
    from codetracer_core.cli import text_view

    if options.calls:
        return text_view.call_lines(_calls(trace, start, stop))
    sources = Sources(options.source_root, recorded_digests(path), stderr.line)
    return text_view.step_lines(walk(trace, start, stop), sources, len(str(max(stop - 1, 0))))


def _calls(trace: Trace, start: int, stop: int) -> Iterator[tuple[Call, Step]]:
    """The calls that began at a step of the range, each with its first step."""
    for call in trace.calls():
        if call.first_step >= stop:
            return
        if call.first_step >= start:
            yield call, trace.step(call.first_step)


def _print(lines: Iterable[str]) -> None:
    """Write `lines` to standard output in batches, whatever its encoding can express."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    batch: list[str] = []
    try:
        for line in lines:
            batch.append(line)
            if len(batch) >= _BATCH:
                sys.stdout.write("\n".join([*batch, ""]))
                batch.clear()
        sys.stdout.write("\n".join([*batch, ""]))
        sys.stdout.flush()
    except BrokenPipeError:
        # Only where there is no SIGPIPE. Nothing may be flushed into the pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
