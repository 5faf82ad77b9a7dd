"""The settings of a recording session: typed, layered, and each with the place it came from.

The names below are loaded when they are first used: importing this package costs the recorded
program nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codetracer_policy.api import (
        apply_policy_update,
        configure_policy,
        configure_policy_from_env,
        current_policy,
        policy_snapshot,
        reset_policy,
        resolve_policy,
    )
    from codetracer_policy.env import (
        VARIABLES,
        Variable,
        parse_bool,
        parse_capture_io,
        read_environment,
    )
    from codetracer_policy.errors import (
        ERR_INVALID_POLICY_VALUE,
        ERR_UNKNOWN_POLICY_KEY,
        PolicyError,
        PolicyProblem,
        PolicyTypeError,
        PolicyValueError,
    )
    from codetracer_policy.listing import (
        ListedSetting,
        list_settings,
        settings_table,
        variables_table,
    )
    from codetracer_policy.model import (
        CaptureLimits,
        IoCapturePolicy,
        OnRecorderError,
        OriginKind,
        PolicyOrigin,
        RecorderPolicy,
        SaveSignal,
        ValueRepr,
    )
    from codetracer_policy.update import PolicyLayer, PolicyPath, PolicySource, PolicyUpdate

__all__ = [
    "ERR_INVALID_POLICY_VALUE",
    "ERR_UNKNOWN_POLICY_KEY",
    "VARIABLES",
    "CaptureLimits",
    "IoCapturePolicy",
    "ListedSetting",
    "OnRecorderError",
    "OriginKind",
    "PolicyError",
    "PolicyLayer",
    "PolicyOrigin",
    "PolicyPath",
    "PolicyProblem",
    "PolicySource",
    "PolicyTypeError",
    "PolicyUpdate",
    "PolicyValueError",
    "RecorderPolicy",
    "SaveSignal",
    "ValueRepr",
    "Variable",
    "apply_policy_update",
    "configure_policy",
    "configure_policy_from_env",
    "current_policy",
    "list_settings",
    "parse_bool",
    "parse_capture_io",
    "policy_snapshot",
    "read_environment",
    "reset_policy",
    "resolve_policy",
    "settings_table",
    "variables_table",
]

_HOMES: dict[str, tuple[str, ...]] = {
    "api": (
        "apply_policy_update",
        "configure_policy",
        "configure_policy_from_env",
        "current_policy",
        "policy_snapshot",
        "reset_policy",
        "resolve_policy",
    ),
    "env": (
        "VARIABLES",
        "Variable",
        "parse_bool",
        "parse_capture_io",
        "read_environment",
    ),
    "errors": (
        "ERR_INVALID_POLICY_VALUE",
        "ERR_UNKNOWN_POLICY_KEY",
        "PolicyError",
        "PolicyProblem",
        "PolicyTypeError",
        "PolicyValueError",
    ),
    "listing": (
        "ListedSetting",
        "list_settings",
        "settings_table",
        "variables_table",
    ),
    "model": (
        "CaptureLimits",
        "IoCapturePolicy",
        "OnRecorderError",
        "OriginKind",
        "PolicyOrigin",
        "RecorderPolicy",
        "SaveSignal",
        "ValueRepr",
    ),
    "update": (
        "PolicyLayer",
        "PolicyPath",
        "PolicySource",
        "PolicyUpdate",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
