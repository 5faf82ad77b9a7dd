"""Journals whose frames are whole and whose records are not: damage is found, never followed."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codetracer_core.ctfs.materialiser import MaterialisedTrace, materialise
from core.materialise import builder as files
from core.materialise.builder import Builder, Function, uv
from core.materialise.comparison import folder
from core.materialise.programs import OPERATIONS, record
from naive import ct

F = Function(0, "f", slots=("x", "y"), globals=("g",))


def opening() -> bytes:
    """Records that define a function and call it with ``x`` = [1, 2]."""
    builder = Builder()
    builder.call(F, {0: [1, 2]})
    return bytes(builder.out)


def materialised(records: bytes, directory: Path) -> tuple[MaterialisedTrace, ct.Trace]:
    path = directory / "trace.x.ctj"
    chunk = files.chunk_header(1, len(records)) + records
    path.write_bytes(files.header() + files.frame(2, 1, chunk) + files.frame(3, 0, b"{}"))
    made = materialise(path, directory)
    return made, ct.load(made.path)


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        (b"\x80\x41\x41", "a difference to a value that is not there"),
        (b"\x80\x40\x41", "a difference to a value that is not there"),
        (b"\x80\x40\x0c\x05", "a difference to a value that is not there"),
        (b"\x80\x40\x20\x05\x05\x03", "a difference to a value that is not there"),
        (b"\x80\x40\x20\x01\x01\x02", "a difference to a value that is not there"),
        (b"\x80\x42\x01", "an id that was not defined"),
        (b"\x80\x7b\x01\x01", "an id that was not defined"),
        (b"\x80\x7d\x63\x01", "an id that was not defined"),
        (b"\x80\x40\x23\x05\x00", "an id that was not defined"),
        (b"\x04\x05", "an id that was not defined"),
        (b"\x08\x01\x80", "a step outside of any function"),
        (b"\x08\x01\x08\x01", "a step outside of any function"),
        (b"\x20", "a record of an unknown kind"),
        (b"\x80\x40\x3f\x01", "a chunk ends inside a record"),
        (b"\x80\x40\x26\x80\x40\x31", "a record of an unknown kind"),
        (b"\x80\x40\x2e\x00", "a difference to a value that is not there"),
        (b"\x80\x40\x2d\x80\x10\x80", "a difference to a value that is not there"),
        (b"\x80\x40\x2d\x00\x2d\x01\x80", "a difference to a value that is not there"),
        (b"\x80\x40\x2d\x00\x80\x2f\x00\x01\x00\x80", "a record of an unknown kind"),
        (
            b"\x80\x40\x2d\x00\x80\x41\x2f\x00\x01\x00\x80",
            "a difference to a value that is not there",
        ),
        (b"\x00\x80", "a record of an unknown kind"),
        (b"\x80\x40\x0a\x05abc", "a chunk ends inside a record"),
        (b"\x80\x40\x11" + uv(1 << 60) + b"\x01", "a chunk ends inside a record"),
        (b"\xff" + b"\xff" * 10, "a number is too large"),
        (b"\x80\x40" + b"\x10\x01" * 1000 + b"\x01", "values nested too deep"),
        (b"\x02" + uv(1 << 50) + b"\x01n", "a record that is too large"),
        (b"\x0c" + uv(1 << 50), "a record that is too large"),
    ],
)
def test_damage_is_named_and_what_came_before_is_kept(
    tmp_path: Path, records: bytes, reason: str
) -> None:
    """A record that breaks a rule ends the trace there, with its chunk, its offset and the rule."""
    start = opening()
    made, trace = materialised(start + records, tmp_path)
    (damage,) = made.damage
    assert damage.startswith("chunk 1, byte ")
    assert damage.endswith(reason)
    offset = int(damage.split(":")[0].rsplit(" ", 1)[1])
    assert 128 + len(start) <= offset < 128 + len(start) + len(records)
    assert not made.complete
    assert trace.steps[0]["kind"] == "line"
    assert trace.values[0][0][0] == "x"


@settings(max_examples=100)
@given(OPERATIONS, st.integers(0, 1 << 32))
def test_damaged_records_give_a_trace_that_reads(
    operations: list[tuple[Any, ...]], seed: int
) -> None:
    """Whatever bytes change in a chunk, the container is whole and names its damage."""
    random = Random(seed)
    records = bytearray(record(operations).out)
    for _ in range(random.randrange(1, 5)):
        at = random.randrange(len(records))
        change = random.randrange(3)
        if change == 0:
            records[at] = random.randrange(256)
        elif change == 1:
            records.insert(at, random.randrange(256))
        elif len(records) > 1:
            del records[at]
    with folder() as directory:
        made, trace = materialised(bytes(records), directory)
    assert len(trace.steps) == len(trace.values) == made.steps
    assert len(trace.calls) == made.calls
    for call in trace.calls:
        assert 0 <= call["first"] <= call["last"] < made.steps


def test_unset_and_unknown_parts_are_skipped(tmp_path: Path) -> None:
    """Extensions of units, items and values are passed over, as a newer recorder may write them."""
    extensions = b"\x30\x03abc" + b"\x80\x7f\x01\x02zz\x41\x85\x7f\x02\x00" + b"\x3f\x00" + b"\x80"
    made, trace = materialised(opening() + extensions, tmp_path)
    assert made.complete
    assert [[name for name, _ in values] for values in trace.values] == [
        ["x"],
        ["x", "y"],
        ["x", "y"],
    ]


def test_a_chunk_of_another_version_ends_the_trace(tmp_path: Path) -> None:
    """A chunk header that is not ours is damage of that chunk."""
    path = tmp_path / "trace.x.ctj"
    chunk = bytearray(files.chunk_header(1, 0))
    chunk[4] = 9
    path.write_bytes(files.header() + files.frame(2, 1, bytes(chunk)) + files.frame(3, 0, b"{}"))
    assert materialise(path, tmp_path).damage == (
        "chunk 1, byte 0: a chunk without a valid header",
    )
