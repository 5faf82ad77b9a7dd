"""The policy of this process, and the policy of one session made from it and every other source."""

from __future__ import annotations

import os
from _thread import allocate_lock

from codetracer_policy.model import CONFIGURED_ORIGIN, OriginKind, PolicyOrigin, RecorderPolicy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from codetracer_policy.update import PolicyLayer, PolicySource, PolicyUpdate

__all__ = [
    "apply_policy_update",
    "configure_policy",
    "configure_policy_from_env",
    "current_policy",
    "policy_snapshot",
    "reset_policy",
    "resolve_policy",
]


class _ProcessPolicy:
    """The one mutable thing of this package: which policy ``configure_policy`` has built up."""

    __slots__ = ("_lock", "policy")

    def __init__(self) -> None:
        self.policy = RecorderPolicy()
        self.renew_lock()

    def renew_lock(self) -> None:
        """Forget who holds the lock: after a fork the holder may not exist in this process."""
        self._lock = allocate_lock()

    def change(self, step: Callable[[RecorderPolicy], RecorderPolicy]) -> RecorderPolicy:
        """Replace the policy by ``step`` of it; when that raises, the policy stays."""
        with self._lock:
            self.policy = step(self.policy)
            return self.policy


_process = _ProcessPolicy()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_process.renew_lock)


def _stack(policy: RecorderPolicy, layers: Iterable[PolicyLayer]) -> RecorderPolicy:
    for layer in layers:
        policy = policy.apply(layer.update, origin=layer.origin)
    return policy


def current_policy() -> RecorderPolicy:
    """The defaults with everything that was configured in this process so far."""
    return _process.policy


def apply_policy_update(
    update: PolicyUpdate, *, origin: PolicyOrigin = CONFIGURED_ORIGIN
) -> RecorderPolicy:
    """Change the policy of this process, from any thread, and return the new one."""
    return _process.change(lambda policy: policy.apply(update, origin=origin))


def reset_policy() -> None:
    """Forget everything that was configured in this process."""
    _process.change(lambda _policy: RecorderPolicy())


def configure_policy(
    on_recorder_error: str | None = None,
    require_trace: bool | None = None,
    keep_partial_trace: bool | None = None,
    log_level: str | None = None,
    log_file: str | os.PathLike[str] | None = None,
    json_errors: bool | None = None,
    io_capture_line_proxies: bool | None = None,
    io_capture_fd_fallback: bool | None = None,
    module_name_from_globals: bool | None = None,
    propagate_script_exit: bool | None = None,
    *,
    max_depth: int | None = None,
    max_items: int | None = None,
    max_text: int | None = None,
    max_value: int | str | None = None,
    max_step: int | str | None = None,
    value_repr: str | None = None,
    redact_output: bool | None = None,
    capture_logging: bool | None = None,
    follow: bool | None = None,
    max_size: int | str | None = None,
    keep_last: int | str | None = None,
    save_on: str | None = None,
    **unknown: object,
) -> None:
    """Change the policy of this process; None leaves a setting as it is.

    All or nothing: on PolicyTypeError (a TypeError: no such setting, or a wrong type) and
    PolicyValueError (a ValueError) the policy stays as it was.
    """
    given: dict[str, object] = {
        "on_recorder_error": on_recorder_error,
        "require_trace": require_trace,
        "keep_partial_trace": keep_partial_trace,
        "log_level": log_level,
        "log_file": log_file,
        "json_errors": json_errors,
        "io_capture_line_proxies": io_capture_line_proxies,
        "io_capture_fd_fallback": io_capture_fd_fallback,
        "module_name_from_globals": module_name_from_globals,
        "propagate_script_exit": propagate_script_exit,
        "max_depth": max_depth,
        "max_items": max_items,
        "max_text": max_text,
        "max_value": max_value,
        "max_step": max_step,
        "value_repr": value_repr,
        "redact_output": redact_output,
        "capture_logging": capture_logging,
        "follow": follow,
        "max_size": max_size,
        "keep_last": keep_last,
        "save_on": save_on,
        **unknown,
    }
    from codetracer_policy._convert import policy_update

    apply_policy_update(policy_update(given))


