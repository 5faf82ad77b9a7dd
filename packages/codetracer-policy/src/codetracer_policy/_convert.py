"""From what a caller or a file gives to typed settings, with every mistake found at once."""

from __future__ import annotations

import os
from collections.abc import Mapping

from codetracer_policy._parse import (
    LARGEST_SIZE,
    parse_choice,
    parse_count,
    parse_keep_last,
    parse_signal,
    parse_size,
)
from codetracer_policy.errors import (
    ERR_UNKNOWN_POLICY_KEY,
    PolicyError,
    PolicyProblem,
    PolicyTypeError,
    PolicyValueError,
)
from codetracer_policy.model import (
    FIELD_NAMES,
    LIMIT_BOUNDS,
    OnRecorderError,
    SaveSignal,
    ValueRepr,
    limit_problem,
)
from codetracer_policy.update import PolicyPath, PolicyUpdate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["policy_update"]


def policy_update(values: Mapping[str, object], *, place: str = "argument") -> PolicyUpdate:
    """The update that a mapping of flat names to plain values stands for.

    ``None`` leaves a setting as it is. Byte limits may be texts with a unit (``"64KiB"``),
    ``log_file`` any path-like object. ``place`` names the mapping in messages, for example the
    file it was read from.

    Raises PolicyTypeError when there is no mapping, a name does not exist or a type is wrong, else
    PolicyValueError when a value is wrong; either holds all problems.
    """
    if not isinstance(values, Mapping):
        raise _mistyped(values, "policy", place, "a mapping of settings")
    problems: list[PolicyProblem] = []
    wrong_type = False
    converted: dict[str, Any] = {}
    for name, value in values.items():
        if value is None and name in _CONVERTERS:
            continue
        try:
            if name not in _CONVERTERS:
                raise PolicyTypeError([_unknown(name, place)])
            converted[name] = _CONVERTERS[name](value, name, place)
        except PolicyError as error:
            problems.extend(error.problems)
            wrong_type = wrong_type or isinstance(error, PolicyTypeError)
    if problems:
        raise (PolicyTypeError if wrong_type else PolicyValueError)(problems)
    return PolicyUpdate(**converted)


def _unknown(name: object, place: str) -> PolicyProblem:
    from difflib import get_close_matches  # 5 ms that only a mistake has to pay

    text = name if isinstance(name, str) and name.isprintable() else repr(name)
    nearest = get_close_matches(text, FIELD_NAMES, n=1)
    remedy = f"did you mean {nearest[0]}?" if nearest else "use one of " + ", ".join(FIELD_NAMES)
    return PolicyProblem(text, place, "there is no such setting", remedy, ERR_UNKNOWN_POLICY_KEY)


def _mistyped(value: object, name: str, place: str, wanted: str) -> PolicyTypeError:
    given = type(value).__name__
    return PolicyTypeError([PolicyProblem(name, place, f"{given} is not allowed", f"use {wanted}")])


def _flag(value: object, name: str, place: str) -> bool:
    if not isinstance(value, bool):
        raise _mistyped(value, name, place, "true or false")
    return value


def _on_recorder_error(value: object, name: str, place: str) -> OnRecorderError:
    if not isinstance(value, str):
        raise _mistyped(value, name, place, "'disable' or 'abort'")
    return parse_choice(value, OnRecorderError, name=name, place=place)


def _value_repr(value: object, name: str, place: str) -> ValueRepr:
    if not isinstance(value, str):
        raise _mistyped(value, name, place, "'fields' or 'call'")
    return parse_choice(value, ValueRepr, name=name, place=place)


def _level(value: object, name: str, place: str) -> str:
    if not isinstance(value, str):
        raise _mistyped(value, name, place, "a text such as 'debug'")
    return value.strip()


def _path(value: object, name: str, place: str) -> PolicyPath:
    if not isinstance(value, (str, os.PathLike)):
        raise _mistyped(value, name, place, "a path")
    path = os.fsdecode(value)
    return PolicyPath(path if path.strip() else None)


def _limit(value: object, name: str, place: str) -> int:
    if isinstance(value, str):
        parse = parse_size if name in ("max_value", "max_step") else parse_count
        return parse(value, *LIMIT_BOUNDS[name], name=name, place=place)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _mistyped(value, name, place, "a whole number")
    lowest, highest = LIMIT_BOUNDS[name]
    if not lowest <= value <= highest:
        raise PolicyValueError([limit_problem(name, value, place)])
    return value


def _max_size(value: object, name: str, place: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise _mistyped(value, name, place, "a size such as '1GiB'")
    return parse_size(value, 0, LARGEST_SIZE, name=name, place=place)


def _keep_last(value: object, name: str, place: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise _mistyped(value, name, place, "a size such as '64MiB' or a time such as '30s'")
    return parse_keep_last(value, name=name, place=place)


def _save_on(value: object, name: str, place: str) -> SaveSignal:
    if not isinstance(value, str):
        raise _mistyped(value, name, place, "the name of a signal such as 'usr1'")
    return parse_signal(value, name=name, place=place)


_CONVERTERS: dict[str, Callable[[object, str, str], object]] = {
    "on_recorder_error": _on_recorder_error,
    "require_trace": _flag,
    "keep_partial_trace": _flag,
    "log_level": _level,
    "log_file": _path,
    "json_errors": _flag,
    "io_capture_line_proxies": _flag,
    "io_capture_fd_fallback": _flag,
    "module_name_from_globals": _flag,
    "propagate_script_exit": _flag,
    **dict.fromkeys(LIMIT_BOUNDS, _limit),
    "redact_output": _flag,
    "capture_logging": _flag,
    "follow": _flag,
    "max_size": _max_size,
    "keep_last": _keep_last,
    "save_on": _save_on,
    "value_repr": _value_repr,
}
