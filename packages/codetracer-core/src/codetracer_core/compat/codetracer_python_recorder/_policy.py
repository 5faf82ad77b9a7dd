"""The policy of this process as this package's callers know it: ten settings, other defaults.

It is kept apart from the policy of codetracer-core, so that importing this package changes nothing
for sessions that are started through the other.
"""

from __future__ import annotations

import os

import codetracer_policy
from codetracer_core.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SETTINGS", "change", "change_from_env", "session_settings", "snapshot"]

_DEFAULTS: dict[str, object] = {
    "on_recorder_error": "abort",
    "require_trace": False,
    "keep_partial_trace": False,
    "log_level": "",
    "log_file": "",
    "json_errors": False,
    "io_capture_line_proxies": True,
    "io_capture_fd_fallback": False,
    "module_name_from_globals": True,
    "propagate_script_exit": False,
}
"""A blank text stands for none."""

SETTINGS = tuple(_DEFAULTS)
"""The names of the settings in the order of ``configure_policy``."""

_settings = dict(_DEFAULTS)


class PolicyArgumentError(UsageError, TypeError):
    """There is no such setting, or its value has the wrong type."""


def change(given: Mapping[str, object]) -> None:
    """Set what `given` names and is not None: all of it, or nothing when one is wrong.

    Raises UsageError; for an unknown name and a wrong type it is a TypeError, too.
    """
    global _settings
    unknown = sorted(set(given) - set(_DEFAULTS))
    if unknown:
        raise PolicyArgumentError(
            "ERR_UNKNOWN_POLICY_KEY",
            f"there is no setting {unknown[0]!r}: use one of {', '.join(_DEFAULTS)}",
            settings=" ".join(unknown),
        )
    wanted = {name: value for name, value in given.items() if value is not None}
    try:
        policy = codetracer_policy.resolve_policy(environ={}, overrides={**_settings, **wanted})
    except codetracer_policy.PolicyTypeError as error:
        raise PolicyArgumentError(error.code, error.message, **error.context) from error
    except codetracer_policy.PolicyError as error:
        raise UsageError(error.code, error.message, **error.context) from error
    values = policy.values()
    _settings = {name: "" if values[name] is None else values[name] for name in _DEFAULTS}


def change_from_env() -> None:
    """Set what the environment says. Raises UsageError with every variable that is wrong."""
    change(_from_env(own=True))


def snapshot() -> dict[str, object]:
    """The settings as plain values, those of the capture of output in a dictionary of their own."""
    values = {name: None if value == "" else value for name, value in _settings.items()}
    line_proxies = values.pop("io_capture_line_proxies")
    fd_fallback = values.pop("io_capture_fd_fallback")
    return {**values, "io_capture": {"line_proxies": line_proxies, "fd_fallback": fd_fallback}}


def session_settings() -> dict[str, object]:
    """What a session that starts now is given: these settings, and the environment's limits.

    Raises UsageError for a variable that is wrong.
    """
    settings = {**_settings, **_from_env(own=False)}
    # The exit status is the business of the command line.
    del settings["propagate_script_exit"]
    if settings["io_capture_fd_fallback"]:
        settings["io_capture_fd_fallback"] = _can_mirror()
    return settings


def _can_mirror() -> bool:
    """Whether standard output and error can be mirrored; the log tells why when they cannot."""
    from codetracer_core.runtime.descriptors import DESCRIPTORS, refuse_obstacles

    try:
        refuse_obstacles(DESCRIPTORS)
    except UsageError as error:
        from codetracer_log import recorder_logger

        recorder_logger().warn(
            f"proxies+fd works as proxies: {error.message}",
            target="codetracer_core::compat",
            error_code=error.code,
        )
        return False
    return True


def _from_env(*, own: bool) -> dict[str, object]:
    """What the variables of these settings (`own`), or those of all others, say."""
    environ = {
        variable.name: os.environ[variable.name]
        for variable in codetracer_policy.VARIABLES
        if variable.name in os.environ and (variable.fields[0] in _DEFAULTS) == own
    }
    given: dict[str, object] = {}
    try:
        for layer in codetracer_policy.read_environment(environ):
            given |= layer.update.given()
    except codetracer_policy.PolicyError as error:
        raise UsageError(error.code, error.message, **error.context) from error
    if isinstance(path := given.get("log_file"), codetracer_policy.PolicyPath):
        given["log_file"] = path.value or ""
    return given
