"""Zstandard frames of chunks."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetracer_core._zstd import FrameCompressor, compress, decompress
from codetracer_core.errors import TraceError


@given(st.binary(max_size=5000), st.integers(1, 5))
def test_frames_survive_a_round_trip(data: bytes, level: int) -> None:
    """What was compressed at any level inflates to itself."""
    assert decompress(compress(data, level), len(data)) == data


@given(st.lists(st.binary(max_size=3000), max_size=6))
def test_a_frame_can_be_made_piece_by_piece(pieces: list[bytes]) -> None:
    """A frame with a pledged size states it, so that it inflates like any other."""
    data = b"".join(pieces)
    frame = FrameCompressor(len(data))
    made = b"".join([*map(frame.compress, pieces), frame.finish()])
    assert decompress(made, len(data)) == data


@pytest.mark.parametrize("size", [3, 5])
def test_a_broken_pledge_is_refused(size: int) -> None:
    """A frame whose content is not as long as pledged is never finished."""
    frame = FrameCompressor(4)
    with pytest.raises(Exception, match="Src size is incorrect"):
        frame.compress(bytes(size)) + frame.finish()


def test_a_frame_larger_than_the_limit_is_not_inflated() -> None:
    """The stated size is checked before anything is inflated."""
    with pytest.raises(TraceError, match=r"too large.*limit=999999, size=1000000"):
        decompress(compress(bytes(1_000_000)), 999_999)


@pytest.mark.parametrize("cut", [1, 4, 40, 100_000])
def test_a_cut_frame_is_damage(cut: int) -> None:
    """A frame that ends early is refused wherever it was cut."""
    frame = compress(os.urandom(300_000))
    with pytest.raises(TraceError, match="ERR_TRACE_CORRUPT"):
        decompress(frame[:-cut], 1 << 20)


def test_only_one_frame_is_accepted() -> None:
    """A second frame behind the first is refused."""
    with pytest.raises(TraceError, match="something follows"):
        decompress(compress(b"one") + compress(b"two"), 100)


def test_a_frame_must_state_its_size() -> None:
    """A frame without a content size is refused, as other readers do."""
    unsized = bytes.fromhex("28b52ffd 00 58 190000 616263")
    with pytest.raises(TraceError, match="does not state its content size"):
        decompress(unsized, 100)
