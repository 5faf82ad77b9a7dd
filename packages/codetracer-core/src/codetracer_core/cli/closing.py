"""The end of a recording: the trace is finished, and one line says what came of it."""

from __future__ import annotations

import os
import sys

from codetracer_core.cli.imports import OwnImports
from codetracer_core.cli.report import (
    Progress,
    Stderr,
    counted,
    human_size,
    report_failure,
    shell_operand,
)
from codetracer_core.cli.running import leave, prompt_follows
from codetracer_core.errors import RecorderError
from codetracer_core.session.output import FORMAT_CT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from codetracer_core.cli.running import Ending
    from codetracer_core.session.bootstrap import TraceSessionBootstrap
    from codetracer_core.session.recording import FinishedTrace, TraceSession
    from codetracer_filter import ScopeResolution

__all__ = ["Closing", "restate_interrupt"]


class Closing:
    """Finishes the recording when the program is over, and says what came of it."""

    def __init__(
        self,
        session: TraceSession,
        program: str,
        out_dir: str,
        *,
        stderr: Stderr,
        quiet: bool,
        bootstrap: TraceSessionBootstrap,
        only: Sequence[str] = (),
    ) -> None:
        """`stderr` was made before the session, which may mirror it.

        `only` are the selectors of ``--only``, for the line about a trace that has nothing.
        """
        self.imports = OwnImports()
        self._propagate_exit = bootstrap.policy.propagate_script_exit
        self._policy = bootstrap.policy
        self._activation_path = bootstrap.activation_path
        self._only = only
        self._output = bootstrap.output
        self._status = 0
        self._withheld = False
        self._signalled = False
        self._session = session
        self._program = program
        # Inside the folder that was asked for when another process records there.
        inside = os.path.relpath(session.path, os.path.abspath(os.path.expanduser(out_dir)))
        self._out_dir = out_dir if inside == "." else os.path.join(out_dir, inside)
        self._quiet = quiet
        self._stderr = stderr
        stderr.know_stand_in()

    def leave(self, ending: Ending) -> int:
        """Return the exit status for the way in which the program's main module ended.

        Raises the exception that must still end the process.
        """
        self._status = ending.status
        # Before a prompt an interrupt is forgotten.
        self._signalled = isinstance(ending.error, KeyboardInterrupt) and not prompt_follows()
        # A forked child of the program has nobody but its parent to tell a status.
        if self._propagate_exit or not ending.status or self._is_elsewhere:
            return leave(ending)
        if not isinstance(ending.error, SystemExit):
            return leave(ending)
        if not isinstance(ending.error.code, int):
            print(ending.error.code, file=sys.stderr)
        self._withheld = True
        return 0

    @property
    def _is_elsewhere(self) -> bool:
        """Whether this is a forked child of the program."""
        return self._session.is_child or not self._session.active

    def __call__(self) -> None:
        # A forked child may have nothing to finish; the program may have stopped the session.
        if self._session.active or self._session.finished is not None:
            self._session.mute()
            with self.imports.restored():
                self._finish()
            if self._withheld:
                self._stderr.line(
                    f"the program exited with status {self._status}; returning 0"
                    " (--propagate-script-exit gives its own status)"
                )
        if self._signalled:
            restate_interrupt()

    def _finish(self) -> None:
        try:
            finished = self._session.finished or self._session.stop(
                exit_code=None if self._signalled else self._status,
                exit_label="<SIGINT>",
                progress=self._progress(),
            )
        except RecorderError as error:
            self._fail(error)
            return
        except KeyboardInterrupt:
            self._stderr.line(
                "interrupted while the trace was made; the journal is complete:"
                f" codetracer-core show {shell_operand(self._out_dir)} makes it"
            )
            return
        if finished is None:
            return
        if not self._quiet and not self._session.is_child:
            for line in self._summary(finished):
                self._stderr.line(line)
        if finished.failure is not None:
            self._fail(finished.failure)

    def _progress(self) -> Progress | None:
        return None if self._quiet or self._session.is_child else Progress(self._stderr)

    def _fail(self, error: RecorderError) -> None:
        report_failure(error, self._stderr, policy=self._policy)
        if self._session.is_child:
            return
        if (self._status == 0 or self._withheld) and not self._signalled:
            # The status is settled by now; only leaving at once can still change it.
            _flush_streams()
            os._exit(1)

    def _summary(self, finished: FinishedTrace) -> Iterator[str]:
        if finished.path is None:
            yield "nothing is kept of the recording, which ended before the program did"
        elif finished.steps:
            yield self._result(finished, finished.path)
        else:
            from codetracer_core.cli.notices import notices

            # Nobody is sent to ``show``, which would say these.
            others = list(notices(finished.path))
            what = "nothing was recorded of this process" if others else "nothing was recorded"
            yield f"{what}: {self._reason(finished.skipped_main)}"
            yield from others

    def _result(self, finished: FinishedTrace, path: Path) -> str:
        summary = (
            f"{counted(finished.steps, 'step')}, {counted(finished.calls, 'call')},"
            f" {human_size(finished.size)} in {path}"
        )
        if finished.is_full:
            summary += ", which is the end at --max-size"
        if self._output.format != FORMAT_CT and not self._output.keep_journal:
            return summary
        return f"{summary}; see them with: codetracer-core show {shell_operand(self._out_dir)}"

    def _reason(self, skipped_main: ScopeResolution | None) -> str:
        """Why a trace has no step; `skipped_main` says why the main script was skipped."""
        if self._only:
            return _unmatched(self._only)
        if skipped_main is not None:
            rule = skipped_main.rule
            reason = f"the rule {rule}" if rule is not None else "the default of the filters"
            return f"{self._program} is skipped by {reason}"
        if self._activation_path is not None:
            return f"no code of {self._activation_path} ran that is traced"
        return "no code ran that the filters trace"


def _unmatched(only: Sequence[str]) -> str:
    """That the selectors `only` name nothing, with the name that is easily got wrong."""
    given = " ".join(f"--only {shell_operand(selector)}" for selector in only)
    reason = f"{given} names no code that ran"
    if any(selector.startswith("file:") or "__main__" in selector for selector in only):
        return reason
    return f"{reason}; the program's own module is called __main__: --only pkg:literal:__main__"


def restate_interrupt() -> None:
    """Make the interpreter die by SIGINT after all.

    It remembers that the last text it ran was interrupted; making the trace may have run some.
    """
    try:
        exec("raise KeyboardInterrupt")
    except KeyboardInterrupt:
        return


def _flush_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: BLE001 - a stream of the program may fail in any way
            continue
