"""The native tracer of a session: wires the C part to journal, filters and error policy."""

from __future__ import annotations

import os
import sys

from codetracer_core._native import ffi, lib
from codetracer_core.errors import EnvironmentError_, InternalError, RecorderError
from codetracer_core.monitoring.api import Event
from codetracer_core.monitoring.callbacks import monitoring_mask, register_enabled_callbacks
from codetracer_core.monitoring.install import Installation, claim_tool_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, EllipsisType
    from typing import Any

    from codetracer_core.journal.writer import JournalWriter
    from codetracer_core.runtime.filtering import FilterCoordinator, Plan

__all__ = ["RecorderStats", "RuntimeTracer"]

_GLOBAL_EVENTS = Event.PY_START | Event.PY_RESUME | Event.PY_THROW | Event.PY_UNWIND
_LOCAL_EVENTS = Event.LINE | Event.PY_RETURN | Event.PY_YIELD
"""Set for each code object that is recorded, when it starts for the first time."""

_REASONS = {
    "ERR_IO": "the journal cannot be written",
    "ERR_JOURNAL_STALLED": "the journal could not be written for ten seconds",
    "ERR_NO_MEMORY": "there is no memory left for it",
    "ERR_TOOL_ID_LOST": "the program has freed the recorder's tool id of sys.monitoring",
}
"""Why the C part gave up, by the code it gives."""

_VALUE_KINDS = ("argument", "local", "global", "return")


class RecorderStats:
    """What a session has recorded so far, as the C part's ``ct_counts`` tells.

    ``bytes`` are those of records before compression. Of ``cuts`` values a part was left out,
    ``omitted`` ones were left out because their step had reached its limit, ``lost_frames`` are
    frames whose end was not seen, and the program waited ``stalls`` times and ``stall_ns`` in all
    for the journal. ``redacted`` and ``dropped`` count values by their kind. Of
    ``scopes_skipped``, ``scopes_synthetic`` are code in no file and ``scopes_unreadable`` code
    whose names are no plain texts.
    """

    __slots__ = (
        "bytes",
        "calls",
        "chunks",
        "cuts",
        "dropped",
        "lost_frames",
        "omitted",
        "redacted",
        "returns",
        "scopes_skipped",
        "scopes_synthetic",
        "scopes_traced",
        "scopes_unreadable",
        "stall_ns",
        "stalls",
        "steps",
        "threads",
    )

    def __init__(self, counts: Any) -> None:
        self.steps: int = counts.steps
        self.calls: int = counts.calls
        self.returns: int = counts.returns
        self.threads: int = counts.threads
        self.chunks: int = counts.chunks
        self.bytes: int = counts.bytes
        self.cuts: int = counts.cuts
        self.omitted: int = counts.omitted
        self.lost_frames: int = counts.lost
        self.stalls: int = counts.stalls
        self.stall_ns: int = counts.stall_ns
        self.redacted: dict[str, int] = dict(zip(_VALUE_KINDS, counts.redacted, strict=True))
        self.dropped: dict[str, int] = dict(zip(_VALUE_KINDS, counts.dropped, strict=True))
        self.scopes_traced: int = counts.scopes_traced
        self.scopes_skipped: int = counts.scopes_skipped
        self.scopes_synthetic: int = counts.scopes_synthetic
        self.scopes_unreadable: int = counts.scopes_unreadable


