"""The table of events as the C part holds it, and their registration with ``sys.monitoring``."""

from __future__ import annotations

import sys

from codetracer_core._native import ffi, lib
from codetracer_core.errors import InternalError
from codetracer_core.monitoring.api import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codetracer_core.monitoring.api import Tracer

__all__ = [
    "CALLBACK_SPECS",
    "CallbackSpec",
    "handle_callback_error",
    "register_enabled_callbacks",
    "unregister_enabled_callbacks",
]


class CallbackSpec:
    """One event: its mask, its number in ``sys.monitoring``, and the method that receives it."""

    # A plain class: ``typing`` and ``dataclasses`` would cost every recording milliseconds.
    __slots__ = ("event", "is_native", "method", "monitoring_event", "row")

    def __init__(
        self, event: Event, monitoring_event: int, method: str, *, is_native: bool, row: int
    ) -> None:
        self.event = event
        self.monitoring_event = monitoring_event
        self.method = method
        self.is_native = is_native
        self.row = row


def _read_table() -> tuple[CallbackSpec, ...]:
    events = sys.monitoring.events
    specs = []
    for row in range(lib.ct_callback_rows()):
        name = ffi.string(lib.ct_callback_event(row)).decode()
        method = ffi.string(lib.ct_callback_method(row)).decode()
        native = bool(lib.ct_callback_is_native(row))
        number = getattr(events, name)
        specs.append(CallbackSpec(Event[name], number, method, is_native=native, row=row))
    return tuple(specs)


CALLBACK_SPECS: tuple[CallbackSpec, ...] = _read_table()


def register_enabled_callbacks(
    tool_id: int,
    interest: Event,
    tracer: Tracer,
    on_error: Callable[[BaseException], object] | None,
) -> None:
    """Register the callbacks of the events in `interest` for `tool_id`.

    A native tracer gets the events in C. An exception from a method of one in Python goes to
    `on_error`, whose result, or exception, takes the place of the method's.
    """
    is_native = getattr(tracer, "is_native", False)
    for spec in CALLBACK_SPECS:
        if not interest & spec.event:
            continue
        made: list[Callable[..., object]] = []
        handler = None if is_native else (getattr(tracer, spec.method), on_error)
        address = 0 if handler is None else id(handler)
        if lib.ct_callback_make(spec.row, address, id(made)) != 0:
            raise InternalError("ERR_UNKNOWN", f"no callback could be made for {spec.event.name}")
        sys.monitoring.register_callback(tool_id, spec.monitoring_event, made[0])


def unregister_enabled_callbacks(tool_id: int, interest: Event) -> None:
    """Take out what `register_enabled_callbacks` registered."""
    for spec in CALLBACK_SPECS:
        if interest & spec.event:
            sys.monitoring.register_callback(tool_id, spec.monitoring_event, None)


def monitoring_mask(interest: Event) -> int:
    """`interest` as a mask of ``sys.monitoring``.

    C_RETURN and C_RAISE come only together with CALL, which has then no callback of its own.
    """
    mask = 0
    for spec in CALLBACK_SPECS:
        if interest & spec.event:
            mask |= spec.monitoring_event
    if interest & (Event.C_RETURN | Event.C_RAISE):
        mask |= sys.monitoring.events.CALL
        # The two travel with CALL and are no events that can be set.
        mask &= ~(sys.monitoring.events.C_RETURN | sys.monitoring.events.C_RAISE)
    return mask


def handle_callback_error(
    error: BaseException, *, abort: bool, detach: Callable[[BaseException], None]
) -> None:
    """Apply the error policy to an exception of a tracer.

    With `abort`, or when the exception is not an error (``KeyboardInterrupt``), it is raised in the
    traced program at that point; otherwise `detach` is called and the program runs on.
    """
    if abort or not isinstance(error, Exception):
        raise error
    detach(error)
