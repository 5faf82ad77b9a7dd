"""Changes of a policy: which settings get which value, and where that was said.

A session that nothing was configured for never loads this module.
"""

from __future__ import annotations

from codetracer_policy._records import record
from codetracer_policy.model import FIELD_NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from codetracer_policy.model import OnRecorderError, PolicyOrigin, SaveSignal, ValueRepr

__all__ = ["PolicyLayer", "PolicyPath", "PolicySource", "PolicyUpdate", "restated"]


@record(frozen=True, slots=True)
class PolicyPath:
    """A path in an update, where "no path" must differ from "leave unchanged"."""

    value: str | None
    """The path as text; None clears the setting."""


@record(frozen=True, slots=True)
class PolicyUpdate:
    """A change of a policy. None leaves a setting as it is.

    The first ten fields have the names and the order of ``configure_policy``'s positional
    parameters.
    """

    on_recorder_error: OnRecorderError | None = None
    require_trace: bool | None = None
    keep_partial_trace: bool | None = None
    log_level: str | None = None
    """A level specification such as ``warn,codetracer_core::journal=debug``; blank clears it."""
    log_file: PolicyPath | None = None
    json_errors: bool | None = None
    io_capture_line_proxies: bool | None = None
    io_capture_fd_fallback: bool | None = None
    module_name_from_globals: bool | None = None
    propagate_script_exit: bool | None = None
    max_depth: int | None = None
    max_items: int | None = None
    max_text: int | None = None
    max_value: int | None = None
    max_step: int | None = None
    value_repr: ValueRepr | None = None
    redact_output: bool | None = None
    capture_logging: bool | None = None
    follow: bool | None = None
    max_size: int | None = None
    keep_last: str | None = None
    """Bytes, or seconds with an ``s`` behind them; blank keeps everything."""
    save_on: SaveSignal | None = None

    def given(self) -> dict[str, object]:
        """The settings that this update changes, by name, in declaration order."""
        values = ((name, getattr(self, name)) for name in FIELD_NAMES)
        return {name: value for name, value in values if value is not None}


@record(frozen=True, slots=True)
class PolicyLayer:
    """An update together with where it came from."""

    update: PolicyUpdate
    origin: PolicyOrigin


@record(frozen=True, slots=True)
class PolicySource:
    """Settings read from somewhere, as plain values by flat name, and the name of that place."""

    values: Mapping[str, object]
    detail: str
    """For people: the path of a file, the name of a flag."""


def restated(name: str, value: object) -> PolicyUpdate:
    """The update that gives setting ``name`` this stored ``value``, also when it is "none"."""
    restated: dict[str, Any] = {name: value}
    if name == "log_file":
        restated[name] = PolicyPath(value if isinstance(value, str) else None)
    elif name == "log_level":
        restated[name] = value or ""
    return PolicyUpdate(**restated)
