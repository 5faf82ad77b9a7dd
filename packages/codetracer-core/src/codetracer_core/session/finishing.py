"""From a sealed journal to what the session was asked to leave behind."""

from __future__ import annotations

from dataclasses import dataclass

from codetracer_core.session.names import TRACE_NAME
from codetracer_core.session.output import FORMAT_JSON

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from codetracer_core.errors import RecorderError
    from codetracer_core.session.output import OutputOptions
    from codetracer_filter import ScopeResolution

__all__ = ["FinishedTrace", "make_trace"]


@dataclass(frozen=True, slots=True, eq=False)
class FinishedTrace:
    """What a session left behind."""

    path: Path | None
    """The ``trace.ct`` or ``trace.json``; the journal when the trace is to be made later; None when
    recording ended early and what there was is not to be kept."""
    steps: int
    calls: int
    """Without the one that stands for the whole program."""
    size: int
    """Of the file at ``path``, in bytes."""
    skipped_main: ScopeResolution | None
    """Why the main script was not recorded; None when it was."""
    failure: RecorderError | None
    """Why recording ended before the program did; None when it did not."""


def make_trace(
    journal: Path, output: OutputOptions, progress: Callable[[int, int], None] | None
) -> tuple[Path, int | None]:
    """Make the trace of the sealed `journal` beside it, as `output` asks for.

    Returns its file and the number of its steps; the journal and None when the trace is to be made
    later. `progress` is called now and then with the work done and the work in all. Raises
    RecorderError; the journal stays then.
    """
    if output.materialise == "later":
        return journal, None
    from codetracer_core.ctfs.materialiser import materialise

    trace = materialise(journal, journal.parent, name=TRACE_NAME, progress=progress)
    made: Path = trace.path
    if output.format == FORMAT_JSON:
        from codetracer_core.trace_json import write_trace_json

        container = made
        try:
            made = write_trace_json(container, journal.parent)
        finally:
            container.unlink(missing_ok=True)
    if not output.keep_journal:
        journal.unlink(missing_ok=True)
    return made, trace.steps
