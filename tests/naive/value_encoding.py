"""Values as plain data, taken simply and without running code of the program, to compare with."""

from __future__ import annotations

import contextlib
import struct
from collections import deque
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

# The folder of the observer's script is what it imports from.
from volatile import VOLATILE  # type: ignore[import-not-found]

TEXT_LIMIT = 1024
ITEM_LIMIT = 100
DEPTH_LIMIT = 6

HEAP_TYPE = 1 << 9
IMMUTABLE = 1 << 8
WORDS: list[tuple[type, str]] = [
    (type, "class"),
    (FunctionType, "function"),
    (MethodType, "method"),
    (ModuleType, "module"),
    (BuiltinFunctionType, "builtin"),
    (GeneratorType, "generator"),
    (CoroutineType, "coroutine"),
    (AsyncGeneratorType, "async generator"),
    (MethodDescriptorType, "method"),
    (WrapperDescriptorType, "method"),
]

WRITTEN = (datetime, date, time, timedelta, Decimal)
"""Types of C that are shown as str() gives them."""

Encoded = tuple[Any, ...]
"""A value as plain data: its kind, then what tells it from others of the kind.

``("none",)``, ``("bool", b)``, ``("int", n)``, ``("int cut", bits, is negative)``,
``("float", bytes)``, ``("complex", bytes)``, ``("str", length, shown)``,
``("bytes", length, shown)``, ``("list" | "tuple" | "set" | "frozenset", length, items)``,
``("dict", length, pairs)``, ``("subclass", type, encoded)``, ``("exception", type, args)``,
``("object", type)``, ``("fields", type, builtin part or None, total, pairs)``,
``("text", type, text)``, ``("volatile", type)``, ``("cycle", levels)``. Members of sets are sorted,
addresses left out. ``("shared", number, encoded)`` is an object that stands more than once in the
value; the others have the same number.
"""
PLACE = object()
"""Marks a place of an object while it is not known whether it has several."""


def encode(value: Any) -> Encoded:
    """`value` as plain data."""
    numbers: dict[int, int] = {}
    found = _encode(value)
    _number(found, set(), numbers)
    settled: Encoded = _settle(found, numbers, set())
    return settled


def _number(found: Any, met: set[int], numbers: dict[int, int]) -> None:
    """Give numbers to the objects that stand in several places, in the order of the second ones."""
    if not isinstance(found, tuple):
        return
    if found and found[0] is PLACE:
        if found[1] in met:
            numbers.setdefault(found[1], len(numbers) + 1)
            return
        met.add(found[1])
    for part in found:
        _number(part, met, numbers)


def _settle(found: Any, numbers: dict[int, int], met: set[int] | None) -> Any:
    """The same with marks at the places of objects that have several, and sets sorted.

    `met` are those before, None inside of a second place, where nothing is marked.
    """
    if not isinstance(found, tuple):
        return found
    if found and found[0] is PLACE:
        _, identity, inside = found
        is_first = met is not None and identity not in met
        if met is not None:
            met.add(identity)
        settled = _settle(inside, numbers, met if is_first else None)
        is_marked = met is not None and identity in numbers
        return ("shared", numbers[identity], settled) if is_marked else settled
    parts = tuple(_settle(part, numbers, met) for part in found)
    if parts and parts[0] in ("set", "frozenset"):
        return (*parts[:2], tuple(sorted(parts[2], key=repr)))
    return parts


def _encode(value: Any, open_: tuple[Any, ...] = ()) -> Encoded:
    """The same with a mark at each place of an object; `open_` are the containers around it."""
    kind = type(value)
    if value is None:
        return ("none",)
    if kind is bool:
        return ("bool", value)
    if kind in (int, str, float, bytes, complex):
        return _encode_atom(kind, value)
    for levels, container in enumerate(reversed(open_), 1):
        if container is value:
            return ("cycle", levels)
    if kind in (list, tuple, dict, set, frozenset):
        found = _encode_container(kind, value, open_)
    else:
        found = _encode_object(kind, value, open_)
    return (PLACE, id(value), found) if open_ and _can_change(value) else found


