"""The texts that environment variables and files use for settings, turned into values."""

from __future__ import annotations

from codetracer_policy.errors import PolicyProblem, PolicyValueError
from codetracer_policy.model import IoCapturePolicy, SaveSignal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from enum import StrEnum
    from typing import TypeVar

    Choice = TypeVar("Choice", bound=StrEnum)

__all__ = [
    "LARGEST_SIZE",
    "parse_bool",
    "parse_capture_io",
    "parse_choice",
    "parse_count",
    "parse_keep_last",
    "parse_signal",
    "parse_size",
]

_TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})
_FALSE = frozenset({"0", "false", "f", "no", "n", "off"})
_IO_OFF = frozenset({"0", "off", "false", "disable", "disabled", "none"})
_IO_ON = frozenset({"1", "on", "true", "enable", "enabled"})
_IO_PROXIES = frozenset({"proxies", "proxy"})
_IO_MIRROR = frozenset({"fd", "mirror", "fallback"})
_UNITS = {
    "": 1,
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
}
_SECONDS = {"s": 1, "sec": 1, "min": 60, "h": 3600}
LARGEST_SIZE = 1 << 50
"""Of a journal, in bytes."""
_LONGEST_TIME = 366 * 24 * 3600
_LONGEST_NUMBER = 18
"""Digits of a number that is worth reading; Python refuses to convert thousands of them."""


def _invalid(text: str, name: str, place: str, remedy: str) -> PolicyValueError:
    return PolicyValueError([PolicyProblem(name, place, f"{text!r} is not valid", remedy)])


def parse_bool(text: str, *, name: str = "value", place: str = "argument") -> bool:
    """Read a boolean in any case: ``1 true t yes y on`` or ``0 false f no n off``, blanks ignored.

    Raises PolicyValueError, naming ``name`` and ``place``, for any other text, the empty one too.
    """
    token = text.strip().lower()
    if token in _TRUE:
        return True
    if token in _FALSE:
        return False
    raise _invalid(text, name, place, "use on or off (also 1/0, true/false, yes/no)")


def parse_capture_io(text: str, *, name: str = "value", place: str = "argument") -> IoCapturePolicy:
    """Read what to capture: ``off``, ``on``, or ``proxies`` and ``fd`` joined by ``+`` or commas.

    ``fd`` includes the proxies. Raises PolicyValueError for an unknown part and when no part is
    left.
    """
    token = text.strip().lower()
    if token in _IO_OFF:
        return IoCapturePolicy(line_proxies=False)
    if token in _IO_ON:
        return IoCapturePolicy()
    parts = {part.strip() for part in token.replace("+", ",").split(",")} - {""}
    if not parts or parts - _IO_PROXIES - _IO_MIRROR:
        raise _invalid(text, name, place, "use off, proxies or proxies+fd")
    return IoCapturePolicy(fd_fallback=bool(parts & _IO_MIRROR))


def parse_choice(
    text: str, choices: type[Choice], *, name: str = "value", place: str = "argument"
) -> Choice:
    """Read one of an enumeration's texts, in any case, blanks around ignored."""
    token = text.strip().lower()
    for choice in choices:
        if choice.value == token:
            return choice
    raise _invalid(text, name, place, "use " + " or ".join(choice.value for choice in choices))


def parse_count(
    text: str, lowest: int, highest: int, *, name: str = "value", place: str = "argument"
) -> int:
    """Read a whole number from ``lowest`` to ``highest`` in decimal digits."""
    return _bounded(text, text.strip(), 1, lowest, highest, name, place, "a whole number")


def parse_size(
    text: str, lowest: int, highest: int, *, name: str = "value", place: str = "argument"
) -> int:
    """Read a number of bytes from ``lowest`` to ``highest``.

    A unit may follow, in any case: ``KiB MiB GiB`` are powers of 1024, ``KB MB GB`` powers of
    1000, ``B`` is one.
    """
    token = text.strip().lower()
    digits = token.rstrip("bgikm ")
    factor = _UNITS.get(token[len(digits) :].strip(), 0)
    return _bounded(
        text, digits, factor, lowest, highest, name, place, "a size such as 64KiB or 65536"
    )


def parse_keep_last(text: str, *, name: str = "value", place: str = "argument") -> str:
    """Read how much of the end is kept: a size, or a time such as ``30s``, ``5min`` or ``2h``.

    Returns the number of bytes, or the number of seconds with an ``s`` behind it; blank for a blank
    text.
    """
    token = text.strip().lower()
    digits = token.rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = token[len(digits) :].strip()
    if not token:
        return ""
    if unit in _SECONDS:
        seconds = _bounded(
            text, digits, _SECONDS[unit], 1, _LONGEST_TIME, name, place, "a time such as 30s"
        )
        return f"{seconds}s"
    wanted = "a size such as 64MiB or a time such as 30s"
    return str(_bounded(text, digits, _UNITS.get(unit, 0), 1, LARGEST_SIZE, name, place, wanted))


def parse_signal(text: str, *, name: str = "value", place: str = "argument") -> SaveSignal:
    """Read the name of a signal, with or without its ``SIG``, in any case."""
    token = text.strip().lower().removeprefix("sig")
    return parse_choice(token, SaveSignal, name=name, place=place)


def _bounded(
    text: str,
    digits: str,
    factor: int,
    lowest: int,
    highest: int,
    name: str,
    place: str,
    wanted: str,
) -> int:
    readable = digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_NUMBER
    if readable and factor and lowest <= int(digits) * factor <= highest:
        return int(digits) * factor
    raise _invalid(text, name, place, f"use {wanted}, from {lowest} to {highest}")
