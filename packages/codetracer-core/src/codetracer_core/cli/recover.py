"""``codetracer-core recover``: make the trace of a program that could not finish it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from codetracer_core.cli.arguments import Command, Option
from codetracer_core.cli.output import print_lines
from codetracer_core.cli.report import Progress, Stderr, counted, report_failure
from codetracer_core.session.recovery import PRESENT, RECOVERED, recordings_below, recover

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from codetracer_core.session.recovery import RecoveredTrace

__all__ = ["COMMAND", "run"]

COMMAND = Command(
    "recover",
    usage="codetracer-core recover [OPTION]... DIR|FILE.ctj",
    about="""\
Make the trace of a recording whose program was killed or crashed, from the journal that it has
left, and say what is missing. The journal stays as it is. Recordings of child processes
in DIR are recovered, too.""",
    options=(
        Option(("-o", "--out-dir"), "put the trace there instead of beside the journal", "DIR"),
        Option(
            ("--format",),
            "text (for people, the default) or json (one object a recording)",
            "text|json",
        ),
    ),
    examples="""\
  codetracer-core recover trace-out
  codetracer-core recover --out-dir /tmp/copy /mnt/crashed/trace-out
  codetracer-core recover --format json trace-out | jq .recovery
""",
)


def run(words: Sequence[str]) -> int:
    """Recover what `words` name; return the exit status. Raises RecorderError for a misuse."""
    given = COMMAND.parse(words)
    if given.given("--help"):
        print_lines(COMMAND.help().splitlines())
        return 0
    if len(given.rest) != 1:
        problem = "no recording is named" if not given.rest else "only one can be recovered"
        raise COMMAND.misuse(problem)
    form = given.last("--format", "text")
    if form not in ("text", "json"):
        raise COMMAND.misuse(f"there is no format {form!r}, only text and json")
    out_dir = given.last("--out-dir", "")
    target = Path(os.path.abspath(out_dir)) if out_dir else None
    try:
        return _recover_all(Path(given.rest[0]), target, json_lines=form == "json")
    except KeyboardInterrupt:
        Stderr().line("interrupted; the journal is as it was: recover it again")
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
        return 1


def _recover_all(place: Path, target: Path | None, *, json_lines: bool) -> int:
    stderr = Stderr()
    status = 0
    for recording in recordings_below(place):
        inside = target / recording.relative_to(place) if target is not None else None
        try:
            recovered = recover(recording, inside, Progress(stderr))
        except Exception as error:
            if recording == place:
                raise
            status = report_failure(error, stderr)
            continue
        lines = [_as_json(recovered)] if json_lines else _as_text(recovered)
        print_lines(lines)
    return status


def _as_json(recovered: RecoveredTrace) -> str:
    return json.dumps(
        {
            "trace": str(recovered.trace),
            "journal": None if recovered.journal is None else str(recovered.journal),
            "state": recovered.state,
            "steps": recovered.steps,
            "calls": recovered.calls,
            "damage": list(recovered.damage),
            "recovery": recovered.recovery,
        }
    )


def _as_text(recovered: RecoveredTrace) -> Iterator[str]:
    if recovered.state == PRESENT:
        yield f"{recovered.trace}: is there already, nothing to recover"
        return
    size = f"{counted(recovered.steps or 0, 'step')}, {counted(recovered.calls or 0, 'call')}"
    yield f"{recovered.trace}: {recovered.state}, {size}"
    if recovered.state == RECOVERED and recovered.recovery is not None:
        facts = recovered.recovery
        yield f"  calls that were open at the end: {facts['calls_open']}"
        if facts["machine_restarted"]:
            yield "  the machine was restarted since then: the newest steps may be missing"
    for missing in recovered.damage:
        yield f"  {missing}"
