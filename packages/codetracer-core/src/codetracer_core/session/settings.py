"""Settings that a policy can express and this recorder cannot honour."""

from __future__ import annotations

from codetracer_core.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codetracer_policy import RecorderPolicy

__all__ = ["refuse_unsupported"]

_SUPPORTED: dict[str, tuple[object, str]] = {
    "value_repr": ("fields", "fields"),
}
"""The one value that works, which is the default, and its spelling, by the setting's flat name."""


def refuse_unsupported(policy: RecorderPolicy) -> None:
    """Raise UsageError when `policy` asks for what would silently not happen."""
    values = policy.values()
    refused = [name for name, (supported, _) in _SUPPORTED.items() if values[name] != supported]
    if not refused:
        return
    listed = "; ".join(
        f"{name} is {_spelt(values[name])} by {policy.origin(name)},"
        f" remove it or set it to {_SUPPORTED[name][1]}"
        for name in refused
    )
    raise UsageError(
        "ERR_UNSUPPORTED_SETTING",
        f"this version of the recorder does not support a setting: {listed}",
        settings=" ".join(refused),
    )


def _spelt(value: object) -> str:
    """`value` as configuration files and variables spell it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)
