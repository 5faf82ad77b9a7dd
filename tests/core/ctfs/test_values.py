"""Recorded values and how they read."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetracer_core.ctfs.values import Value, decode_value
from codetracer_core.errors import TraceError

TYPES = ("int", "str", "list", "dict", "tuple", "set", "Point", "frozenset", "Array[int]")


def encode(item: Any) -> bytes:
    return cbor2.dumps(item)


def integer(number: int) -> dict[str, Any]:
    return {"kind": "Int", "i": number, "type_id": 0}


def string(text: str) -> dict[str, Any]:
    return {"kind": "String", "text": text, "type_id": 1}


def sequence(type_name: str, *elements: Any) -> dict[str, Any]:
    type_id = TYPES.index(type_name)
    return {"kind": "Sequence", "elements": list(elements), "is_slice": False, "type_id": type_id}


def pair(*elements: Any) -> dict[str, Any]:
    return {"kind": "Tuple", "elements": list(elements), "type_id": TYPES.index("tuple")}


def decoded(item: Any) -> Value:
    return decode_value(encode(item), lambda type_id: TYPES[type_id])


CUT = {"kind": "Raw", "r": "...", "type_id": 1}


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (integer(-5), "-5"),
        ({"kind": "Float", "f": 2.5, "type_id": 0}, "2.5"),
        ({"kind": "Bool", "b": True, "text": "true", "type_id": 0}, "True"),
        ({"kind": "None", "type_id": 0}, "None"),
        (string("it's"), '"it\'s"'),
        ({"kind": "Char", "c": "c", "type_id": 0}, "'c'"),
        ({"kind": "Raw", "r": "<object at 0x1>", "type_id": 0}, "<object at 0x1>"),
        ({"kind": "Error", "msg": "<redacted>", "type_id": 0}, "<redacted>"),
        ({"kind": "Cell", "place": 3}, "<cell 3>"),
        (cbor2.CBORTag(256, 9), "<valueref 9>"),
        ({"kind": "BigInt", "b": b"\1\0", "negative": False, "type_id": 0}, "256"),
        ({"kind": "BigInt", "b": b"\1\0", "negative": True, "type_id": 0}, "-256"),
        ({"kind": "Enum", "name": "RED", "ordinal": 1, "type_id": 0}, "RED"),
        (sequence("list"), "[]"),
        (sequence("list", integer(1), integer(2)), "[1, 2]"),
        (sequence("Array[int]", integer(1)), "[1]"),
        (sequence("dict"), "{}"),
        (sequence("dict", pair(string("a"), integer(1))), "{'a': 1}"),
        (sequence("dict", pair(integer(2), sequence("list", string("x")))), "{2: ['x']}"),
        (sequence("dict", pair(string("a"), integer(1)), CUT), "{'a': 1, ...}"),
        (sequence("set", integer(1), integer(2)), "{1, 2}"),
        (sequence("set"), "set()"),
        (sequence("frozenset", integer(1)), "frozenset([1])"),
        (sequence("Point", pair(string("x"), integer(1)), CUT), "Point(x=1, ...)"),
        (sequence("Point"), "Point()"),
        (sequence("Point", integer(1)), "Point([1])"),
        (pair(), "()"),
        (pair(integer(1)), "(1,)"),
        (pair(integer(1), string("b")), "(1, 'b')"),
        ({"kind": "Tuple", "elements": [integer(1)], "type_id": 6}, "Point(1,)"),
        ({"kind": "Set", "members": [integer(1)], "type_id": 5}, "{1}"),
        ({"kind": "Struct", "field_values": [integer(1)], "type_id": 6}, "Point(1)"),
        (
            {
                "kind": "Struct",
                "field_values": [integer(1), integer(2)],
                "field_names": ["x", "y"],
                "type_id": 6,
            },
            "Point(x=1, y=2)",
        ),
        ({"kind": "Variant", "discriminator": "Some", "contents": integer(1)}, "Some(1)"),
        ({"kind": "Reference", "dereferenced": integer(7), "address": 16, "mutable": True}, "7"),
        ({"kind": "Quaternion", "w": 1, "type_id": 0}, "<Quaternion>"),
    ],
)
def test_values_read_like_python(item: Any, text: str) -> None:
    """Each kind has a compact rendering that a Python programmer knows."""
    assert decoded(item).text() == text


def test_places_of_one_object_are_labelled() -> None:
    """An object to which several references of a value lead is written once, others go without."""

    def place(address: int, number: int) -> dict[str, Any]:
        target = sequence("list", integer(number))
        return {
            "kind": "Reference",
            "dereferenced": target,
            "address": address,
            "mutable": True,
            "type_id": target["type_id"],
        }

    value = sequence("list", place(7, 1), place(3, 2), place(9, 3), place(3, 2), place(7, 1))
    assert decoded(value).text() == "[&1 [1], &2 [2], [3], *2, *1]"


def test_absent_values_are_told_apart() -> None:
    """No bytes are an empty value, the byte FF is a call that returned nothing."""
    assert decode_value(b"", str).text() == "<empty>"
    assert decode_value(b"\xff", str).text() == "<void>"


def test_a_value_has_kind_type_and_children() -> None:
    """Kinds and type names are those of the trace, children are values again."""
    value = decoded(sequence("dict", pair(string("a"), integer(1))))
    assert (value.kind, value.type_name) == ("Sequence", "dict")
    ((key, item),) = (child.children for child in value.children)
    assert (key.data, key.type_name, item.data, item.type_name) == ("a", "str", 1, "int")
    reference = {"kind": "Reference", "dereferenced": integer(7), "address": 16, "mutable": True}
    assert decoded(reference).data == 16


def test_huge_numbers_read_in_hex() -> None:
    """A number beyond Python's limit for decimal digits is shown in hexadecimal."""
    item = {"kind": "BigInt", "b": b"\xff" * 4000, "negative": False, "type_id": 0}
    assert decoded(item).text() == "0x" + "f" * 8000


@given(st.integers(1, 60))
def test_a_limit_cuts_the_text(limit: int) -> None:
    """A rendering is never longer than its limit and says when it was cut."""
    value = decoded(sequence("list", *[string("word")] * 6))
    whole = value.text()
    assert value.text(len(whole)) == value.text(1000) == whole
    cut = value.text(limit)
    assert len(cut) <= limit
    assert cut == whole or (cut.endswith("…") and whole.startswith(cut[:-1]))


@pytest.mark.parametrize(
    "item",
    [
        5,
        [],
        {},
        {"kind": 5},
        {"kind": "Int"},
        {"kind": "Int", "i": []},
        {"kind": "Sequence"},
        {"kind": "Sequence", "elements": 5},
        {"kind": "Sequence", "elements": [5]},
        {"kind": "Variant", "discriminator": "Some"},
    ],
)
def test_a_value_without_its_parts_is_damage(item: Any) -> None:
    """A value that is no map or lacks what its kind needs is refused."""
    with pytest.raises(TraceError, match="a value is damaged"):
        decoded(item)