class RuntimeTracer:
    """Records the program that runs in this process into a journal.

    There is one at a time in a process.
    """

    def __init__(
        self,
        writer: JournalWriter,
        coordinator: FilterCoordinator,
        *,
        on_recorder_error: str,
        adopt_running: bool = False,
    ) -> None:
        """`on_recorder_error` is ``"disable"`` or ``"abort"``.

        With `adopt_running` the frames that run already, of all threads, are recorded from where
        they are.
        """
        self._writer = writer
        self._coordinator = coordinator
        self._abort = on_recorder_error == "abort"
        self._adopt = adopt_running
        self._installation: Installation | None = None
        self._parts: tuple[object, ...] = ()
        self._stats: RecorderStats | None = None
        self.failure: RecorderError | None = None
        """Why recording ended before the program did; None when it did not."""

    def install(self, *, muted: bool = False) -> None:
        """Begin to record; `muted`: not the calling thread, until it calls :meth:`unmute`.

        Raises RecorderError; nothing is installed then.
        """
        tool_id = claim_tool_id()
        installation = Installation(tool_id, _GLOBAL_EVENTS | _LOCAL_EVENTS)
        self._parts = (
            self._resolve,
            self._on_failure,
            self._on_sealed,
            _thread_name,
            sys.monitoring.set_local_events,
            sys.monitoring.DISABLE,
            tool_id,
            monitoring_mask(_LOCAL_EVENTS),
            self._adopt,
        )
        try:
            register_enabled_callbacks(tool_id, installation.interest, None, _never)
            errors: list[BaseException] = []
            if lib.ct_session_open(id(self._parts), id(errors)) != 0:
                error = errors[0] if errors else MemoryError()
                raise InternalError(
                    "ERR_UNKNOWN", f"the recorder cannot start: {error!r}"
                ) from error
            if muted:
                self.mute()
            sys.monitoring.restart_events()
            sys.monitoring.set_events(tool_id, monitoring_mask(_GLOBAL_EVENTS))
        except BaseException:
            installation.remove()
            lib.ct_session_close()
            raise
        self._installation = installation
        _watch_forks(self)

    def mute(self) -> None:
        """What the calling thread does from now on is the recorder's own business."""
        lib.ct_thread_mute(1)

    def unmute(self) -> None:
        """What the calling thread does from now on is the program's."""
        lib.ct_thread_mute(0)

    def uninstall(self) -> None:
        """Stop recording and seal the last chunk; does nothing the second time."""
        installation, self._installation = self._installation, None
        if installation is None:
            return
        installation.silence()
        self._stats = self._count()
        # This clears local events, before the tool id is given back: its next owner must not
        # get them.
        lib.ct_session_close()
        installation.remove()
        self._parts = ()
        _watch_forks(None)

    def stats(self) -> RecorderStats:
        """Counts up to now, or of the whole session when it is over."""
        return self._stats or self._count()

    def before_fork(self) -> None:
        """The process is about to fork."""
        self._writer.before_fork()

    def after_fork_in_parent(self) -> None:
        """The process has forked and this is the one that is recorded."""
        self._writer.after_fork()

    def after_fork_in_child(self) -> None:
        """The process has forked and this is the child, which is not recorded."""
        self.uninstall()
        self._writer.detach()

    def _count(self) -> RecorderStats:
        counts = ffi.new("ct_counts *")
        lib.ct_session_counts(counts)
        stats = RecorderStats(counts)
        self._coordinator.count(stats.scopes_skipped, stats.redacted, stats.dropped)
        return stats

    def _on_sealed(self) -> None:
        """The first chunk is full: from now on somebody has to write them."""
        self._writer.start_thread()

    def _on_failure(self, code: str) -> None:
        """Recording cannot go on. Called between two records, in the program's thread."""
        self._fail(EnvironmentError_(code, f"recording has stopped: {_REASONS[code]}"))

    def _resolve(
        self, code: CodeType, names: tuple[str, ...], kinds: bytes, module: str | None
    ) -> Plan | bool | EllipsisType | None:
        """What the coordinator says; a defect of ours or of a filter is not the program's."""
        try:
            return self._coordinator.resolve(code, names, kinds, module)
        except Exception as error:  # noqa: BLE001 - the policy decides what becomes of it
            lib.ct_session_suspend()
            self._fail(
                InternalError(
                    "ERR_UNKNOWN",
                    f"recording has stopped: a code object was not decided: {error!r}",
                )
            )
            return ...

    def _fail(self, failure: RecorderError) -> None:
        """Apply the error policy: raise `failure` in the program, or let the program run on."""
        self.failure = failure
        if self._installation is not None:
            self._installation.silence()
        if self._abort:
            raise failure


_recording: RuntimeTracer | None = None
_forks_are_watched = False


def _watch_forks(tracer: RuntimeTracer | None) -> None:
    """Make `tracer` the one that is told of forks; None for nobody."""
    global _recording, _forks_are_watched
    _recording = tracer
    if not _forks_are_watched:
        _forks_are_watched = True
        os.register_at_fork(
            before=_before_fork,
            after_in_parent=_after_fork_in_parent,
            after_in_child=_after_fork_in_child,
        )


def _before_fork() -> None:
    if _recording is not None:
        _recording.before_fork()


def _after_fork_in_parent() -> None:
    if _recording is not None:
        _recording.after_fork_in_parent()


def _after_fork_in_child() -> None:
    if _recording is not None:
        _recording.after_fork_in_child()


def _thread_name(ident: int) -> str:
    """The name of a running thread; made up for those that ``threading`` does not know."""
    threading = sys.modules.get("threading")
    thread = threading.__dict__["_active"].get(ident) if threading is not None else None
    if thread is None:
        return f"Thread-{ident}"
    name = object.__getattribute__(thread, "__dict__").get("_name")
    return name if type(name) is str else f"Thread-{ident}"


def _never(error: BaseException) -> None:
    """The native tracer raises nothing that is handled in Python."""
    raise error
