"""Damaged and hostile files: each gives an answer or a trace error, soon and in little memory."""

from __future__ import annotations

import struct
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codetracer_core._zstd import compress
from codetracer_core.ctfs.reader import Trace
from codetracer_core.errors import TraceError
from core.ctfs import foreign
from core.ctfs.foreign import Foreign, svarint, varint

if TYPE_CHECKING:
    from pathlib import Path

ANY_FOLDER = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300
)


def sample() -> Foreign:
    steps = 60
    values = [
        foreign.variables(
            (0, foreign.number(number)),
            (1, foreign.value("String", text=f"text {number}", type_id=1)),
        )
        for number in range(steps)
    ]
    return Foreign(
        steps=[b"\0" + varint(number % 22) for number in range(steps)],
        values=values,
        calls=[
            foreign.call(-1, 0, 59, 0, [1]),
            foreign.call(0, 10, 20, 1, arguments=[(0, foreign.number(1))]),
        ],
        events=[foreign.event(0, 5, "text", '{"stream":"stdout"}')],
        per_chunk={"steps": 16, "values": 8, "calls": 1},
    )


SAMPLE = foreign.container(sample().files(), block_size=1024)
# The directory and the block maps decide most: a flip there is worth more than one in padding.
USED = [offset for offset, byte in enumerate(SAMPLE) if byte]


def refused(path: Path) -> bool:
    """Whether reading everything in `path` ends with a trace error, which tells where."""
    try:
        read_everything(path)
    except TraceError as error:
        assert error.context["offset"].isdigit(), error
        return True
    return False


def read_everything(path: Path) -> None:
    with Trace(path) as trace:
        for names in (trace.paths, trace.functions, trace.types, trace.variable_names):
            list(names)
        for step in trace.steps():
            trace.variables(step.index)
            trace.call_of_step(step.index)
        for call in trace.calls():
            list(trace.children(call.key))
        for event in trace.events():
            assert event.stream


def test_the_sample_itself_is_sound(tmp_path: Path) -> None:
    """The file that the tests below damage reads without an error."""
    path = tmp_path / "sample.ct"
    path.write_bytes(SAMPLE)
    read_everything(path)


