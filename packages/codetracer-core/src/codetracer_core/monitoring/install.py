"""Putting a tracer into the interpreter and taking it out again.

That is ``sys.monitoring``, or the function that each thread calls where there is none.
"""

from __future__ import annotations

import sys

from codetracer_core._native import lib
from codetracer_core.errors import UsageError
from codetracer_core.monitoring.api import Event
from codetracer_core.monitoring.callbacks import (
    CALLBACK_SPECS,
    handle_callback_error,
    make_callback,
    monitoring_mask,
    register_enabled_callbacks,
    unregister_enabled_callbacks,
)
from codetracer_core.monitoring.capabilities import (
    DISABLE,
    HAS_MONITORING,
    TOOL_IDS,
    require_supported,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codetracer_core.monitoring.api import Tracer

__all__ = ["Installation", "install_tracer", "uninstall_tracer"]

_NAME = "codetracer"


_UNTOLD = Event.CALL | Event.INSTRUCTION | Event.JUMP | Event.RERAISE
_UNTOLD |= Event.C_RETURN | Event.C_RAISE
"""The events that there are with ``sys.monitoring`` only."""


class Installation:
    """A tool id that is ours, and the tracer that gets its events."""

    def __init__(self, tool_id: int, interest: Event) -> None:
        self.tool_id = tool_id
        self.interest = interest
        self._installed = True

    @staticmethod
    def claim(interest: Event) -> Installation:
        """Reserve the first free tool id, for a tracer of the events in `interest`.

        Raises UsageError (``ERR_TRACER_INSTALL_CONFLICT``) when none is free.
        """
        require_supported()
        if not HAS_MONITORING:
            return _TraceFunction.claim_for(interest)
        for tool_id in TOOL_IDS:
            if sys.monitoring.get_tool(tool_id) is None:
                sys.monitoring.use_tool_id(tool_id, _NAME)
                return Installation(tool_id, interest)
        owners = ", ".join(f"{tool_id}: {sys.monitoring.get_tool(tool_id)}" for tool_id in TOOL_IDS)
        raise UsageError(
            "ERR_TRACER_INSTALL_CONFLICT",
            f"no tool id of sys.monitoring is free ({owners}); stop one of these tools first",
        )

    def start(
        self,
        tracer: Tracer,
        on_error: Callable[[BaseException], object] | None = None,
        *,
        local: Event | None = None,
    ) -> None:
        """Deliver events to `tracer`, but for those of `local`, which it switches on itself.

        An exception of a tracer in Python goes to `on_error`.
        """
        register_enabled_callbacks(self.tool_id, self.interest, tracer, on_error)
        # Places that an earlier tracer disabled are live again.
        sys.monitoring.restart_events()
        everywhere = self.interest if local is None else self.interest & ~local
        sys.monitoring.set_events(self.tool_id, monitoring_mask(everywhere))

    def silence(self) -> None:
        """Let no more events come, but for those of single code objects."""
        if self._is_ours():
            sys.monitoring.set_events(self.tool_id, 0)

    def remove(self) -> None:
        """Take the tracer out and give the tool id back; does nothing the second time."""
        if not self._installed:
            return
        self._installed = False
        if not self._is_ours():
            return
        self.silence()
        unregister_enabled_callbacks(self.tool_id, self.interest)
        sys.monitoring.free_tool_id(self.tool_id)

    @property
    def is_lost(self) -> bool:
        """Whether the program has taken the tool id away, and with it all events."""
        return self._installed and not self._is_ours()

    def _is_ours(self) -> bool:
        """Whether the program has left us the tool id."""
        return sys.monitoring.get_tool(self.tool_id) == _NAME


class _TraceFunction(Installation):
    """The function that each thread calls for its events, as ``sys.settrace`` sets one.

    There is one for ours and one for the program's own. ``DISABLE`` counts for the lines of a frame
    that starts or goes on, and branches come where exceptions are handled only.
    """

    _owner: _TraceFunction | None = None

    @classmethod
    def claim_for(cls, interest: Event) -> _TraceFunction:
        """Reserve it for a tracer of the events in `interest`.

        Raises UsageError when there is a tracer (``ERR_TRACER_INSTALL_CONFLICT``), and for events
        that this interpreter does not tell (``ERR_INVALID_ARGUMENT``).
        """
        if interest & _UNTOLD:
            names = ", ".join(event.name or "" for event in interest & _UNTOLD)
            raise UsageError(
                "ERR_INVALID_ARGUMENT",
                f"this interpreter has no sys.monitoring, which {names} needs; use CPython 3.12",
            )
        if _TraceFunction._owner is not None:
            raise UsageError(
                "ERR_TRACER_INSTALL_CONFLICT",
                "another tracer of the recorder is installed; take it out first",
            )
        _TraceFunction._owner = claimed = cls(0, interest)
        return claimed

    def start(
        self,
        tracer: Tracer,
        on_error: Callable[[BaseException], object] | None = None,
        *,
        local: Event | None = None,
    ) -> None:
        """Deliver events to `tracer`, also those of `local`: all code gives them."""
        del local
        if getattr(tracer, "is_native", False):
            lib.ct_settrace_start(0, id(DISABLE))
            return
        self._handlers = [
            make_callback(spec, tracer, on_error) if self.interest & spec.event else None
            for spec in CALLBACK_SPECS
        ]
        lib.ct_settrace_start(id(self._handlers), id(DISABLE))

    def silence(self) -> None:
        """Let no more events come."""
        lib.ct_settrace_stop()

    def remove(self) -> None:
        """Take the tracer out; does nothing the second time."""
        if self._is_ours():
            _TraceFunction._owner = None
            self.silence()

    def _is_ours(self) -> bool:
        """Whether nobody has taken it out."""
        return _TraceFunction._owner is self


def install_tracer(
    tracer: Tracer,
    *,
    abort_on_error: bool = False,
    on_detach: Callable[[BaseException], None] | None = None,
) -> Installation:
    """Deliver the events of ``tracer.interest`` to a tracer.

    At an exception of the tracer it is taken out and `on_detach` is called with the exception. With
    `abort_on_error` that is then raised in the traced program, otherwise the program runs on.
    Raises UsageError when no tool id is free.
    """
    installation = Installation.claim(tracer.interest)

    def detach(error: BaseException) -> None:
        installation.remove()
        if on_detach is not None:
            on_detach(error)

    def on_error(error: BaseException) -> None:
        handle_callback_error(error, abort=abort_on_error, detach=detach)

    try:
        installation.start(tracer, on_error)
    except BaseException:
        installation.remove()
        raise
    return installation


def uninstall_tracer(installation: Installation) -> None:
    """Take out what `install_tracer` put in."""
    installation.remove()
