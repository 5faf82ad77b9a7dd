"""A recording session: starts the recorder, stops it, and makes the trace from its journal."""

from __future__ import annotations

import os
from dataclasses import dataclass

from codetracer_core.errors import RecorderError, UsageError
from codetracer_core.session.errors import as_recorder_error
from codetracer_core.session.filesystem import TRACE_NAME, discard, remove_created
from codetracer_core.session.filters import filter_entries
from codetracer_core.session.reporting import (
    report_end,
    report_no_start,
    report_no_trace,
    report_start,
    stderr_identity,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from codetracer_core.journal.writer import JournalWriter
    from codetracer_core.runtime.events import RecorderStats
    from codetracer_core.runtime.filtering import FilterCoordinator
    from codetracer_core.runtime.tracer import RuntimeTracer
    from codetracer_core.session.bootstrap import TraceSessionBootstrap
    from codetracer_filter import ScopeResolution

__all__ = ["FinishedTrace", "TraceSession"]


@dataclass(frozen=True, slots=True, eq=False)
class FinishedTrace:
    """What a session left behind."""

    path: Path
    """The ``trace.ct``."""
    steps: int
    calls: int
    """Without the one that stands for the whole program."""
    size: int
    """Of ``trace.ct``, in bytes."""
    skipped_main: ScopeResolution | None
    """Why the main script was not recorded; None when it was."""
    failure: RecorderError | None
    """Why recording ended before the program did; None when it did not."""


class TraceSession:
    """One recording, from its start to the finished ``trace.ct``.

    Made by :func:`codetracer_core.start`. Leaving a ``with`` block stops it. `path` is the output
    folder.
    """

    def __init__(
        self,
        bootstrap: TraceSessionBootstrap,
        writer: JournalWriter,
        coordinator: FilterCoordinator,
        tracer: RuntimeTracer,
    ) -> None:
        self.path = bootstrap.folder.path
        self._bootstrap = bootstrap
        self._writer = writer
        self._coordinator = coordinator
        self._tracer = tracer
        self._pid = os.getpid()
        self._active = True
        self.finished: FinishedTrace | None = None
        """What the session left behind, once it was stopped without an error."""

    @classmethod
    def begin(
        cls,
        bootstrap: TraceSessionBootstrap,
        *,
        adopt_running: bool = False,
        muted: bool = False,
    ) -> TraceSession:
        """Start to record this process.

        With `adopt_running` the functions that run already are recorded from where they are. With
        `muted` the calling thread is recorded only after :meth:`unmute`.

        Raises RecorderError; nothing is installed then, and no file of the attempt is left.
        """
        from codetracer_core.journal.writer import JournalWriter
        from codetracer_core.runtime.filtering import FilterCoordinator
        from codetracer_core.runtime.tracer import RuntimeTracer
        from codetracer_filter import TraceFilterEngine

        folder, policy = bootstrap.folder, bootstrap.policy
        metadata = bootstrap.metadata.as_journal(filter_entries(bootstrap.filters))
        writer: JournalWriter | None = None
        try:
            writer = JournalWriter.create(folder.path, metadata, policy.limits)
            coordinator = FilterCoordinator(
                TraceFilterEngine(bootstrap.filters),
                main_script=bootstrap.metadata.main_script,
                module_name_from_globals=policy.module_name_from_globals,
            )
            tracer = RuntimeTracer(
                writer,
                coordinator,
                on_recorder_error=policy.on_recorder_error.value,
                adopt_running=adopt_running,
            )
            # What the log imports must not be recorded as the program's.
            report_start(bootstrap, writer.trace_id)
            tracer.install(muted=True)
            try:
                discard(folder.previous)
            except BaseException:
                tracer.uninstall()
                raise
        except BaseException as error:
            if writer is not None:
                writer.abandon()
            remove_created(folder.created)
            if not isinstance(error, Exception):
                raise
            failure = as_recorder_error(error)
            report_no_start(failure, policy, stderr_identity())
            if failure is error:
                raise
            raise failure from error
        session = cls(bootstrap, writer, coordinator, tracer)
        if not muted:
            session.unmute()
        return session

    def mute(self) -> None:
        """What the calling thread does from now on is not the program's, and not recorded."""
        self._tracer.mute()

    def unmute(self) -> None:
        """What the calling thread does from now on is the program's."""
        self._tracer.unmute()

    @property
    def active(self) -> bool:
        """Whether this session records this process now; a forked child is another process."""
        return self._active and self._pid == os.getpid()

    def stop(
        self,
        *,
        exit_code: int | None = None,
        exit_label: str = "<exit>",
        progress: Callable[[int, int], None] | None = None,
    ) -> FinishedTrace | None:
        """Stop recording and make ``trace.ct``; None when the session is over already.

        The trace ends with `exit_code`, or with `exit_label` when there is no code. `progress` is
        called now and then with the work done and the work in all.

        A forked child has nothing to stop. Raises RecorderError. Nothing is installed then either,
        and what was recorded is in the journal: ``codetracer-core show`` makes the trace from it.
        """
        if not self.active:
            return None
        self._active = False
        try:
            try:
                self._tracer.uninstall()
            finally:
                stats = self._finish_journal(exit_code, exit_label)
            self.finished = self._materialise(stats, progress)
            return self.finished
        except Exception as error:
            failure = as_recorder_error(error)
            report_no_trace(failure, self._bootstrap.policy)
            if failure is error:
                raise
            raise failure from error

    def _finish_journal(self, exit_code: int | None, exit_label: str) -> RecorderStats:
        """Close the journal with what is known at the end."""
        stats = self._tracer.stats()
        report_end(self._bootstrap, self._writer.trace_id, stats, self._tracer.failure)
        if self._bootstrap.policy.require_trace and not stats.steps:
            self._writer.abandon()
            raise UsageError(
                "ERR_TRACE_MISSING",
                "nothing was recorded although a trace is required; check the filters",
                path=self.path,
            )
        self._writer.finish(
            {
                "exit_status": {
                    "code": exit_code,
                    "label": exit_label if exit_code is None else None,
                },
                "counts": {"steps": stats.steps, "calls": stats.calls},
                "trace_filter_stats": self._coordinator.stats(),
            }
        )
        return stats

    def _materialise(
        self, stats: RecorderStats, progress: Callable[[int, int], None] | None
    ) -> FinishedTrace:
        from codetracer_core.ctfs.materialiser import materialise

        made = materialise(self._writer.path, self.path, name=TRACE_NAME, progress=progress)
        return FinishedTrace(
            path=made.path,
            # A trace has at least one step, also when nothing was recorded.
            steps=made.steps if stats.steps else 0,
            calls=stats.calls,
            size=made.size,
            skipped_main=self._coordinator.skipped_main,
            failure=self._tracer.failure,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
