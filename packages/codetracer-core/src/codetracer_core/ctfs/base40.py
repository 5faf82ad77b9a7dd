"""Packed names of a CTFS directory: up to 12 characters of a 40-letter alphabet in 64 bits."""

from __future__ import annotations

from codetracer_core.errors import TraceError, UsageError

__all__ = ["MAX_NAME", "pack_name", "unpack_name"]

MAX_NAME = 12
_ALPHABET = "\0" + "0123456789" + "abcdefghijklmnopqrstuvwxyz" + "./-"
_DIGIT = {char: digit for digit, char in enumerate(_ALPHABET)}
_LIMIT = 40**MAX_NAME


def pack_name(name: str) -> int:
    """Return the number of ``name``; its first character is the least significant digit.

    Raises :class:`UsageError` (``ERR_CTFS_NAME``) for an empty name, more than 12 characters, or a
    character that is not one of ``0-9 a-z . / -``.
    """
    if not 0 < len(name) <= MAX_NAME:
        message = f"an internal file name has 1 to {MAX_NAME} characters: shorten {name!r}"
        raise UsageError("ERR_CTFS_NAME", message, name=name)
    packed = 0
    for char in reversed(name):
        digit = _DIGIT.get(char, 0)
        if digit == 0:
            message = f"an internal file name holds only 0-9 a-z . / -, not {char!r}"
            raise UsageError("ERR_CTFS_NAME", message, name=name)
        packed = packed * 40 + digit
    return packed


def unpack_name(packed: int) -> str:
    """Return the name behind ``packed``; raises :class:`TraceError` when there is none."""
    name = ""
    if 0 < packed < _LIMIT:
        rest = packed
        while rest:
            rest, digit = divmod(rest, 40)
            name += _ALPHABET[digit]
    if not name or "\0" in name:
        message = "a directory slot holds no file name: the trace is damaged"
        raise TraceError("ERR_TRACE_CORRUPT", message, packed=packed)
    return name
