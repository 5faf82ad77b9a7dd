"""Values of ``trace.json`` that are written straight from the bytes of a trace."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import cbor2
from hypothesis import given
from hypothesis import strategies as st

from codetracer_core.ctfs.values import decode_value
from codetracer_core.errors import TraceError
from codetracer_core.trace_json.definitions import Definitions
from codetracer_core.trace_json.encoded import EncodedTexts
from codetracer_core.trace_json.values import ValueTexts

TYPES = ("int", "str", "list", "tuple", "shop.Basket", "")
TYPE_IDS = st.integers(0, len(TYPES) - 1)
LEAVES = st.one_of(
    st.builds(
        lambda i, t: {"kind": "Int", "i": i, "type_id": t},
        st.integers(-(2**64), 2**64 - 1),
        TYPE_IDS,
    ),
    st.builds(
        lambda s, t: {"kind": "String", "text": s, "type_id": t}, st.text(max_size=300), TYPE_IDS
    ),
    st.builds(lambda b, t: {"kind": "Bool", "b": b, "type_id": t}, st.booleans(), TYPE_IDS),
    st.builds(lambda r, t: {"kind": "Raw", "r": r, "type_id": t}, st.text(), TYPE_IDS),
    st.builds(lambda f, t: {"kind": "Float", "f": f, "type_id": t}, st.floats(), TYPE_IDS),
    st.just({"kind": "None", "type_id": 0}),
)


def compound(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Tuples, sequences and values of forms that only the decoder knows, made of `children`."""
    items = st.lists(children, max_size=40)
    return st.one_of(
        st.builds(lambda e, t: {"kind": "Tuple", "elements": e, "type_id": t}, items, TYPE_IDS),
        st.builds(
            lambda e, s, t: {"kind": "Sequence", "elements": e, "is_slice": s, "type_id": t},
            items,
            st.booleans(),
            TYPE_IDS,
        ),
        st.builds(lambda e, t: {"kind": "Set", "members": e, "type_id": t}, items, TYPE_IDS),
        st.builds(lambda e, t: {"type_id": t, "kind": "Tuple", "elements": e}, items, TYPE_IDS),
    )


def renderers() -> tuple[ValueTexts, EncodedTexts]:
    """Both ways of rendering values for one document."""
    records: list[str] = []
    values = ValueTexts(Definitions(iter(()), records.append))
    # Their types have the same numbers, whichever of the two is asked first.
    for name in TYPES:
        for form in (0, 7, 9, 12, 16, 27):
            values.type_number(name, form)
    return values, EncodedTexts(values, TYPES.__getitem__)


@given(st.recursive(LEAVES, compound, max_leaves=25))
def test_bytes_and_decoded_values_render_alike(item: Any) -> None:
    """A value has one rendering, whether or not it was decoded on the way."""
    values, encoded = renderers()
    data = cbor2.dumps(item)
    assert encoded.of(data) == values.of(decode_value(data, TYPES.__getitem__))


@given(st.recursive(LEAVES, compound, max_leaves=5), st.data())
def test_damaged_bytes_are_refused_alike(item: Any, draw: st.DataObject) -> None:
    """Bytes that were cut or changed are damage, or a value that both ways render alike."""
    values, _ = renderers()
    data = bytearray(cbor2.dumps(item))
    del data[draw.draw(st.integers(1, len(data))) :]
    data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    expected = None
    with suppress(TraceError):
        expected = values.of(decode_value(bytes(data), lambda number: f"type {number}"))
    told = None
    with suppress(TraceError):
        told = EncodedTexts(values, lambda number: f"type {number}").of(bytes(data))
    assert told == expected
