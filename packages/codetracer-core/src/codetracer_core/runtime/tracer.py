"""The native tracer of a session: puts the parts of a recording together."""

from __future__ import annotations

from codetracer_core.errors import EnvironmentError_, InternalError, RecorderError
from codetracer_core.monitoring.callbacks import monitoring_mask
from codetracer_core.monitoring.install import Installation
from codetracer_core.runtime.events import (
    EVENTS,
    HANDLER_EVENTS,
    LOCAL_EVENTS,
    EventPipeline,
    RecorderStats,
)
from codetracer_core.runtime.forks import watch_forks
from codetracer_core.runtime.lifecycle import LifecycleController, is_of_program, place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from codetracer_core.journal.writer import JournalWriter
    from codetracer_core.runtime.descriptors import Identity
    from codetracer_core.runtime.filtering import FilterCoordinator
    from codetracer_core.runtime.io import IoCoordinator

__all__ = ["RuntimeTracer"]

_END = "END"
"""What the C part gives instead of a code when enough is recorded."""

_REASONS = {
    "ERR_IO": "the journal cannot be written; free space or choose another folder",
    "ERR_JOURNAL_STALLED": (
        "the journal could not be written for ten seconds;"
        " look at the disk of the output folder, or choose another one"
    ),
    "ERR_NO_MEMORY": (
        "there is no memory left for it; give the program more, or record less with a filter"
    ),
    "ERR_TOOL_ID_LOST": (
        "the program has freed the recorder's tool id of sys.monitoring;"
        " let it leave the ids of other tools alone"
    ),
    "ERR_TRACE_INCOMPLETE": "a test has injected a failure",
}
"""Why the C part gave up, and what to do, by the code it gives."""


