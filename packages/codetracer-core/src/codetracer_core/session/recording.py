"""A recording session: starts the recorder, stops it, and makes the trace from its journal."""

from __future__ import annotations

import os
from _thread import allocate_lock

from codetracer_core.errors import RecorderError, UsageError
from codetracer_core.session.errors import as_recorder_error
from codetracer_core.session.family import Parent, children_of
from codetracer_core.session.filesystem import remove_created
from codetracer_core.session.finishing import FinishedTrace, finish_inner, make_trace
from codetracer_core.session.opening import open_recording, release_claim
from codetracer_core.session.reporting import report_end, report_no_trace, write_line
from codetracer_core.session.saving import save_folder, signal_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from codetracer_core.runtime.descriptors import Identity
    from codetracer_core.runtime.events import RecorderStats
    from codetracer_core.runtime.sources import SourceBook
    from codetracer_core.session.bootstrap import TraceSessionBootstrap
    from codetracer_core.session.opening import Recording

__all__ = ["FinishedTrace", "TraceSession"]


class TraceSession:
    """One recording, from its start to the finished trace.

    Made by :func:`codetracer_core.start`. Leaving a ``with`` block stops it. `path` is the output
    folder, which is inside the one that was asked for when another process records there, and
    `format` is ``"ct"`` or ``"json"``.
    """

    def __init__(self, recording: Recording) -> None:
        self._take(recording)
        self._parent_pid: int | None = None
        self.finished: FinishedTrace | None = None
        """What the session left behind, once it was stopped without an error."""

    def _take(self, recording: Recording) -> None:
        """Be the session of `recording`, in this process."""
        bootstrap = recording.bootstrap
        self.path = bootstrap.folder.path
        self.format = bootstrap.output.format
        self._bootstrap = bootstrap
        self._writer = recording.writer
        self._coordinator = recording.coordinator
        self._tracer = recording.tracer
        self._pid = os.getpid()
        self._active = True
        self._ending = allocate_lock()
        self._tracer.on_exit = self._end_at_once
        if bootstrap.policy.follow:
            self._tracer.on_wake = self._begin_in_child
        if bootstrap.policy.save_on != "none":
            self._writer.watch_signal(signal_number(bootstrap.policy.save_on), self._save_quietly)

    @classmethod
    def begin(
        cls,
        bootstrap: TraceSessionBootstrap,
        *,
        adopt_running: bool = False,
        muted: bool = False,
        sources: SourceBook | None = None,
    ) -> TraceSession:
        """Start to record this process.

        With `adopt_running` the functions that run already are recorded from where they are. With
        `muted` the calling thread is recorded only after :meth:`unmute`. `sources` is what is known
        of the sources of recorded code.

        Raises RecorderError; nothing is installed then, and no file of the attempt is left.
        """
        session = cls(open_recording(bootstrap, adopt_running=adopt_running, sources=sources))
        if not muted:
            session.unmute()
        return session

    @property
    def is_child(self) -> bool:
        """Whether this process was forked by the one in which the session was begun."""
        return self._parent_pid is not None

    @property
    def follows(self) -> bool:
        """Whether child processes are recorded, too."""
        return self._bootstrap.policy.follow

    @property
    def root(self) -> Path:
        """The folder in which the folders of child processes are."""
        return self._bootstrap.root

    @property
    def recording_id(self) -> str:
        """What tells this recording from all others."""
        return self._writer.trace_id

    @property
    def mirrored(self) -> Collection[Identity]:
        """The files that programs which it starts leave to it to mirror."""
        return self._tracer.mirrored

    def _begin_in_child(self) -> None:
        """Record this process, which was forked, into a folder of its own.

        Called before the first event that is to be recorded, in its thread. When that fails, a line
        on standard error says why and the child runs unrecorded, or the error is raised there where
        the policy says so.
        """
        root, parent = self._bootstrap.root, self._bootstrap.parent
        if parent is not None and not self.steps:
            # Nothing may be left of a helper such as the server of forks.
            parent = Parent(root, parent.recording_id, parent.pid, "fork")
        else:
            parent = Parent(root, self.recording_id, self._pid, "fork")
        self._active = False
        try:
            recording = open_recording(
                self._bootstrap.for_child(parent),
                adopt_running=True,
                sources=self._coordinator.sources,
            )
        except RecorderError as error:
            if self._bootstrap.policy.on_recorder_error == "abort":
                raise
            write_line(f"error: a child process is not recorded: {error}")
            return
        self._parent_pid = self._pid
        self.finished = None
        self._take(recording)
        self.unmute()

    def _end_at_once(self, status: int) -> None:
        """The process ends by ``os._exit``: close the journal, from which the trace can be made."""
        if not self._is_to_end():
            return
        try:
            self._tracer.uninstall()
        finally:
            stats = self._tracer.stats()
            report_end(self._bootstrap, self._writer.trace_id, stats, self._tracer.failure)
            self._close_journal(stats, {"code": status & 0xFF, "label": None})
            self._writer.release()

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

    def save(self, path: str | os.PathLike[str] | None = None) -> Path | None:
        """Save a copy of what is recorded up to now, and go on; return its folder.

        The folder is `path`, where an older trace is replaced, or else ``save-1`` and so on inside
        the session's. It holds a journal, from which ``codetracer-core show`` makes the trace; the
        end of the session does so, too. None when the session is over. Raises RecorderError.
        """
        if not self.active:
            return None
        folder = save_folder(self.path, path)
        known = self._known(self._tracer.stats(), {"code": None, "label": "<saved>"})
        self._writer.copy_to(folder, known)
        return folder

    def _save_quietly(self) -> None:
        """The signal for a copy has come. Called in the writer's thread."""
        try:
            self.save()
        except RecorderError as error:
            write_line(f"error: {error}")

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
            release_claim()
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
            if kept:
                finish_inner(self.path, self._bootstrap.output)
            return self.finished
        except Exception as error:
            failure = as_recorder_error(error)
            report_no_trace(failure, self._bootstrap.policy)
            if failure is error:
                raise
            raise failure from error
        finally:
            self._writer.release()
            release_claim()

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
        end = {
            **self._known(stats, status),
            "children": [
                child.described(self.path)
                for child in children_of(self._bootstrap.root, self.recording_id)
            ],
            "ended_by": "max_size" if self._tracer.is_full else None,
        }
        # The lock says that the folder is in use; making the trace is use.
        self._writer.finish(end, keep_lock=True)
        return True

    def _known(self, stats: RecorderStats, status: Mapping[str, object]) -> dict[str, object]:
        """What is known of the recording up to now, as the journal's end has it."""
        return {
            "exit_status": status,
            "counts": {"steps": stats.steps, "calls": stats.calls},
            "io": {
                "secrets_hidden": stats.secrets_hidden,
                "secrets_forgotten": stats.secrets_forgotten,
                "mirror_missed": stats.mirror_missed,
                "unwatched": list(self._tracer.unwatched),
            },
            "trace_filter_stats": self._coordinator.stats(),
        }

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
            is_full=self._tracer.is_full,
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