@pytest.mark.parametrize("blocks", range(len(SAMPLE) // 1024))
@pytest.mark.parametrize("rest", [0, 1, 500])
def test_a_cut_file_is_a_trace_error(tmp_path: Path, blocks: int, rest: int) -> None:
    """A trace that ends at or inside any block is refused, never read as something else."""
    path = tmp_path / "cut.ct"
    path.write_bytes(SAMPLE[: blocks * 1024 + rest])
    assert refused(path)


@ANY_FOLDER
@given(st.lists(st.tuples(st.sampled_from(USED), st.integers(1, 255)), min_size=1, max_size=4))
def test_flipped_bits_are_an_answer_or_a_trace_error(
    tmp_path: Path, flips: list[tuple[int, int]]
) -> None:
    """Whatever bytes change, reading ends with data or with a trace error that tells the offset."""
    data = bytearray(SAMPLE)
    for offset, mask in flips:
        data[offset] ^= mask
    path = tmp_path / "flipped.ct"
    path.write_bytes(data)
    refused(path)


@ANY_FOLDER
@given(st.sampled_from(sorted(sample().files())), st.binary(max_size=40))
def test_garbage_in_any_internal_file_is_an_answer_or_a_trace_error(
    tmp_path: Path, name: str, data: bytes
) -> None:
    """An internal file of arbitrary bytes, also inside a sound frame, harms nothing else."""
    path = tmp_path / "garbage.ct"
    for content in (data, compress(data)):
        path.write_bytes(foreign.container({**sample().files(), name: content}, block_size=1024))
        refused(path)


TWO_A_CHUNK = struct.pack("<IQ", 2, 0)


def damaged(tmp_path: Path, made: Foreign, **files: bytes) -> Path:
    path = tmp_path / "damaged.ct"
    replaced = {name.replace("_", "."): data for name, data in files.items()}
    path.write_bytes(foreign.container({**made.files(), **replaced}))
    return path


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"steps_idx": b"\0\0\0\0"}, "hold no records"),
        ({"steps_idx": b"\0\x10\0"}, "index of a stream is cut"),
        ({"steps_idx": b"\0\x10\0\0" + bytes(7)}, "index of a stream is cut"),
        ({"steps_idx": struct.pack("<IQ", 4096, 10**6)}, "range outside"),
        ({"steps_dat": compress(b"\0\0" * 3), "steps_idx": TWO_A_CHUNK}, "wrong number"),
        ({"steps_dat": compress(b""), "steps_idx": TWO_A_CHUNK}, "wrong number"),
        ({"steps_dat": compress(b"\x09\0")}, "unknown tag"),
        ({"steps_dat": compress(b"\0\0\1" + svarint(-1))}, "impossible position"),
        ({"steps_dat": compress(b"\0" + varint(1 << 63))}, "impossible position"),
        ({"steps_dat": compress(b"\2\0\x7f")}, "inside a field"),
        ({"steps_dat": b"not a frame"}, "Zstandard frame is damaged"),
        ({"paths_off": bytes(9)}, "whole number of offsets"),
        ({"paths_off": struct.pack("<QQ", 5, 2)}, "range outside"),
        ({"paths_dat": foreign.line_table("/w/demo.py", [5, -9, 8])[:15]}, "impossible line"),
    ],
)
def test_damaged_streams_are_named(tmp_path: Path, files: dict[str, bytes], reason: str) -> None:
    """Indexes, frames, records and tables that cannot be are refused with what is wrong."""
    path = damaged(tmp_path, Foreign(), **files)
    with pytest.raises(TraceError, match=f"ERR_TRACE_CORRUPT.*{reason}"):
        read_everything(path)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"\1\0", "form that is not known"),
        (b"\0\x7f", "more items than it has bytes"),
        (foreign.variables((0, b"\x9f")), "a value is damaged"),
        (foreign.variables((0, b"\x81" * 5000)), "nested too deeply"),
    ],
)
def test_damaged_values_are_named(tmp_path: Path, record: bytes, reason: str) -> None:
    """A record of values that cannot be is refused with what is wrong."""
    with Trace(Foreign(values=[record]).write(tmp_path)) as trace:
        with pytest.raises(TraceError, match=reason):
            trace.variables(0)
        assert trace.step(0).line == 1


def test_calls_that_are_their_own_parents_end(tmp_path: Path) -> None:
    """Looking for the call of a step ends also when parents form a circle."""
    calls = [foreign.call(1, 0, 0), foreign.call(0, 0, 0), foreign.call(2, 0, 0)]
    made = Foreign(steps=[b"\0\0"] * 5, calls=calls)
    with (
        Trace(made.write(tmp_path)) as trace,
        pytest.raises(TraceError, match="entered after it"),
    ):
        trace.call_of_step(4)


def test_a_bomb_is_not_inflated(tmp_path: Path) -> None:
    """A chunk that claims more than 256 MB is refused before memory is taken for it."""
    frame = bytearray(compress(bytes(1 << 20)))
    head = bytes.fromhex("28b52ffd e0") + struct.pack("<Q", 1 << 40)
    path = damaged(tmp_path, Foreign(), steps_dat=head + bytes(frame[9:]))
    with pytest.raises(TraceError, match="too large"):
        read_everything(path)


def test_random_files_are_refused(tmp_path: Path) -> None:
    """Files of noise, with and without the magic, are trace errors."""
    for seed in range(50):
        noise = Random(seed).randbytes(20_000)
        path = tmp_path / "noise.ct"
        for data in (noise, foreign.header() + noise, foreign.header(1024, 4, 2**31) + noise):
            path.write_bytes(data)
            assert refused(path)
