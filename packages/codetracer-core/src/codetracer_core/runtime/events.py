"""The C part that turns events into records, seen from Python."""

from __future__ import annotations

import sys

from codetracer_core._native import ffi, lib
from codetracer_core.errors import InternalError, RecorderError
from codetracer_core.monitoring.api import BRANCHES, Event
from codetracer_core.monitoring.capabilities import DISABLE, HAS_MONITORING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, EllipsisType
    from typing import Any, Final, TypeAlias

    from codetracer_core.monitoring.callbacks import CallbackSpec
    from codetracer_core.runtime.filtering import Plan

    Resolver: TypeAlias = Callable[
        [CodeType, tuple[str, ...], bytes, str | None], Plan | bool | EllipsisType | None
    ]

__all__ = ["EVENTS", "HANDLER_EVENTS", "LOCAL_EVENTS", "EventPipeline", "RecorderStats"]

EVENTS: Final = (
    Event.PY_START
    | Event.PY_RESUME
    | Event.PY_THROW
    | Event.PY_UNWIND
    | Event.EXCEPTION_HANDLED
    | Event.LINE
    | Event.PY_RETURN
    | Event.PY_YIELD
    | BRANCHES
)
LOCAL_EVENTS: Final = Event.LINE | Event.PY_RETURN | Event.PY_YIELD
"""Switched on for each code object that is recorded, when it starts for the first time."""
HANDLER_EVENTS: Final = LOCAL_EVENTS | BRANCHES
"""Switched on for each code object when it handles an exception for the first time."""

_VALUE_KINDS: Final = ("argument", "local", "global", "return", "attribute")


