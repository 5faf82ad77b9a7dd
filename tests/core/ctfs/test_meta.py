"""The trace's own description."""

from __future__ import annotations

import struct

import pytest

from codetracer_core.ctfs.meta import TraceFilter, parse_meta
from codetracer_core.errors import TraceError
from core.ctfs import foreign


def test_filters_are_read_with_their_digests() -> None:
    """Filter provenance gives each filter's origin and SHA-256."""
    entry = foreign.blob("<inline:builtin>") + bytes(range(32))
    meta = parse_meta(foreign.meta(0x0F18, tail=foreign.many([entry])))
    assert meta.filters == (TraceFilter("<inline:builtin>", bytes(range(32)).hex()),)


def test_optional_blocks_before_the_filters_are_skipped() -> None:
    """Replay and layout blocks stand before the filters and do not disturb them."""
    entry = foreign.blob("f") + bytes(32)
    tail = b"\1" + struct.pack("<Q", 5) + foreign.blob(b"layout") + foreign.many([entry])
    assert parse_meta(foreign.meta(0x0F1E, tail=tail)).filters[0].path == "f"


def test_columns_depend_on_their_flag() -> None:
    """Bit 4 says whether steps carry columns."""
    assert parse_meta(foreign.meta(0x0F10)).columns
    assert not parse_meta(foreign.meta(0x0F00)).columns


def test_bytes_behind_the_known_fields_are_ignored() -> None:
    """A longer record, as a newer writer may make, still reads."""
    assert parse_meta(foreign.meta(tail=b"more")).program == "demo.py"


def test_every_cut_is_damage() -> None:
    """Metadata that ends early is refused wherever it ends."""
    whole = foreign.meta(0x0F18, tail=foreign.many([foreign.blob("f") + bytes(32)]))
    for length in range(len(whole)):
        with pytest.raises(TraceError, match="ERR_TRACE_CORRUPT"):
            parse_meta(whole[:length])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (foreign.meta(version=2), "not known"),
        (foreign.meta(version=4), "not known"),
        (foreign.meta(0x4F10), "not known"),
        (foreign.meta(0x0F11), "native code"),
    ],
)
def test_forms_that_are_not_known_are_refused(data: bytes, reason: str) -> None:
    """Other versions, unknown flags and native recordings are refused with the reason."""
    with pytest.raises(TraceError, match=rf"ERR_TRACE_FORMAT.*{reason}"):
        parse_meta(data)


def test_another_magic_is_damage() -> None:
    """Bytes that do not begin like metadata are refused."""
    with pytest.raises(TraceError, match="magic"):
        parse_meta(b"X" + foreign.meta()[1:])