def _can_change(value: Any, depth: int = 0) -> bool:
    """Whether it matters which object it is: it can change, or holds something that can."""
    kind = type(value)
    if kind in (range, slice) or is_enum(kind) or _in_words(kind, value) is not None:
        return False
    if issubclass(kind, (BaseException, bytearray, deque, list, dict, set, memoryview)):
        return True
    if _instance_dict(kind, value) is not None:
        return True
    if issubclass(kind, (tuple, frozenset)):
        base = tuple if issubclass(kind, tuple) else frozenset
        shown = ITEM_LIMIT if depth < DEPTH_LIMIT else 0
        return any(_can_change(item, depth + 1) for item in _first(shown, base.__iter__(value)))
    return _stored_fields(kind, value) is not None


def _encode_object(kind: type, value: Any, open_: tuple[Any, ...]) -> Encoded:
    name = type.__dict__["__name__"].__get__(kind)
    if name in VOLATILE:
        return ("volatile", name)
    words = _in_words(kind, value)
    if words is not None:
        return ("text", name, words)
    part = _builtin_part(kind, value, open_)
    fields = _stored_fields(kind, value)
    if not fields and (fields is None or part is not None or kind.__flags__ & IMMUTABLE):
        if part is None:
            return ("object", name)
        return part if part[0] == "exception" else ("subclass", name, part)
    if is_enum(kind) or is_namedtuple(kind):
        part = None
    shown = fields[: ITEM_LIMIT if len(open_) < DEPTH_LIMIT else 0]
    inside = (*open_, value)
    pairs = tuple((field, _encode(item, inside)) for field, item in shown)
    return ("fields", name, part, len(fields), pairs)


def _builtin_part(kind: type, value: Any, open_: tuple[Any, ...]) -> Encoded | None:
    """What a builtin base of the class says of the value."""
    if issubclass(kind, BaseException):
        args = BaseException.__dict__["args"].__get__(value)
        name = type.__dict__["__name__"].__get__(kind)
        return ("exception", name, _encode(args, (*open_, value)))
    if issubclass(kind, bytearray):
        return _encode_atom(bytes, bytes(memoryview(value)))
    if issubclass(kind, deque):
        shown = min(deque.__len__(value), ITEM_LIMIT) if len(open_) < DEPTH_LIMIT else 0
        items = tuple(_encode(i, (*open_, value)) for i in _first(shown, deque.__iter__(value)))
        return ("list", deque.__len__(value), items)
    for base in (int, str, tuple, list, dict, bytes, float, set, frozenset, complex):
        if issubclass(kind, base):
            if base in (int, str, bytes, float, complex):
                return _encode_atom(base, value)
            return _encode_container(base, value, open_)
    return None


def _in_words(kind: type, value: Any) -> str | None:
    """How functions and the like are written."""
    if kind in WRITTEN:
        return str(value)
    word = next((word for base, word in WORDS if issubclass(kind, base)), None)
    if word is None:
        return None
    if isinstance(value, MethodType):
        value = value.__func__
    if word == "class":
        name = type.__dict__["__qualname__"].__get__(value)
    elif word == "module":
        name = ModuleType.__getattribute__(value, "__name__")
    else:
        name = getattr(value, "__qualname__", None) or value.__name__
        if isinstance(value, BuiltinFunctionType | MethodDescriptorType | WrapperDescriptorType):
            name = value.__name__
    return f"<{word} {name}>"


def is_enum(kind: type) -> bool:
    """Whether a class is an enum, told without asking its metaclass."""
    return any(base.__name__ == "EnumType" for base in _bases(type(kind)))


def is_namedtuple(kind: type) -> bool:
    """Whether instances of a class are tuples with names."""
    return issubclass(kind, tuple) and kind is not tuple and _names_of_items(kind) is not None


def _bases(kind: type) -> tuple[type, ...]:
    """The class and its bases, whatever its metaclass says of them."""
    bases: tuple[type, ...] = vars(type)["__mro__"].__get__(kind)
    return bases


