"""The settings of this process: those of codetracer_policy, with core's errors."""

from __future__ import annotations

import codetracer_policy
from codetracer_core.session.errors import as_recorder_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["configure_policy", "configure_policy_from_env", "policy_snapshot"]


def configure_policy(*values: Any, **settings: Any) -> None:
    """Change settings for all later sessions of this process; None leaves one as it is.

    The arguments are those of :func:`codetracer_policy.configure_policy`. All or nothing: raises
    UsageError, which is a TypeError for an unknown setting or a wrong type and a ValueError for a
    wrong value, and changes nothing then.
    """
    try:
        codetracer_policy.configure_policy(*values, **settings)
    except codetracer_policy.PolicyError as error:
        raise as_recorder_error(error) from error


def configure_policy_from_env(environ: Mapping[str, str] | None = None) -> None:
    """Take the settings of this process from `environ`, ``os.environ`` unless given.

    Raises UsageError with every invalid variable, and changes nothing then.
    """
    try:
        codetracer_policy.configure_policy_from_env(environ)
    except codetracer_policy.PolicyError as error:
        raise as_recorder_error(error) from error


def policy_snapshot() -> dict[str, object]:
    """The settings of this process as plain values; what sessions get besides is not in it."""
    return codetracer_policy.policy_snapshot()
