"""Which of the program's output and input is recorded, and switching that on and off."""

from __future__ import annotations

from codetracer_core._native import lib
from codetracer_core.errors import InternalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Final

    from codetracer_core.runtime.descriptors import DescriptorMirror, Identity
    from codetracer_filter import IoConfig
    from codetracer_policy import IoCapturePolicy

__all__ = ["STREAMS", "IoCoordinator", "captured_streams", "is_captured"]

STREAMS: Final = ("stdout", "stderr", "stdin")
"""The streams that can be recorded, by their number in the journal."""


class IoCoordinator:
    """Lets the C part record what the program writes to its standard streams, and reads.

    The C part does so by replacing entries in the method tables of ``io`` and ``os``: no object of
    the program is touched or replaced. ``unwatched`` names what could not be hooked because this
    interpreter has it in another form, so that its output is missing in the trace.
    """

    def __init__(
        self,
        streams: Iterable[str] = (),
        *,
        mirror: bool = False,
        insists: bool = True,
        logging: bool = False,
        hide_secrets: bool = True,
    ) -> None:
        """`streams` are some of ``STREAMS``; with none of them nothing is hooked.

        With `mirror`, what reaches their descriptors in other ways is recorded, too, and if it
        `insists`, they all have to be of a kind that allows it. With `logging`, so are the records
        of the module of that name. With `hide_secrets`, texts of values that a filter redacts are
        replaced in what is recorded.
        """
        self._hide_secrets = hide_secrets
        self._logging = logging
        self._streams = frozenset(streams)
        self._mask = sum(1 << STREAMS.index(stream) for stream in self._streams)
        self._wants_mirror = mirror and bool(self._streams - {"stdin"})
        self._insists = insists
        self._mirror: DescriptorMirror | None = None
        self.unwatched: tuple[str, ...] = ()

    def install(self) -> None:
        """Begin to record. Raises RecorderError; nothing is hooked then."""
        if not self._mask and not self._logging:
            return
        missing: list[str] = []
        errors: list[BaseException] = []
        options = self._mask, self._hide_secrets, self._logging
        if lib.ct_capture_open(*options, id(missing), id(errors)) != 0:
            error = errors[0] if errors else MemoryError()
            message = f"the program's output cannot be recorded: {error!r}"
            raise InternalError("ERR_UNKNOWN", message) from error
        self.unwatched = tuple(missing)
        if self._wants_mirror:
            self._install_mirror()

    def _install_mirror(self) -> None:
        from codetracer_core.runtime.descriptors import DescriptorMirror

        mirror = DescriptorMirror()
        try:
            mirror.open(self._streams - {"stdin"}, insists=self._insists)
        except BaseException:
            lib.ct_capture_close()
            raise
        self._mirror = mirror

    def uninstall(self) -> None:
        """Put every descriptor and method back; does nothing the second time."""
        if self._mirror is not None:
            self._mirror.close()
        if self._mask or self._logging:
            lib.ct_capture_close()

    @property
    def mirrored(self) -> Collection[Identity]:
        """The files that are mirrored, by this process or those that it descends from."""
        return () if self._mirror is None else self._mirror.files

    def before_fork(self) -> None:
        """The process is about to fork."""
        if self._mirror is not None:
            self._mirror.pause()

    def after_fork_in_parent(self) -> None:
        """The process has forked and this is the one that is recorded."""
        if self._mirror is not None:
            self._mirror.resume()

    def after_fork_in_child(self) -> None:
        """The process has forked and this is the child, whose output its parent may record."""
        if self._mirror is not None:
            self._mirror.leave()


def is_captured(config: IoConfig | None) -> bool:
    """Whether the ``[io]`` table of the filters, if any, lets anything be captured."""
    return config is None or config.capture


def captured_streams(policy: IoCapturePolicy, config: IoConfig | None) -> tuple[str, ...]:
    """The streams to record by the settings and by the ``[io]`` table of the filters, if any."""
    if not policy.line_proxies or not is_captured(config):
        return ()
    if config is None:
        return STREAMS
    return tuple(stream for stream in STREAMS if stream in config.streams)
