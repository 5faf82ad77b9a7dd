"""The recorder's policy as frozen data, and the pure function that applies a change to it."""

from __future__ import annotations

from enum import Enum, StrEnum

from codetracer_policy._records import field, record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from codetracer_policy.errors import PolicyProblem
    from codetracer_policy.update import PolicyLayer, PolicyUpdate

__all__ = [
    "CONFIGURED_ORIGIN",
    "DEFAULT_ORIGIN",
    "FIELD_NAMES",
    "LIMIT_BOUNDS",
    "CaptureLimits",
    "IoCapturePolicy",
    "OnRecorderError",
    "OriginKind",
    "PolicyOrigin",
    "RecorderPolicy",
    "SaveSignal",
    "ValueRepr",
]

LIMIT_BOUNDS: dict[str, tuple[int, int]] = {
    "max_depth": (0, 30),
    "max_items": (0, 100_000),
    "max_text": (0, 64 * 1024),
    "max_value": (64, 256 * 1024),
    "max_step": (1024, 1024 * 1024),
}
"""Smallest and largest value of each limit.

The lower bounds of the byte limits leave room for the marker that says that something was cut; the
upper ones keep one step within what the recorder's ring of buffers can be sized for.
"""


class OnRecorderError(StrEnum):
    """What happens to the program when the recorder itself fails."""

    DISABLE = "disable"
    """Stop recording, keep what there is, let the program run on."""
    ABORT = "abort"
    """Raise the recorder's error in the program at that point."""


class ValueRepr(StrEnum):
    """How an object that is not of a builtin type is recorded."""

    FIELDS = "fields"
    """Its stored fields, read without running any code of the program."""
    CALL = "call"
    """The text of its own ``__repr__``, which runs the program's code inside the recorder."""


class SaveSignal(StrEnum):
    """The signal at which a running session writes a copy of its trace."""

    NONE = "none"
    HUP = "hup"
    QUIT = "quit"
    USR1 = "usr1"
    USR2 = "usr2"


class OriginKind(StrEnum):
    """The sources of a setting, weakest first."""

    DEFAULT = "default"
    FILE = "file"
    CONFIGURED = "configured"
    ENVIRONMENT = "environment"
    OVERRIDE = "override"


@record(frozen=True, slots=True)
class PolicyOrigin:
    """Where the value of a setting came from."""

    kind: OriginKind
    detail: str = ""
    """What exactly: the variable, the file, the command-line flag. May be empty."""

    def __str__(self) -> str:
        return f"{self.kind.value} {self.detail}".rstrip()


DEFAULT_ORIGIN = PolicyOrigin(OriginKind.DEFAULT)
CONFIGURED_ORIGIN = PolicyOrigin(OriginKind.CONFIGURED)


@record(frozen=True, slots=True)
class CaptureLimits:
    """How much of a value is recorded. What goes beyond is cut and marked as cut."""

    max_depth: int = 6
    """Levels of containers inside containers."""
    max_items: int = 100
    """Items of one container."""
    max_text: int = 1024
    """Characters of a text, bytes of a bytes object."""
    max_value: int = 16 * 1024
    """Bytes of one variable's value as it stands in the trace."""
    max_step: int = 256 * 1024
    """Bytes of all values of one step."""

    def __post_init__(self) -> None:
        problems = [
            limit_problem(name, getattr(self, name), "argument")
            for name, (lowest, highest) in LIMIT_BOUNDS.items()
            if not lowest <= getattr(self, name) <= highest
        ]
        if problems:
            from codetracer_policy.errors import PolicyValueError

            raise PolicyValueError(problems)


def limit_problem(name: str, value: int, place: str) -> PolicyProblem:
    """Say that ``value`` is outside the bounds of limit ``name``."""
    from codetracer_policy.errors import PolicyProblem

    lowest, highest = LIMIT_BOUNDS[name]
    # Python refuses to write numbers of thousands of digits.
    shown = str(value) if value.bit_length() <= 64 else "a number of that size"
    return PolicyProblem(
        name, place, f"{shown} is out of range", f"use a number from {lowest} to {highest}"
    )


@record(frozen=True, slots=True)
class IoCapturePolicy:
    """Which output and input of the program is recorded."""

    line_proxies: bool = True
    """Capture through ``sys.stdout``, ``sys.stderr`` and ``sys.stdin``."""
    fd_fallback: bool = False
    """Also mirror the descriptors 1 and 2, for output past Python; needs ``line_proxies``."""


FIELD_NAMES = (
    "on_recorder_error",
    "require_trace",
    "keep_partial_trace",
    "log_level",
    "log_file",
    "json_errors",
    "io_capture_line_proxies",
    "io_capture_fd_fallback",
    "module_name_from_globals",
    "propagate_script_exit",
    *LIMIT_BOUNDS,
    "value_repr",
    "redact_output",
    "capture_logging",
    "follow",
    "max_size",
    "keep_last",
    "save_on",
)
"""The flat names of all settings: keyword arguments, keys of mappings, names in messages."""