class RecorderStats:
    """What a session has recorded so far, as the C part's ``ct_counts`` tells.

    ``bytes`` are those of records before compression. Of ``cuts`` values a part was left out,
    ``omitted`` ones were left out because their step had reached its limit, ``lost_frames`` are
    frames whose end was not seen, and the program waited ``stalls`` times and ``stall_ns`` in all
    for the journal. ``redacted`` and ``dropped`` count values by their kind. Of
    ``scopes_skipped``, ``scopes_synthetic`` are code in no file and ``scopes_unreadable`` code
    whose names are no plain texts. ``secrets_hidden`` counts places in output where a text of a
    redacted value was replaced, ``secrets_forgotten`` such texts that were given up for others.
    ``mirror_missed`` are bytes of mirrored descriptors that came too fast to be kept.
    """

    __slots__ = (
        "bytes",
        "calls",
        "chunks",
        "cuts",
        "dropped",
        "lost_frames",
        "mirror_missed",
        "omitted",
        "redacted",
        "returns",
        "scopes_skipped",
        "scopes_synthetic",
        "scopes_traced",
        "scopes_unreadable",
        "secrets_forgotten",
        "secrets_hidden",
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
        self.secrets_hidden: int = counts.secrets_hidden
        self.secrets_forgotten: int = counts.secrets_forgotten
        self.mirror_missed: int = counts.mirror_missed
        self.scopes_traced: int = counts.scopes_traced
        self.scopes_skipped: int = counts.scopes_skipped
        self.scopes_synthetic: int = counts.scopes_synthetic
        self.scopes_unreadable: int = counts.scopes_unreadable


class EventPipeline:
    """Turns events into records of the live chunk, while it is open. There is one in a process.

    Installed as a tracer it gets its events in C. A tracer written in Python hands them on with
    :meth:`pass_on` and can look at them, or leave some out.
    """

    interest = EVENTS
    is_native = True

    def __init__(self) -> None:
        self._parts: tuple[object, ...] = ()

    def open(
        self,
        tool_id: int,
        local_mask: int,
        handler_mask: int,
        *,
        resolve: Resolver,
        is_activation: Callable[[str], bool] | None,
        on_failure: Callable[[str, BaseException | None], None],
        on_sealed: Callable[[], None],
        on_wake: Callable[[], None],
        on_exit: Callable[[int], None],
        adopt_running: bool,
        asks_objects: bool = False,
    ) -> None:
        """Take events of `tool_id`, which switches on `local_mask` for code that is recorded.

        Code that has handled an exception gets `handler_mask`.

        `resolve` is asked once for each code object, `is_activation` once for each file when the
        session has an activation file. `on_failure` is called with a code when recording cannot go
        on, and with the exception that one of these functions has raised. `on_sealed` is called
        when a chunk is full that nobody writes. After :meth:`sleep`, `on_wake` is called before the
        next event that would be recorded. `on_exit` is called with the status when the program
        calls ``os._exit``, until :meth:`let_exit`. With `adopt_running` the frames that run
        already, of all threads, are entered. With `asks_objects` objects are asked for their repr,
        which is code of the program.

        Raises RecorderError; the pipeline has to be closed then, too.
        """
        monitoring = sys.monitoring if HAS_MONITORING else None
        self._parts = (
            resolve,
            on_failure,
            on_sealed,
            _thread_name,
            None if monitoring is None else monitoring.set_local_events,
            DISABLE,
            tool_id,
            local_mask,
            adopt_running,
            is_activation,
            None if monitoring is None else monitoring.restart_events,
            handler_mask,
            on_wake,
            on_exit,
            asks_objects,
        )
        errors: list[BaseException] = []
        if lib.ct_session_open(id(self._parts), id(errors)) != 0:
            error = errors[0] if errors else MemoryError()
            if isinstance(error, RecorderError):
                raise error
            raise InternalError("ERR_UNKNOWN", f"the recorder cannot start: {error!r}") from error

    def sleep(self) -> None:
        """In a forked child, where nothing is recorded: wait for an event that would be."""
        lib.ct_session_sleep()

    def close(self) -> str | None:
        """Take no more events, clear the local ones, and seal the last chunk.

        Returns the code of a failure that was not reported yet.
        """
        code = lib.ct_session_close()
        self._parts = ()
        return None if code == ffi.NULL else ffi.string(code).decode()

    def let_exit(self) -> None:
        """Let the program leave by ``os._exit`` without a word, which `close` does not."""
        lib.ct_leaving_close()

    def seal(self) -> int:
        """Seal what was recorded so far; return the number of the chunk, 0 when it is all over.

        Raises what the error policy or a signal handler of the program raises meanwhile.
        """
        sequence = ffi.new("uint64_t *")
        errors: list[BaseException] = []
        if lib.ct_session_seal(sequence, id(errors)) != 0:
            raise errors[0]
        number: int = sequence[0]
        return number

    def pass_on(self, spec: CallbackSpec, *arguments: object) -> object:
        """Handle the event of `spec`, in the thread and while the method that received it runs.

        `arguments` are those of ``sys.monitoring``; so is what is returned. Raises what the error
        policy raises in the program.
        """
        answers: list[object] = []
        if lib.ct_callback_forward(spec.row, id(arguments), id(answers)) != 0:
            error = answers[0] if answers else MemoryError()
            assert isinstance(error, BaseException)
            raise error
        return answers[0]

    def mute(self, *, muted: bool) -> None:
        """Record nothing of the calling thread, or record it again."""
        lib.ct_thread_mute(int(muted))

    def counts(self) -> RecorderStats:
        """The numbers of the session so far."""
        counts = ffi.new("ct_counts *")
        lib.ct_session_counts(counts)
        return RecorderStats(counts)


def _thread_name(ident: int) -> str:
    """The name of a running thread; made up for those that ``threading`` does not know."""
    threading = sys.modules.get("threading")
    thread = threading.__dict__["_active"].get(ident) if threading is not None else None
    if thread is None:
        return f"Thread-{ident}"
    name = object.__getattribute__(thread, "__dict__").get("_name")
    return name if type(name) is str else f"Thread-{ident}"