class RuntimeTracer:
    """Records the program that runs in this process into a journal.

    It wires four parts that know nothing of each other: ``lifecycle``, the coordinator of filters,
    the pipeline of events and the coordinator of output. There is one at a time in a process.
    """

    def __init__(
        self,
        writer: JournalWriter,
        coordinator: FilterCoordinator,
        *,
        on_recorder_error: str,
        adopt_running: bool = False,
        activation_path: str | None = None,
        io: IoCoordinator | None = None,
        asks_objects: bool = False,
    ) -> None:
        """`on_recorder_error` is ``"disable"`` or ``"abort"``.

        With `adopt_running` the frames that run already, of all threads, are recorded from where
        they are. With an `activation_path`, which is absolute and real, a thread is recorded only
        while a frame of that file is on its stack. With `asks_objects` the reprs of objects are
        recorded, which runs code of the program.
        """
        self._writer = writer
        self._coordinator = coordinator
        self._adopt = adopt_running
        self._events = EventPipeline()
        self._io = io
        self._asks_objects = asks_objects
        self._installation: Installation | None = None
        self._stats: RecorderStats | None = None
        self._is_dormant = False
        self.is_full = False
        """Whether recording has ended because the journal had reached its size."""
        self.on_wake: Callable[[], None] | None = None
        """Called in a forked child before its first event that would be recorded; None when
        children are not."""
        self.on_exit: Callable[[int], None] | None = None
        """Called with the status before ``os._exit`` ends the process."""
        self.lifecycle = LifecycleController(
            writer.path.name.split(".")[1],
            on_recorder_error=on_recorder_error,
            activation_path=activation_path,
            detach=self._detach,
        )

    @property
    def failure(self) -> RecorderError | None:
        """Why recording ended before the program did; None when it did not."""
        return self.lifecycle.failure

    @property
    def unwatched(self) -> tuple[str, ...]:
        """The builtin methods whose output could not be watched."""
        return () if self._io is None else self._io.unwatched

    @property
    def mirrored(self) -> Collection[Identity]:
        """The files whose contents the trace has as output, for programs that are started."""
        return () if self._io is None else self._io.mirrored

    def install(self, *, muted: bool = False) -> None:
        """Begin to record; `muted`: not the calling thread, until it calls :meth:`unmute`.

        Raises RecorderError; nothing is installed then.
        """
        lifecycle = self.lifecycle
        installation = Installation.claim(EVENTS)
        try:
            self._events.open(
                installation.tool_id,
                monitoring_mask(LOCAL_EVENTS),
                monitoring_mask(HANDLER_EVENTS),
                resolve=self._coordinator.resolve,
                is_activation=lifecycle.is_activation if lifecycle.is_activated_by_file else None,
                on_failure=self._on_failure,
                on_sealed=self._writer.start_thread,
                on_wake=self._woken,
                on_exit=self._exiting,
                adopt_running=self._adopt,
                asks_objects=self._asks_objects,
            )
            if muted:
                self.mute()
            installation.start(self._events, local=HANDLER_EVENTS)
            if self._io is not None:
                self._io.install()
        except BaseException:
            self._events.close()
            self._events.let_exit()
            installation.remove()
            raise
        self._installation = installation
        if self.failure is not None:
            self._detach()
        watch_forks(self)
        self._writer.start_thread()

    def mute(self) -> None:
        """What the calling thread does from now on is the recorder's own business."""
        self._events.mute(muted=True)

    def unmute(self) -> None:
        """What the calling thread does from now on is the program's."""
        self._events.mute(muted=False)

    def flush(self) -> None:
        """Bring everything that was recorded so far into the journal and that to the disk.

        Raises EnvironmentError (``ERR_IO``).
        """
        sequence = self._events.seal()
        if sequence:
            self._writer.flush(sequence)

    def uninstall(self) -> None:
        """Stop recording and seal the last chunk; does nothing the second time.

        A failure that the program was never told of is handled by the error policy.
        """
        code = self._let_go()
        if code is not None and code != _END:
            self._on_failure(code, None)

    def stats(self) -> RecorderStats:
        """Counts up to now, or of the whole session when it is over."""
        return self._stats or self._count()

    def before_fork(self) -> None:
        """The process is about to fork."""
        if self._io is not None:
            self._io.before_fork()
        self._writer.before_fork()

    def after_fork_in_parent(self) -> None:
        """The process has forked and this is the one that is recorded."""
        self._writer.after_fork()
        if self._io is not None:
            self._io.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """The process has forked and this is the child, which does not record for its parent.

        It has the events of its parent until it wakes or is retired.
        """
        if self._io is not None:
            self._io.after_fork_in_child()
        self._is_dormant = self.on_wake is not None and self._installation is not None
        if self._is_dormant:
            self._events.sleep()
            self._writer.detach()
        else:
            self._let_go()
            self._writer.detach()

    def retire(self) -> None:
        """In a forked child that has not begun to record: let go of the parent's events."""
        if self._is_dormant:
            self._is_dormant = False
            self._let_go()

    def _woken(self) -> None:
        """In a forked child: an event has come that would be recorded."""
        self.retire()
        if self.on_wake is not None:
            self.on_wake()

    def _exiting(self, status: int) -> None:
        """The program has called ``os._exit``."""
        if self.on_exit is not None:
            self.on_exit(status)

    def _let_go(self) -> str | None:
        """Take the recorder out of the program for good.

        Returns the code of a failure that nobody was told of.
        """
        code = self._detach()
        self._events.let_exit()
        watch_forks(None)
        return code

    def _detach(self) -> str | None:
        """Take the recorder out of the program; does nothing the second time.

        A program that then leaves by ``os._exit`` still has the session ended, which says why it
        was taken out. Returns the code of a failure that nobody was told of.
        """
        installation, self._installation = self._installation, None
        if installation is None:
            return None
        is_lost = installation.is_lost
        if self._io is not None:
            self._io.uninstall()
        installation.silence()
        self._stats = self._count()
        # This clears local events, before the tool id is given back: its next owner must not
        # get them.
        code = self._events.close()
        installation.remove()
        # From CPython 3.14 on no event comes from an id that was freed, so that none tells of it.
        return "ERR_TOOL_ID_LOST" if code is None and is_lost else code

    def _count(self) -> RecorderStats:
        stats = self._events.counts()
        self._coordinator.count(stats.scopes_skipped, stats.redacted, stats.dropped)
        return stats

    def _on_failure(self, code: str, error: BaseException | None) -> None:
        """Recording cannot go on. Called between two records, in the program's thread.

        `error` is what a function of ours or of a filter has raised, or a signal handler of the
        program that came in between: that one is the program's.
        """
        if code == _END:
            self.is_full = True
            self._detach()
        elif error is None:
            kind = InternalError if code == "ERR_TRACE_INCOMPLETE" else EnvironmentError_
            self.lifecycle.fail(kind(code, f"recording has stopped: {_REASONS[code]}"))
        elif is_of_program(error):
            raise error
        else:
            message = f"recording has stopped: the recorder has failed: {error!r}"
            self.lifecycle.fail(InternalError(code, message, place=place_of(error)))