def configure_policy_from_env(environ: Mapping[str, str] | None = None) -> None:
    """Put what the environment says into the policy of this process.

    Raises PolicyValueError with every invalid variable; the policy then stays as it was.
    """
    from codetracer_policy.env import read_environment

    layers = read_environment(environ)
    _process.change(lambda policy: _stack(policy, layers))


def policy_snapshot() -> dict[str, object]:
    """The policy of this process as plain values, in the form that existing callers know.

    ``io_capture`` is a nested dictionary; limits are in ``current_policy().values()``.
    """
    policy = _process.policy
    return {
        "on_recorder_error": policy.on_recorder_error.value,
        "require_trace": policy.require_trace,
        "keep_partial_trace": policy.keep_partial_trace,
        "log_level": policy.log_level,
        "log_file": policy.log_file,
        "json_errors": policy.json_errors,
        "module_name_from_globals": policy.module_name_from_globals,
        "propagate_script_exit": policy.propagate_script_exit,
        "io_capture": {
            "line_proxies": policy.io_capture.line_proxies,
            "fd_fallback": policy.io_capture.fd_fallback,
        },
    }


def resolve_policy(
    *,
    environ: Mapping[str, str] | None = None,
    overrides: PolicySource
    | tuple[PolicySource, ...]
    | PolicyUpdate
    | Mapping[str, object]
    | None = None,
    project: PolicySource | None = None,
) -> RecorderPolicy:
    """The policy of one session, which leaves the policy of the process alone.

    Weakest first: defaults, ``project`` (a configuration file's settings), what was configured in
    this process, the environment (``os.environ`` unless given; an empty mapping switches it off),
    ``overrides`` (arguments of the session or command-line flags; of several sources the later one
    wins). ``origin(name)`` of the result says which one decided.

    Raises PolicyValueError or PolicyTypeError for the weakest source that is wrong, with all its
    problems.
    """
    layers: list[PolicyLayer] = []
    if project is not None:
        layers.append(_layer(project, OriginKind.FILE))
    layers.extend(_process.policy.layers())
    environ = os.environ if environ is None else environ
    # The table of variables is a costly import for a program that has none of them set.
    if any(name.startswith("CODETRACER_") for name in environ):
        from codetracer_policy.env import read_environment

        layers.extend(read_environment(environ))
    if overrides is not None:
        layers.extend(_overriding(overrides))
    return _stack(RecorderPolicy(), layers)


def _overriding(
    overrides: PolicySource | tuple[PolicySource, ...] | PolicyUpdate | Mapping[str, object],
) -> list[PolicyLayer]:
    """The layers of ``overrides``; raises with all problems of all sources."""
    from codetracer_policy.errors import PolicyError, PolicyTypeError, PolicyValueError
    from codetracer_policy.update import PolicyLayer, PolicySource, PolicyUpdate

    if isinstance(overrides, PolicyUpdate):
        return [PolicyLayer(overrides, PolicyOrigin(OriginKind.OVERRIDE))]
    if isinstance(overrides, PolicySource):
        overrides = (overrides,)
    elif not isinstance(overrides, tuple):
        overrides = (PolicySource(overrides, ""),)
    layers: list[PolicyLayer] = []
    errors: list[PolicyError] = []
    for source in overrides:
        try:
            layers.append(_layer(source, OriginKind.OVERRIDE))
        except PolicyError as error:
            errors.append(error)
    if errors:
        wrong_type = any(isinstance(error, PolicyTypeError) for error in errors)
        problems = [problem for error in errors for problem in error.problems]
        raise (PolicyTypeError if wrong_type else PolicyValueError)(problems)
    return layers


def _layer(source: PolicySource, kind: OriginKind) -> PolicyLayer:
    from codetracer_policy._convert import policy_update
    from codetracer_policy.update import PolicyLayer

    update = policy_update(source.values, place=source.detail or "argument")
    return PolicyLayer(update, PolicyOrigin(kind, source.detail))
