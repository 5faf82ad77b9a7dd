"""Recorded values: their decoded form and a compact rendering that reads like Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from codetracer_core.ctfs.cbor import Item, Reference, decode, decode_int
from codetracer_core.errors import TraceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Value", "Variable", "decode_value"]

VOID = b"\xff"
# The beginning and the middle of {"kind": "Int", "i": number, "type_id": number}.
_INT, _TYPE_ID = b"\xa3dkindcIntai", b"gtype_id"
_DICTS = frozenset({"dict", "hash", "map", "table", "ordereddict", "defaultdict", "counter"})
_LISTS = frozenset({"list", "array", "seq", "sequence", "slice", "vec", "openarray", "varargs", ""})
_SETS = frozenset({"set", "hashset", "orderedset"})
# str(int) refuses more than 4,300 digits; this many bits are always below that.
_DECIMAL_BITS = 14_000


@dataclass(frozen=True, slots=True)
class Value:
    """One recorded value.

    ``kind`` is the form it has in the trace (``Int``, ``String``, ``Sequence``, ``Raw``, ...;
    ``Void`` for a call that returned nothing, ``Empty`` where nothing was stored). ``data`` is the
    payload of a plain value: a number, truth value, text, the discriminator of a ``Variant``, the
    address of a ``Reference``. ``children`` are the items of a compound one, ``names`` the field
    names of a ``Struct`` when the trace has them.
    """

    kind: str
    type_name: str = ""
    data: int | float | str | bool | None = None
    children: tuple[Value, ...] = ()
    names: tuple[str, ...] = ()

    def text(self, limit: int = 0) -> str:
        """Return a rendering like ``[1, 2]`` or ``{'a': 1}``.

        An object that stands several times in it is labelled, as in ``[&1 [], *1]``.

        With a ``limit`` above 0 it has at most that many characters, the last one being an
        ellipsis when something was cut.
        """
        pieces: list[str] = []
        length = 0
        for piece in _pieces(self, _Places(self)):
            pieces.append(piece)
            length += len(piece)
            if 0 < limit < length:
                return "".join(pieces)[: limit - 1] + "…"
        return "".join(pieces)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable or argument and its value at one step."""

    name: str
    value: Value


def decode_value(data: bytes, type_name: Callable[[int], str]) -> Value:
    """Return the value that the record field ``data`` holds; ``type_name`` names a type id.

    A kind that is not known keeps its name and type and loses its payload. Raises
    :class:`TraceError` when ``data`` is damaged.
    """
    if not data:
        return Value("Empty")
    if data == VOID:
        return Value("Void")
    if data.startswith(_INT):
        # Most values that no step before had are whole numbers; this is a third of the work.
        number, position = decode_int(data, len(_INT))
        if data.startswith(_TYPE_ID, position):
            type_id, position = decode_int(data, position + len(_TYPE_ID))
            if position == len(data):
                return Value("Int", type_name(type_id), number)
    return _build(decode(data), type_name)


def _build(item: Item, type_name: Callable[[int], str]) -> Value:
    if isinstance(item, Reference):
        return Value("ValueRef", data=item.target)
    if not isinstance(item, dict):
        raise _damaged("it is no map")
    kind = item.get("kind")
    if not isinstance(kind, str):
        raise _damaged("it has no kind")
    type_id = item.get("type_id")
    name = type_name(type_id) if type(type_id) is int else ""
    items, names = _children(kind, item)
    children = tuple(_build(child, type_name) for child in items)
    return Value(kind, name, _payload(kind, item), children, names)


def _children(kind: str, item: dict[str, Item]) -> tuple[list[Item], tuple[str, ...]]:
    match kind:
        case "Sequence" | "Tuple":
            return _list(item, "elements"), ()
        case "Set":
            return _list(item, "members"), ()
        case "Struct":
            names = _list(item, "field_names") if "field_names" in item else []
            return _list(item, "field_values"), tuple(map(str, names))
        case "Variant":
            return [item.get("contents")], ()
        case "Reference":
            return [item.get("dereferenced")], ()
    return [], ()


def _payload(kind: str, item: dict[str, Item]) -> int | float | str | bool | None:
    key = _PAYLOAD_KEYS.get(kind)
    if key is None:
        return None
    data = item.get(key)
    if kind == "BigInt" and isinstance(data, bytes):
        magnitude = int.from_bytes(data)
        return -magnitude if item.get("negative") is True else magnitude
    if data is None or isinstance(data, bytes | list | dict | Reference):
        raise _damaged(f"a {kind} has no {key}")
    return data


_PAYLOAD_KEYS = {
    "BigInt": "b",
    "Bool": "b",
    "Cell": "place",
    "Char": "c",
    "Enum": "name",
    "Error": "msg",
    "Float": "f",
    "Int": "i",
    "Raw": "r",
    "Reference": "address",
    "String": "text",
    "Variant": "discriminator",
}


