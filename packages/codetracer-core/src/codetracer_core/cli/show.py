"""``codetracer-core show``: print a trace."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path

from codetracer_core.cli.arguments import Command, Option
from codetracer_core.cli.find_trace import found_trace, recorded_sources
from codetracer_core.cli.notices import notices
from codetracer_core.cli.output import print_lines
from codetracer_core.cli.report import Stderr
from codetracer_core.cli.sources import SourceRoot, Sources
from codetracer_core.cli.walk import own_step, walk
from codetracer_core.ctfs.reader import Trace
from codetracer_core.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from codetracer_core.cli.arguments import Words
    from codetracer_core.cli.sources import RecordedSource
    from codetracer_core.ctfs.reader import Call, Step

__all__ = ["COMMAND", "run"]

COMMAND = Command(
    "show",
    usage="codetracer-core show [OPTION]... DIR|FILE.ct",
    about="""\
Print a trace: each step with its source line, indented by the depth of calls, and the
variables that have changed since the step before it in the same call.""",
    options=(
        Option(("--calls",), "print the tree of calls only"),
        Option(
            ("--steps",),
            "from step A up to, not including, step B; either may be left\n"
            "out, and negative numbers count from the end",
            "A:B",
        ),
        Option(
            ("--format",),
            "text (for people, the default) or json (one object a line)",
            "text|json",
        ),
        Option(
            ("--source-root",),
            "look below NEW for sources that were recorded below OLD;\nmay be repeated",
            "OLD=NEW",
        ),
    ),
    examples="""\
  codetracer-core show trace-out
  codetracer-core show --calls trace-out
  codetracer-core show --steps 100:120 trace-out
  codetracer-core show --format json trace-out | jq 'select(.type == "call")'
  codetracer-core show --source-root /build/app=$PWD trace-out
""",
)


@dataclass(frozen=True, slots=True)
class _Request:
    """What to print of a trace, and how."""

    place: Path
    calls_only: bool
    steps: slice
    json: bool
    source_roots: tuple[SourceRoot, ...]


def run(words: Sequence[str]) -> int:
    """Print the trace that `words` name; return the exit status. Raises RecorderError."""
    given = COMMAND.parse(words)
    if given.given("--help"):
        print_lines(COMMAND.help().splitlines())
        return 0
    request = _request(given)
    stderr = Stderr()
    with found_trace(request.place, stderr) as path:
        trace, recorded = Trace(path), recorded_sources(path)
        for notice in notices(path):
            stderr.line(notice)
    if hasattr(signal, "SIGPIPE"):
        # A reader that has seen enough ends this command as it ends other tools.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    with trace:
        print_lines(_lines(trace, recorded, request, stderr))
    return 0


def _request(given: Words) -> _Request:
    if len(given.rest) != 1:
        problem = "no trace is named" if not given.rest else "only one trace can be shown"
        raise COMMAND.misuse(problem)
    form = given.last("--format", "text")
    if form not in ("text", "json"):
        raise COMMAND.misuse(f"there is no format {form!r}, only text and json")
    return _Request(
        place=Path(given.rest[0]),
        calls_only=given.given("--calls"),
        steps=_step_range(given.last("--steps", ":")),
        json=form == "json",
        source_roots=tuple(_source_root(text) for text in given.every("--source-root")),
    )


def _step_range(text: str) -> slice:
    try:
        numbers = [int(part) if part else None for part in text.split(":")]
    except ValueError:
        numbers = []
    match numbers:
        case [int() as only]:
            return slice(only, only + 1 or None)
        case [first, last]:
            return slice(first, last)
    raise COMMAND.misuse(f"{text!r} is no range of steps such as 100:120")


def _spelt(steps: slice) -> str:
    return ":".join("" if end is None else str(end) for end in (steps.start, steps.stop))


def _source_root(text: str) -> SourceRoot:
    old, _, new = text.partition("=")
    if not old or not new:
        raise COMMAND.misuse(f"{text!r} is not of the form OLD=NEW")
    return SourceRoot(old, new)


def _lines(
    trace: Trace, recorded: Mapping[str, RecordedSource], request: _Request, stderr: Stderr
) -> Iterator[str]:
    start, stop, _ = request.steps.indices(len(trace))
    if start >= stop:
        raise UsageError(
            "ERR_TRACE_INDEX",
            f"no step is in the range {_spelt(request.steps)}:"
            f" the trace has the steps 0 to {len(trace) - 1}",
        )
    if request.json:
        from codetracer_core.cli import json_view

        if request.calls_only:
            return json_view.call_lines(_calls(trace, start, stop))
        return json_view.step_lines(walk(trace, start, stop))
    from codetracer_core.cli.text_view import TextView

    view = TextView(trace.meta.workdir, width=len(str(max(stop - 1, 0))))
    if request.calls_only:
        return view.call_lines(_calls(trace, start, stop))
    sources = Sources(request.source_roots, recorded, stderr.line)
    return view.step_lines(walk(trace, start, stop), sources)


def _calls(trace: Trace, start: int, stop: int) -> Iterator[tuple[Call, Step | None]]:
    """The calls that began at a step of the range, each with its own first step."""
    for call in trace.calls():
        if call.first_step >= stop:
            return
        if call.first_step >= start:
            yield call, own_step(trace, call)