def _names_of_items(kind: type) -> tuple[str, ...] | None:
    for base in _bases(kind):
        if base.__flags__ & HEAP_TYPE and "_fields" in type.__dict__["__dict__"].__get__(base):
            names = type.__dict__["__dict__"].__get__(base)["_fields"]
            return names if type(names) is tuple else None
    return None


def _stored_fields(kind: type, value: Any) -> list[tuple[str, Any]] | None:
    """What an object holds in slots and in its dict; None when it has room for neither."""
    if kind is memoryview:
        return _view_fields(value)
    attributes = _instance_dict(kind, value)
    found = dict(attributes or {})
    if is_enum(kind):
        members = (("name", "_name_"), ("value", "_value_"))
        return [(shown, found[name]) for shown, name in members if name in found]
    if is_namedtuple(kind):
        items: tuple[Any, ...] = value
        names = _names_of_items(kind) or ()
        return [*zip(names, tuple.__iter__(items), strict=False), *found.items()]
    slots: dict[str, Any] = {}
    has_slots = kind in (range, slice)
    for base in reversed(_bases(kind)):
        if not (base.__flags__ & HEAP_TYPE and not base.__flags__ & IMMUTABLE) and not has_slots:
            continue
        for name, member in type.__dict__["__dict__"].__get__(base).items():
            if type(member) is MemberDescriptorType and not name.startswith("__"):
                has_slots = True
                with contextlib.suppress(AttributeError):
                    slots[name] = member.__get__(value, kind)
    if attributes is None and not has_slots:
        return None
    return [*slots.items(), *found.items()]


def _instance_dict(kind: type, value: Any) -> dict[str, Any] | None:
    """The attributes of an object; reading them makes its dict, which is no matter here."""
    for base in _bases(kind):
        descriptor = type.__dict__["__dict__"].__get__(base).get("__dict__")
        if type(descriptor) is GetSetDescriptorType and base is not type:
            attributes = descriptor.__get__(value, kind)
            return {n: v for n, v in dict.items(attributes) if type(n) is str}
    if kind.__dictoffset__ != 0:
        with contextlib.suppress(AttributeError):
            return dict(object.__getattribute__(value, "__dict__"))
        return {}
    return None


def _view_fields(view: memoryview) -> list[tuple[str, Any]]:
    try:
        items = memoryview.tolist(view)
    except ValueError:
        return [("shape", ()), ("format", "released")]
    return [("shape", view.shape), ("format", view.format), ("items", items)]


def _encode_atom(kind: type, value: Any) -> Encoded:
    if kind is int:
        number = int.__add__(value, 0)
        if number.bit_length() // 8 + 1 > TEXT_LIMIT:
            return ("int cut", number.bit_length(), number < 0)
        return ("int", number)
    if kind is float:
        return ("float", struct.pack("<d", float.__pos__(value)))
    if kind is complex:
        exact = complex.__pos__(value)
        return ("complex", struct.pack("<dd", exact.real, exact.imag))
    text = str if kind is str else bytes
    return (kind.__name__, text.__len__(value), text.__getitem__(value, slice(0, TEXT_LIMIT)))


def _encode_container(kind: type, value: Any, open_: tuple[Any, ...]) -> Encoded:
    length = kind.__len__(value)  # type: ignore[attr-defined]
    shown = min(length, ITEM_LIMIT) if len(open_) < DEPTH_LIMIT else 0
    inside = (*open_, value)
    items: Iterable[Any]
    if kind is dict:
        items = [
            (_encode(k, inside), _encode(v, inside)) for k, v in _first(shown, dict.items(value))
        ]
    else:
        members = kind.__iter__(value)  # type: ignore[attr-defined]
        items = [_encode(item, inside) for item in _first(shown, members)]
    return (kind.__name__, length, tuple(items))


def _first(count: int, items: Iterable[Any]) -> list[Any]:
    """The first items, taken at once: no other thread runs in between."""
    return list(islice(items, count))
