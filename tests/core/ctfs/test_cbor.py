"""The CBOR subset of trace values."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetracer_core.ctfs.cbor import MAX_DEPTH, Reference, decode
from codetracer_core.errors import TraceError

SCALARS: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.binary(max_size=20)
)
ITEMS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=30,
)


@given(ITEMS)
def test_what_another_encoder_wrote_reads_back(item: Any) -> None:
    """Items of the subset that cbor2 encoded decode to themselves."""
    assert decode(cbor2.dumps(item)) == item


@given(st.floats(width=16, allow_nan=False))
def test_short_floats_read_too(number: float) -> None:
    """Floats of 2 and 4 bytes, which canonical encoders choose, are accepted."""
    assert decode(b"\xf9" + struct.pack(">e", number)) == number
    assert decode(b"\xfa" + struct.pack(">f", number)) == number


def test_a_value_reference_is_its_target() -> None:
    """Tag 256 around a number is a reference to that value."""
    assert decode(cbor2.dumps(cbor2.CBORTag(256, 7))) == Reference(7)


def test_a_lone_surrogate_survives() -> None:
    """Text with an encoded lone surrogate keeps it."""
    assert decode(b"\x63\xed\xa0\x80") == "\ud800"


def test_text_of_other_bytes_is_readable() -> None:
    """Text that is no UTF-8 has replacement characters where it is not."""
    assert decode(b"\x62a\xff") == "a�"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "cut"),
        ("19", "cut"),
        ("62 61", "cut"),
        ("9b ffffffffffffffff", "cut"),
        ("a1 61", "cut"),
        ("01 01", "bytes follow"),
        ("9f 01 ff", "indefinite"),
        ("1c", "reserved"),
        ("f0", "unknown simple"),
        ("c1 01", "unknown tag"),
        ("d9 0100 61 61", "unknown tag"),
        ("a1 01 01", "no text"),
    ],
)
def test_what_is_outside_the_subset_is_damage(data: str, reason: str) -> None:
    """Cut items, indefinite lengths, unknown tags and other keys are refused with the reason."""
    with pytest.raises(TraceError, match=reason):
        decode(bytes.fromhex(data))


def test_depth_is_bounded() -> None:
    """Nesting is followed to the limit and refused beyond it."""
    deepest = b"\x81" * (MAX_DEPTH - 1) + b"\x01"
    assert decode(deepest)
    with pytest.raises(TraceError, match="nested too deeply"):
        decode(b"\x81" + deepest)


@given(st.binary(max_size=60))
def test_any_bytes_are_an_item_or_damage(data: bytes) -> None:
    """Arbitrary bytes decode or raise a trace error, nothing else."""
    with suppress(TraceError):
        decode(data)