def _list(item: dict[str, Item], key: str) -> list[Item]:
    items = item.get(key)
    if not isinstance(items, list):
        raise _damaged(f"it has no {key}")
    return items


def _damaged(reason: str) -> TraceError:
    return TraceError("ERR_TRACE_CORRUPT", f"a value is damaged: {reason}", offset=0)


class _Places:
    """The objects of one value that stand in several places of it, by the addresses they share.

    The first place is labelled ``&1``, and ``*1`` is another place of the same object, as in YAML.
    """

    __slots__ = ("_labels", "_repeated", "_root")

    def __init__(self, root: Value) -> None:
        self._root = root
        self._repeated: set[object] | None = None
        self._labels: dict[object, int] = {}

    def pieces(self, reference: Value) -> Iterator[str]:
        """Render a ``Reference``."""
        if self._repeated is None:
            self._repeated = _repeated(self._root)
        address, target = reference.data, reference.children[0]
        label = self._labels.get(address)
        if label is not None:
            yield f"*{label}"
            return
        if address in self._repeated:
            label = self._labels[address] = len(self._labels) + 1
            yield f"&{label} "
        yield from _pieces(target, self)


def _repeated(root: Value) -> set[object]:
    """Return the addresses to which several references inside `root` lead."""
    found: set[object] = set()
    repeated: set[object] = set()
    pending = [root]
    while pending:
        value = pending.pop()
        if value.kind == "Reference":
            (repeated if value.data in found else found).add(value.data)
        pending.extend(value.children)
    return repeated


def _pieces(value: Value, places: _Places) -> Iterator[str]:
    match value.kind:
        case "String" | "Char":
            yield repr(value.data)
        case "Int" | "BigInt" if isinstance(value.data, int):
            short = value.data.bit_length() <= _DECIMAL_BITS
            yield str(value.data) if short else hex(value.data)
        case "None":
            yield "None"
        case "Void" | "Empty":
            yield f"<{value.kind.lower()}>"
        case "Cell" | "ValueRef":
            yield f"<{value.kind.lower()} {value.data}>"
        case "Sequence":
            yield from _sequence(value, places)
        case "Set":
            yield from _enclosed("{", value.children, "}", places)
        case "Tuple":
            comma = "," if len(value.children) == 1 else ""
            prefix = "" if _base(value) == "tuple" else value.type_name
            yield from _enclosed(prefix + "(", value.children, comma + ")", places)
        case "Struct":
            names = (f"{name}=" for name in value.names)
            yield from _enclosed(value.type_name + "(", value.children, ")", places, names)
        case "Variant":
            yield from _enclosed(f"{value.data}(", value.children, ")", places)
        case "Reference":
            yield from places.pieces(value)
        case _ if value.data is None:
            yield f"<{value.kind}>"
        case _:
            yield str(value.data)


def _sequence(value: Value, places: _Places) -> Iterator[str]:
    """Render a list, or the dict, set or object that a trace stores as a sequence."""
    base = _base(value)
    items = value.children
    if base in _DICTS:
        yield from _enclosed("{", items, "}", places, pair=": ")
    elif base in _SETS and items:
        yield from _enclosed("{", items, "}", places)
    elif base in _LISTS and not (base == "slice" and any(map(_is_field, items))):
        yield from _enclosed("[", items, "]", places)
    elif not items or any(map(_is_field, items)):
        yield from _enclosed(value.type_name + "(", items, ")", places, pair="=")
    else:
        yield from _enclosed(value.type_name + "([", items, "])", places)


def _enclosed(
    opening: str,
    children: tuple[Value, ...],
    closing: str,
    places: _Places,
    prefixes: Iterator[str] | None = None,
    pair: str = "",
) -> Iterator[str]:
    """Render ``children`` between brackets; with ``pair``, two-tuples as key, ``pair``, item."""
    yield opening
    for index, child in enumerate(children):
        if index:
            yield ", "
        if prefixes is not None:
            yield next(prefixes, "")
        if pair and _is_pair(child):
            key, item = child.children
            if pair == "=" and _is_field(child):
                yield str(key.data)
            else:
                yield from _pieces(key, places)
            yield pair
            yield from _pieces(item, places)
        else:
            yield from _pieces(child, places)
    yield closing


def _is_pair(value: Value) -> bool:
    return value.kind == "Tuple" and len(value.children) == 2


def _is_field(value: Value) -> bool:
    return _is_pair(value) and value.children[0].kind == "String"


def _base(value: Value) -> str:
    """Return the type's name without its parameters, in lower case: ``list`` for ``List[int]``."""
    return value.type_name.partition("[")[0].partition("<")[0].lower()
