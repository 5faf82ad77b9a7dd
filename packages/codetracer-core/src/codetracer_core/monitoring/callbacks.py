"""The table of events as the C part holds it, and what is called for each of them."""

from __future__ import annotations

import sys

from codetracer_core._native import ffi, lib
from codetracer_core.errors import InternalError
from codetracer_core.monitoring.api import Event
from codetracer_core.monitoring.capabilities import HAS_MONITORING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codetracer_core.monitoring.api import Tracer

__all__ = [
    "CALLBACK_SPECS",
    "CallbackSpec",
    "handle_callback_error",
    "make_callback",
    "monitoring_mask",
    "register_enabled_callbacks",
    "unregister_enabled_callbacks",
]


class CallbackSpec:
    """One event: its mask, its number in ``sys.monitoring``, and the method that receives it.

    Without ``sys.monitoring`` the number is the mask.
    """

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
    events = sys.monitoring.events if HAS_MONITORING else Event
    specs = []
    for row in range(lib.ct_callback_rows()):
        name = ffi.string(lib.ct_callback_event(row)).decode()
        method = ffi.string(lib.ct_callback_method(row)).decode()
        native = bool(lib.ct_callback_is_native(row))
        number = int(getattr(events, name))
        specs.append(CallbackSpec(Event[name], number, method, is_native=native, row=row))
    return tuple(specs)


CALLBACK_SPECS: tuple[CallbackSpec, ...] = _read_table()


def make_callback(
    spec: CallbackSpec, tracer: Tracer, on_error: Callable[[BaseException], object] | None
) -> Callable[..., object]:
    """The function that receives the event of `spec` for `tracer`.

    A native tracer gets the events in C. An exception from a method of one in Python goes to
    `on_error`, whose result, or exception, takes the place of the method's.
    """
    made: list[Callable[..., object]] = []
    is_native = getattr(tracer, "is_native", False)
    handler = None if is_native else (getattr(tracer, spec.method), on_error)
    address = 0 if handler is None else id(handler)
    if lib.ct_callback_make(spec.row, address, id(made)) != 0:
        raise InternalError("ERR_UNKNOWN", f"no callback could be made for {spec.event.name}")
    return made[0]


def register_enabled_callbacks(
    tool_id: int,
    interest: Event,
    tracer: Tracer,
    on_error: Callable[[BaseException], object] | None,
) -> None:
    """Register the callbacks of the events in `interest` for `tool_id`."""
    for spec in CALLBACK_SPECS:
        if interest & spec.event:
            callback = make_callback(spec, tracer, on_error)
            sys.monitoring.register_callback(tool_id, spec.monitoring_event, callback)


def unregister_enabled_callbacks(tool_id: int, interest: Event) -> None:
    """Take out what `register_enabled_callbacks` registered."""
    for spec in CALLBACK_SPECS:
        if interest & spec.event:
            sys.monitoring.register_callback(tool_id, spec.monitoring_event, None)


def monitoring_mask(interest: Event) -> int:
    """`interest` as a mask of ``sys.monitoring``.

    C_RETURN and C_RAISE come only together with CALL, which has then no callback of its own.
    """
    travelling = Event.C_RETURN | Event.C_RAISE
    wanted = interest & ~travelling
    if interest & travelling:
        wanted |= Event.CALL
    mask = 0
    for spec in CALLBACK_SPECS:
        if wanted & spec.event:
            mask |= spec.monitoring_event
    return mask


def handle_callback_error(
    error: BaseException, *, abort: bool, detach: Callable[[BaseException], None]
) -> None:
    """Apply the error policy to an exception of a tracer.

    What is not an error (``KeyboardInterrupt``) is raised in the traced program at that point. For
    an error `detach` is called, which takes the tracer out; with `abort` it is then raised there,
    too, otherwise the program runs on.
    """
    if not isinstance(error, Exception):
        raise error
    detach(error)
    if abort:
        raise error
