"""Which of the program's output and input is recorded, and switching that on and off."""

from __future__ import annotations

from codetracer_core._native import lib
from codetracer_core.errors import InternalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from codetracer_filter import IoConfig
    from codetracer_policy import IoCapturePolicy

__all__ = ["STREAMS", "IoCoordinator", "captured_streams"]

STREAMS: Final = ("stdout", "stderr", "stdin")
"""The streams that can be recorded, by their number in the journal."""


class IoCoordinator:
    """Lets the C part record what the program writes to its standard streams, and reads.

    The C part does so by replacing entries in the method tables of ``io`` and ``os``: no object of
    the program is touched or replaced. ``unwatched`` names what could not be hooked because this
    interpreter has it in another form, so that its output is missing in the trace.
    """

    def __init__(self, streams: Iterable[str] = (), *, hide_secrets: bool = True) -> None:
        """`streams` are some of ``STREAMS``; with none of them nothing is hooked.

        With `hide_secrets`, texts of values that a filter redacts are replaced in what is recorded.
        """
        self._hide_secrets = hide_secrets
        self._mask = sum(1 << STREAMS.index(stream) for stream in set(streams))
        self.unwatched: tuple[str, ...] = ()

    def install(self) -> None:
        """Begin to record. Raises InternalError; nothing is hooked then."""
        if not self._mask:
            return
        missing: list[str] = []
        errors: list[BaseException] = []
        if lib.ct_capture_open(self._mask, self._hide_secrets, id(missing), id(errors)) != 0:
            error = errors[0] if errors else MemoryError()
            message = f"the program's output cannot be recorded: {error!r}"
            raise InternalError("ERR_UNKNOWN", message) from error
        self.unwatched = tuple(missing)

    def uninstall(self) -> None:
        """Put every method back; does nothing the second time."""
        if self._mask:
            lib.ct_capture_close()


def captured_streams(policy: IoCapturePolicy, config: IoConfig | None) -> tuple[str, ...]:
    """The streams to record by the settings and by the ``[io]`` table of the filters, if any."""
    if not policy.line_proxies or (config is not None and not config.capture):
        return ()
    if config is None:
        return STREAMS
    return tuple(stream for stream in STREAMS if stream in config.streams)
