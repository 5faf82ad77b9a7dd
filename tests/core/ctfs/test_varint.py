"""Varints and the cursor over a record's fields."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetracer_core.ctfs.varint import (
    Cursor,
    decode_svarint,
    decode_varint,
    encode_svarint,
    encode_varint,
)
from codetracer_core.errors import TraceError
from core.ctfs import foreign

UNSIGNED = st.integers(0, 2**64 - 1)
SIGNED = st.integers(-(2**63), 2**63 - 1)


@given(UNSIGNED, st.binary(max_size=3), st.binary(max_size=3))
def test_unsigned_numbers_survive_a_round_trip(number: int, before: bytes, after: bytes) -> None:
    """An unsigned number reads back as itself wherever it stands."""
    encoded = encode_varint(number)
    assert encoded == foreign.varint(number)
    assert len(encoded) <= 10
    end = len(before) + len(encoded)
    assert decode_varint(before + encoded + after, len(before)) == (number, end)


@given(SIGNED)
def test_signed_numbers_survive_a_round_trip(number: int) -> None:
    """A signed number reads back as itself, and small ones of either sign take one byte."""
    encoded = encode_svarint(number)
    assert decode_svarint(encoded) == (number, len(encoded))
    assert (len(encoded) == 1) == (-64 <= number <= 63)


@pytest.mark.parametrize(
    ("number", "encoded"), [(0, "00"), (-1, "01"), (1, "02"), (5, "0a"), (-64, "7f"), (64, "8001")]
)
def test_zigzag_interleaves_the_signs(number: int, encoded: str) -> None:
    """Signed numbers alternate: 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4."""
    assert encode_svarint(number).hex() == encoded


@given(UNSIGNED)
def test_a_cut_number_is_damage(number: int) -> None:
    """A number that the data ends in is refused, never guessed."""
    for length in range(len(encode_varint(number))):
        with pytest.raises(TraceError, match="ERR_TRACE_CORRUPT"):
            decode_varint(encode_varint(number)[:length])


@pytest.mark.parametrize("data", [b"\xff" * 11, b"\xff" * 9 + b"\x02", b"\x80" * 10 + b"\x01"])
def test_a_number_beyond_64_bits_is_damage(data: bytes) -> None:
    """More than ten bytes, or more than 64 bits in them, are refused."""
    with pytest.raises(TraceError, match="ERR_TRACE_CORRUPT"):
        decode_varint(data)


@pytest.mark.parametrize("number", [-1, 2**64])
def test_a_number_out_of_range_is_not_written(number: int) -> None:
    """What does not fit 64 bits is refused instead of cut."""
    with pytest.raises(ValueError, match="64-bit"):
        encode_varint(number)


@given(UNSIGNED, SIGNED, st.binary(max_size=40), st.text(max_size=20))
def test_a_cursor_reads_fields_in_order(plain: int, signed: int, raw: bytes, text: str) -> None:
    """Numbers, blobs and texts come back in the order in which they were put."""
    data = encode_varint(plain) + encode_svarint(signed) + foreign.blob(raw) + foreign.blob(text)
    cursor = Cursor(data)
    assert (cursor.varint(), cursor.svarint(), cursor.blob(), cursor.text()) == (
        plain,
        signed,
        raw,
        text,
    )
    assert cursor.position == len(data)


def test_a_blob_longer_than_the_record_is_damage() -> None:
    """A length that exceeds what is left is refused before anything is taken."""
    with pytest.raises(TraceError, match=r"inside a field .*length=5, offset=1, size=3"):
        Cursor(b"\x05ab").blob()


def test_a_cursor_ends_with_its_record() -> None:
    """A field that would continue in the bytes behind the record is damage."""
    data = b"\x05\x80\x01\x02"
    assert Cursor(data, 1, 3).varint() == 128
    assert not Cursor(data, 2, 2)
    for read in (Cursor(data, 1, 2).varint, Cursor(data, 2, 2).varint, Cursor(data, 2, 3).blob):
        with pytest.raises(TraceError, match="inside a field"):
            read()


def test_a_count_beyond_the_record_is_damage() -> None:
    """A record cannot claim more items than it has bytes, so that no list grows without input."""
    assert Cursor(b"\x02ab").count() == 2
    with pytest.raises(TraceError, match="more items than it has bytes"):
        Cursor(b"\x03ab").count()


def test_text_that_is_no_utf8_still_reads() -> None:
    """Foreign bytes in a text become replacement characters."""
    assert Cursor(b"\x03a\xffb").text() == "a�b"


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.binary(max_size=300)), max_size=20))
def test_pairs_are_cut_as_they_stand(items: list[tuple[int, bytes]]) -> None:
    """Pairs of a number and a blob come back as their own bytes, and the cursor is behind them."""
    pairs = [encode_varint(number) + encode_varint(len(blob)) + blob for number, blob in items]
    cursor = Cursor(b"".join(pairs) + b"rest")
    assert cursor.pairs(len(pairs)) == pairs
    assert cursor.raw(4) == b"rest"


@pytest.mark.parametrize(
    "data", [b"", b"\x80", b"\x01", b"\x01\x05abcd", b"\x01\x80", b"\x01\xff\x01"]
)
def test_a_pair_that_is_cut_is_damage(data: bytes) -> None:
    """A pair that reaches beyond its record is refused, also where the chunk goes on."""
    with pytest.raises(TraceError):
        Cursor(data + bytes(300), 0, len(data)).pairs(1)