_IO_FIELDS = {"io_capture_line_proxies": "line_proxies", "io_capture_fd_fallback": "fd_fallback"}
_LIMIT_FIELDS = {name: name for name in LIMIT_BOUNDS}


@record(frozen=True, slots=True)
class RecorderPolicy:
    """Everything a session has to know about how it shall behave."""

    on_recorder_error: OnRecorderError = OnRecorderError.DISABLE
    require_trace: bool = False
    """A session that recorded no event is a failure."""
    keep_partial_trace: bool = True
    """A trace that a recorder failure cut short is finalised; otherwise its files are removed."""
    log_level: str | None = None
    log_file: str | None = None
    json_errors: bool = False
    """Each failure writes one line of JSON to the real standard error."""
    io_capture: IoCapturePolicy = IoCapturePolicy()
    module_name_from_globals: bool = True
    """Name modules by the ``__name__`` in their globals."""
    propagate_script_exit: bool = True
    """The command line exits with the program's status."""
    limits: CaptureLimits = CaptureLimits()
    value_repr: ValueRepr = ValueRepr.FIELDS
    redact_output: bool = True
    """Texts of redacted values are replaced in recorded output."""
    capture_logging: bool = False
    """Records of the module ``logging`` are events of their own."""
    follow: bool = True
    """Child processes that run Python are recorded, too."""
    max_size: int = 0
    """Bytes of the journal at which recording ends, or with ``keep_last`` what is kept at most; 0
    for any size."""
    keep_last: str = ""
    """How much of the end is kept: bytes, or seconds with an ``s`` behind them; blank for all."""
    save_on: SaveSignal = SaveSignal.NONE
    origins: tuple[tuple[str, PolicyOrigin], ...] = field(default=(), compare=False, repr=False)
    """The origin of each setting that is not a default, by flat name; see ``origin``."""

    def apply(
        self, update: PolicyUpdate, *, origin: PolicyOrigin = CONFIGURED_ORIGIN
    ) -> RecorderPolicy:
        """This policy with ``update`` applied; the settings it names have ``origin`` from then on.

        Mirroring descriptors needs the proxies: without them ``fd_fallback`` is false whatever was
        asked, and does not come back when the proxies do.

        Raises PolicyValueError when a limit is out of bounds.
        """
        given = update.given()
        io_capture = replace(self.io_capture, **_group(given, _IO_FIELDS))
        if io_capture.fd_fallback and not io_capture.line_proxies:
            io_capture = replace(io_capture, fd_fallback=False)
            given["io_capture_fd_fallback"] = False
        limits = replace(self.limits, **_group(given, _LIMIT_FIELDS))
        own = {
            name: value
            for name, value in given.items()
            if name not in _IO_FIELDS and name not in _LIMIT_FIELDS
        }
        if update.log_level is not None:
            own["log_level"] = update.log_level.strip() or None
        if update.log_file is not None:
            own["log_file"] = update.log_file.value
        origins = dict(self.origins) | dict.fromkeys(given, origin)
        changes: dict[str, Any] = {
            **own,
            "io_capture": io_capture,
            "limits": limits,
            "origins": tuple(origins.items()),
        }
        return replace(self, **changes)

    @property
    def keep_last_bytes(self) -> int | None:
        """Bytes of the journal that are kept, None when they are not what is counted."""
        return int(self.keep_last) if self.keep_last.isdigit() else None

    @property
    def keep_last_seconds(self) -> int | None:
        """Seconds before the end that are kept, None when they are not what is counted."""
        return int(self.keep_last[:-1]) if self.keep_last.endswith("s") else None

    def origin(self, name: str) -> PolicyOrigin:
        """Where the value of the setting with the flat name ``name`` came from.

        Raises KeyError when there is no such setting.
        """
        if name not in FIELD_NAMES:
            raise KeyError(name)
        return dict(self.origins).get(name, DEFAULT_ORIGIN)

    def value(self, name: str) -> object:
        """The setting with the flat name ``name``, as it is stored.

        Raises KeyError when there is no such setting.
        """
        if name in _IO_FIELDS:
            return getattr(self.io_capture, _IO_FIELDS[name])
        if name in _LIMIT_FIELDS:
            return getattr(self.limits, name)
        if name in FIELD_NAMES:
            return getattr(self, name)
        raise KeyError(name)

    def values(self) -> dict[str, object]:
        """Every setting by its flat name, enumerations as their text: what JSON can hold."""
        stored = {name: self.value(name) for name in FIELD_NAMES}
        return {
            name: value.value if isinstance(value, Enum) else value
            for name, value in stored.items()
        }

    def layers(self) -> tuple[PolicyLayer, ...]:
        """One layer for each setting that something has set, to be put over another policy."""
        if not self.origins:
            return ()
        from codetracer_policy.update import PolicyLayer, restated

        by_name = dict(self.origins)
        return tuple(
            PolicyLayer(restated(name, self.value(name)), by_name[name])
            for name in FIELD_NAMES
            if name in by_name
        )


def _group(given: dict[str, object], names: dict[str, str]) -> dict[str, Any]:
    """The settings of one nested group, under the names that the group gives them."""
    return {own: given[flat] for flat, own in names.items() if flat in given}
