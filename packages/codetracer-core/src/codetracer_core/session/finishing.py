"""From a sealed journal to what the session was asked to leave behind."""

from __future__ import annotations

import os
from contextlib import suppress

from codetracer_core.errors import EnvironmentError_, RecorderError
from codetracer_core.journal.lock import is_locked
from codetracer_core.session.family import folders_of_children
from codetracer_core.session.names import JSON_TRACE_NAME, TRACE_NAME
from codetracer_core.session.output import FORMAT_JSON
from codetracer_core.session.saving import saved_folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from codetracer_core.session.output import OutputOptions
    from codetracer_filter import ScopeResolution

_MOST_INNER = 64

__all__ = ["FinishedTrace", "finish_inner", "make_trace"]


class FinishedTrace:
    """What a session left behind. Written out, because `dataclasses` takes long to import."""

    __slots__ = ("calls", "failure", "is_full", "path", "size", "skipped_main", "steps")

    def __init__(
        self,
        path: Path | None,
        steps: int,
        calls: int,
        size: int,
        skipped_main: ScopeResolution | None,
        failure: RecorderError | None,
        is_full: bool = False,
    ) -> None:
        self.path = path
        """The ``trace.ct`` or ``trace.json``; the journal when the trace is to be made later; None
        when recording ended early and what there was is not to be kept."""
        self.steps = steps
        self.calls = calls
        """Without the one that stands for the whole program."""
        self.size = size
        """Of the file at ``path``, in bytes."""
        self.skipped_main = skipped_main
        """Why the main script was not recorded; None when it was."""
        self.failure = failure
        """Why recording ended before the program did; None when it did not."""
        self.is_full = is_full
        """Whether it ended because the journal had reached its largest size."""


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

    if not journal.exists():
        raise EnvironmentError_(
            "ERR_IO",
            "the output folder was removed or renamed while the program ran;"
            " codetracer-core recover makes the trace in a folder that was renamed",
            path=journal,
        )
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


def finish_inner(root: Path, output: OutputOptions) -> None:
    """Make the traces of what has ended inside the session's folder `root`.

    These are copies that were saved, and children that were killed or ended by ``os._exit``. A
    child in which nothing was recorded leaves nothing. Of very many the last ones are left, so that
    the program ends soon. What cannot be made keeps its journal, from
    which ``codetracer-core show`` tries again.
    """
    if output.materialise == "later":
        return
    from codetracer_core.journal.reader import journal_is_empty

    made = 0
    for folder in (*saved_folders(root), *folders_of_children(root)):
        if made == _MOST_INNER:
            return
        names = os.listdir(folder)
        journals = [folder / name for name in names if name.endswith(".ctj")]
        if len(journals) != 1 or TRACE_NAME in names or JSON_TRACE_NAME in names:
            continue
        if is_locked(journals[0]):
            continue
        with suppress(RecorderError, OSError):
            if journal_is_empty(journals[0]):
                for file in (journals[0].with_suffix(".ring"), journals[0]):
                    file.unlink(missing_ok=True)
                folder.rmdir()
            else:
                make_trace(journals[0], output, None)
                made += 1
