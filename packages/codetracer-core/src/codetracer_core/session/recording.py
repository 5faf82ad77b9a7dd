"""A recording session: starts the recorder, stops it, and makes the trace from its journal."""

from __future__ import annotations

import os
from _thread import allocate_lock

from codetracer_core.errors import UsageError
from codetracer_core.session.errors import AlreadyTracingError, as_recorder_error
from codetracer_core.session.filesystem import discard, own_subfolder, remove_created
from codetracer_core.session.filters import filter_entries
from codetracer_core.session.finishing import FinishedTrace, make_trace
from codetracer_core.session.output import FORMAT_JSON
from codetracer_core.session.reporting import (
    report_end,
    report_no_start,
    report_no_trace,
    report_start,
    stderr_identity,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from codetracer_core.journal.writer import JournalWriter
    from codetracer_core.runtime.events import RecorderStats
    from codetracer_core.runtime.filtering import FilterCoordinator
    from codetracer_core.runtime.sources import SourceBook
    from codetracer_core.runtime.tracer import RuntimeTracer
    from codetracer_core.session.bootstrap import TraceSessionBootstrap
    from codetracer_policy import CaptureLimits

__all__ = ["FinishedTrace", "TraceSession"]

# The C part has one ring, from the start of a session to the end of its stop. Keyed by process, so
# that a forked child inherits no claim; setting a default of a dictionary is atomic.
_claims: dict[int, Path] = {}


def _claim(folder: Path) -> None:
    """Keep every other thread, and signal handlers, from beginning a session.

    Raises AlreadyTracingError when one of them was quicker.
    """
    claimed = _claims.setdefault(os.getpid(), folder)
    if claimed is not folder:
        raise AlreadyTracingError(claimed)


def _release_claim() -> None:
    _claims.pop(os.getpid(), None)


class TraceSession:
    """One recording, from its start to the finished trace.

    Made by :func:`codetracer_core.start`. Leaving a ``with`` block stops it. `path` is the output
    folder, which is inside the one that was asked for when another process records there, and
    `format` is ``"ct"`` or ``"json"``.
    """

    def __init__(
        self,
        bootstrap: TraceSessionBootstrap,
        writer: JournalWriter,
        coordinator: FilterCoordinator,
        tracer: RuntimeTracer,
    ) -> None:
        self.path = bootstrap.folder.path
        self.format = bootstrap.output.format
        self._bootstrap = bootstrap
        self._writer = writer
        self._coordinator = coordinator
        self._tracer = tracer
        self._pid = os.getpid()
        self._active = True
        self._ending = allocate_lock()
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
        from codetracer_core.runtime.filtering import FilterCoordinator
        from codetracer_core.runtime.io import IoCoordinator, captured_streams
        from codetracer_core.runtime.tracer import RuntimeTracer
        from codetracer_filter import TraceFilterEngine

        policy = bootstrap.policy
        metadata = bootstrap.metadata.as_journal(filter_entries(bootstrap.filters))
        writer: JournalWriter | None = None
        claimed = False
        try:
            _claim(bootstrap.folder.path)
            claimed = True
            writer = _open_journal(bootstrap, metadata, policy.limits)
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
                activation_path=bootstrap.activation_path,
                io=IoCoordinator(
                    captured_streams(policy.io_capture, bootstrap.filters.io),
                    hide_secrets=policy.redact_output,
                ),
            )
            # What the log imports must not be recorded as the program's.
            report_start(bootstrap, writer.trace_id)
            tracer.install(muted=True)
            try:
                discard(bootstrap.folder.previous)
            except BaseException:
                tracer.uninstall()
                raise
        except BaseException as error:
            if writer is not None:
                writer.abandon()
            if claimed:
                _release_claim()
            remove_created(bootstrap.folder.created)
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

    @property
    def sources(self) -> SourceBook:
        """What is known of the sources of recorded code."""
        return self._coordinator.sources

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

    def flush(self) -> None:
        """Bring everything that was recorded so far into the journal and that to the disk.

        A kill loses nothing anyway; after this the loss of the machine does not either, and another
        process can read it. Does nothing when the session is over. Raises RecorderError when the
        journal cannot be written.
        """
        if self.active:
            self._tracer.flush()

    @property
    def steps(self) -> int:
        """How many steps were recorded up to now."""
        return self._tracer.stats().steps

    def abandon(self) -> None:
        """Stop recording and leave nothing of it; does nothing when the session is over."""
        if not self._is_to_end():
            return
        try:
            self._tracer.uninstall()
        finally:
            self._writer.abandon()
            _release_claim()
            remove_created(self._bootstrap.folder.created)

    def stop(
        self,
        *,
        exit_code: int | None = None,
        exit_label: str = "<exit>",
        progress: Callable[[int, int], None] | None = None,
    ) -> FinishedTrace | None:
        """Stop recording and make the trace; None when the session is over already.

        The trace ends with `exit_code`, or with `exit_label` when there is no code. `progress` is
        called now and then with the work done and the work in all.

        A forked child has nothing to stop. Raises RecorderError. Nothing is installed then either,
        and what was recorded is in the journal: ``codetracer-core show`` makes the trace from it.
        """
        if not self._is_to_end():
            return None
        status = {"code": exit_code, "label": exit_label if exit_code is None else None}
        try:
            try:
                self._tracer.uninstall()
            finally:
                stats = self._tracer.stats()
                report_end(self._bootstrap, self._writer.trace_id, stats, self._tracer.failure)
                kept = self._close_journal(stats, status)
            self.finished = self._finish(stats, progress) if kept else self._nothing(stats)
            return self.finished
        except Exception as error:
            failure = as_recorder_error(error)
            report_no_trace(failure, self._bootstrap.policy)
            if failure is error:
                raise
            raise failure from error
        finally:
            self._writer.release()
            _release_claim()

    def _is_to_end(self) -> bool:
        """Whether the session runs and the caller is to end it: true once, in one thread."""
        if not self.active or not self._ending.acquire(blocking=False):
            return False
        self._active = False
        return True

    def _close_journal(self, stats: RecorderStats, status: Mapping[str, object]) -> bool:
        """Close the journal with what is known at the end, or remove it: whether it was kept.

        Raises UsageError (``ERR_TRACE_MISSING``) when there is nothing and something is required.
        """
        policy = self._bootstrap.policy
        missing = policy.require_trace and not stats.steps
        if missing or (self._tracer.failure is not None and not policy.keep_partial_trace):
            self._writer.abandon()
            remove_created(self._bootstrap.folder.created)
            if missing:
                raise UsageError(
                    "ERR_TRACE_MISSING",
                    "nothing was recorded although a trace is required; check the filters",
                    path=self.path,
                )
            return False
        end: dict[str, object] = {
            "exit_status": status,
            "counts": {"steps": stats.steps, "calls": stats.calls},
            "io": {
                "secrets_hidden": stats.secrets_hidden,
                "secrets_forgotten": stats.secrets_forgotten,
                "unwatched": list(self._tracer.unwatched),
            },
            "trace_filter_stats": self._coordinator.stats(),
            "sources": self._coordinator.sources.described(),
        }
        # The lock says that the folder is in use; making the trace is use.
        self._writer.finish(end, keep_lock=True)
        return True

    def _finish(
        self, stats: RecorderStats, progress: Callable[[int, int], None] | None
    ) -> FinishedTrace:
        path, steps = make_trace(self._writer.path, self._bootstrap.output, progress)
        return FinishedTrace(
            path=path,
            # A trace has at least one step, also when nothing was recorded.
            steps=(steps or stats.steps) if stats.steps else 0,
            calls=stats.calls,
            size=path.stat().st_size,
            skipped_main=self._coordinator.skipped_main,
            failure=self._tracer.failure,
        )

    def _nothing(self, stats: RecorderStats) -> FinishedTrace:
        """What is left of a recording that ended early and whose part is not to be kept."""
        return FinishedTrace(
            path=None,
            steps=stats.steps,
            calls=stats.calls,
            size=0,
            skipped_main=None,
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


def _open_journal(
    bootstrap: TraceSessionBootstrap, metadata: Mapping[str, object], limits: CaptureLimits
) -> JournalWriter:
    """Make the journal in the session's folder, or in one inside it when another was quicker."""
    from codetracer_core.journal.writer import JournalWriter

    writer = JournalWriter.create(bootstrap.folder.path, metadata, limits)
    if not bootstrap.folder.is_shared(writer.path):
        return writer
    writer.abandon()
    bootstrap.folder = own_subfolder(bootstrap.folder, json=bootstrap.output.format == FORMAT_JSON)
    return JournalWriter.create(bootstrap.folder.path, metadata, limits)
