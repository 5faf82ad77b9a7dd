"""Decoder of the CBOR subset of trace values: definite lengths, no tag but the value reference."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from codetracer_core.errors import TraceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = ["MAX_DEPTH", "Item", "Reference", "decode", "decode_int"]

MAX_DEPTH = 200
_REFERENCE_TAG = 256
_ARGUMENT_SIZES = {24: 1, 25: 2, 26: 4, 27: 8}
_CONSTANTS: dict[int, bool | None] = {20: False, 21: True, 22: None}
_FLOATS = {25: struct.Struct(">e"), 26: struct.Struct(">f"), 27: struct.Struct(">d")}


@dataclass(frozen=True, slots=True)
class Reference:
    """A back reference to value number ``target`` (CBOR tag 256)."""

    target: int


Item: TypeAlias = (
    "int | float | bool | str | bytes | list[Item] | dict[str, Item] | Reference | None"
)


def decode(data: bytes) -> Item:
    """Return the one item that ``data`` holds.

    Raises :class:`TraceError` when it is cut, uses what is outside the subset, is nested deeper
    than 200 levels, or is followed by something.
    """
    item, position = _item(data, 0, MAX_DEPTH)
    if position != len(data):
        raise _damaged("bytes follow it", position)
    return item


def decode_int(data: bytes, position: int) -> tuple[int, int]:
    """Return the whole number at `position` and the position after it.

    Raises :class:`TraceError` when there is something else.
    """
    major, _, argument, position = _head(data, position)
    if major > 1:
        raise _damaged("a whole number is missing", position)
    return (argument if major == 0 else -1 - argument), position


def _item(data: bytes, position: int, depth: int) -> tuple[Item, int]:
    """Return the item at ``position`` and the position after it; ``depth`` more levels may open."""
    if depth == 0:
        raise _damaged("it is nested too deeply", position)
    start = position
    major, low, argument, position = _head(data, position)
    match major:
        case 0:  # unsigned
            return argument, position
        case 1:  # negative
            return -1 - argument, position
        case 7:  # float, bool, null
            return _simple(data, low, position), position
        case 6:  # tag
            return _reference(data, argument, position, depth)
    # Text and bytes have one byte a unit, an array at least one an item, a map at least two.
    if argument * (2 if major == 5 else 1) > len(data) - position:
        raise _damaged("it is cut", start)
    match major:
        case 2:  # bytes
            return data[position : position + argument], position + argument
        case 3:  # text
            return _text(data[position : position + argument]), position + argument
        case 4:  # array
            return _array(data, argument, position, depth)
    return _map(data, argument, position, depth)


def _reference(data: bytes, tag: int, position: int, depth: int) -> tuple[Reference, int]:
    target, position = _item(data, position, depth - 1)
    if tag != _REFERENCE_TAG or type(target) is not int:
        raise _damaged("it has an unknown tag", position)
    return Reference(target), position


def _array(data: bytes, count: int, position: int, depth: int) -> tuple[list[Item], int]:
    items: list[Item] = []
    for _ in range(count):
        item, position = _item(data, position, depth - 1)
        items.append(item)
    return items, position


def _map(data: bytes, count: int, position: int, depth: int) -> tuple[dict[str, Item], int]:
    fields: dict[str, Item] = {}
    for _ in range(count):
        key, position = _item(data, position, depth - 1)
        if type(key) is not str:
            raise _damaged("a key is no text", position)
        fields[key], position = _item(data, position, depth - 1)
    return fields, position


def _head(data: bytes, position: int) -> tuple[int, int, int, int]:
    """Return major type, low bits, argument and the position after them."""
    if position >= len(data):
        raise _damaged("it is cut", position)
    major, low = divmod(data[position], 32)
    if low < 24:
        return major, low, low, position + 1
    size = _ARGUMENT_SIZES.get(low)
    if size is None:
        raise _damaged("it uses an indefinite length or a reserved head", position)
    end = position + 1 + size
    if end > len(data):
        raise _damaged("it is cut", position)
    return major, low, int.from_bytes(data[position + 1 : end]), end


def _simple(data: bytes, low: int, position: int) -> Item:
    if low in _FLOATS:
        form = _FLOATS[low]
        number: float = form.unpack_from(data, position - form.size)[0]
        return number
    if low in _CONSTANTS:
        return _CONSTANTS[low]
    raise _damaged("it uses an unknown simple value", position)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")


def _damaged(reason: str, offset: int) -> TraceError:
    return TraceError("ERR_TRACE_CORRUPT", f"a value is damaged: {reason}", offset=offset)
