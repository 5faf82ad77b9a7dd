"""Packed names of the container's directory."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetracer_core.ctfs.base40 import pack_name, unpack_name
from codetracer_core.errors import TraceError, UsageError
from core.ctfs import foreign

NAMES = st.text("0123456789abcdefghijklmnopqrstuvwxyz./-", min_size=1, max_size=12)


@given(NAMES)
def test_names_survive_a_round_trip(name: str) -> None:
    """A legal name packs to 64 bits and unpacks to itself."""
    assert pack_name(name) == foreign.packed(name) < 2**64
    assert unpack_name(pack_name(name)) == name


def test_a_known_name_has_its_known_number() -> None:
    """The first character is the least significant digit."""
    assert pack_name("meta.dat") == 0x0000_0483_416F_CBEF


@pytest.mark.parametrize("name", ["", "Meta.dat", "a_b", "é", "thirteen.char", "a\0b"])
def test_an_illegal_name_is_refused(name: str) -> None:
    """Capitals, underscores, other characters and more than twelve of them are refused."""
    with pytest.raises(UsageError, match="ERR_CTFS_NAME"):
        pack_name(name)


@given(st.integers(-1, 2**64))
def test_a_number_unpacks_to_its_name_or_is_damage(number: int) -> None:
    """Every number either is the packed form of one name or is refused."""
    with suppress(TraceError):
        assert pack_name(unpack_name(number)) == number


@pytest.mark.parametrize("number", [0, 40, 40**12])
def test_a_number_without_a_name_is_damage(number: int) -> None:
    """Zero, an inner NUL and a thirteenth digit stand for no name."""
    with pytest.raises(TraceError, match="no file name"):
        unpack_name(number)
