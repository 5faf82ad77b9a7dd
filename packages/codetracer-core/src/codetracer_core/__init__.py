"""Records a running Python program, every line with its variables, for a debugger to open.

The names below are loaded when they are first used: importing this package costs the recorded
program next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codetracer_core.api import TraceSession, flush, is_tracing, save, start, stop, trace
    from codetracer_core.errors import (
        EnvironmentError,
        InternalError,
        RecorderError,
        TargetError,
        TraceError,
        UsageError,
    )
    from codetracer_core.policy import (
        configure_policy,
        configure_policy_from_env,
        policy_snapshot,
    )

__all__ = [
    "EnvironmentError",
    "InternalError",
    "RecorderError",
    "TargetError",
    "TraceError",
    "TraceSession",
    "UsageError",
    "configure_policy",
    "configure_policy_from_env",
    "flush",
    "is_tracing",
    "policy_snapshot",
    "save",
    "start",
    "stop",
    "trace",
]

__version__ = "0.1.0"

_HOMES = {
    **dict.fromkeys(
        ("TraceSession", "flush", "is_tracing", "save", "start", "stop", "trace"), "api"
    ),
    **dict.fromkeys(("configure_policy", "configure_policy_from_env", "policy_snapshot"), "policy"),
}
"""The modules of the names that are not errors."""


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    from codetracer_core.monitoring.capabilities import Interpreter, refusal

    reason = refusal(Interpreter.running())
    if reason is not None:
        raise ImportError(f"[ERR_UNSUPPORTED_INTERPRETER] {reason}", name=__name__)
    home = _HOMES.get(name, "errors")
    value: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
