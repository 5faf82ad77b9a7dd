"""Streams of a trace: chunks, positions of lines, records without a position."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codetracer_core.ctfs.materialiser import materialise
from core.materialise.builder import Builder, Function
from core.materialise.comparison import check, folder, load
from naive import ct
from naive import journal as naive

LOOP = Function(1, "loop", line=2, slots=("i", "text"))
ERROR = naive.ExceptionObject("ValueError", ("no",))
STEPS_PER_CHUNK = 4096


def loop(builder: Builder, steps: int) -> None:
    """Record a call of ``steps`` steps, the entry step included."""
    builder.call(LOOP)
    for number in range(steps - 1):
        builder.step(3 + number % 2, {0: number})


def inflated(trace: ct.Trace, stream: str) -> tuple[list[bytes], int]:
    return ct.chunks(trace.files, stream)


def test_a_recording_without_steps_gets_one() -> None:
    """The trace of an empty recording has one step, at the start of the main script."""
    trace = check(Builder())
    assert [(step["path"], step["line"]) for step in trace.steps] == [("/w/demo.py", 1)]
    assert [call["function"] for call in trace.calls] == ["<toplevel>"]


@pytest.mark.parametrize("steps", [4095, 4096, 4097, 8193])
def test_chunks_of_steps_begin_with_a_position(steps: int) -> None:
    """Every chunk of steps opens with an absolute step, and only the last chunk is short."""
    builder = Builder()
    loop(builder, steps)
    chunks, per_chunk = inflated(check(builder), "steps")
    assert per_chunk == STEPS_PER_CHUNK
    assert len(chunks) == -(-steps // STEPS_PER_CHUNK)
    assert all(chunk[0] == 0 for chunk in chunks)


@pytest.mark.parametrize("unit", ["raise", "catch", "switch", "start", "exit"])
def test_a_record_without_a_position_does_not_open_a_chunk(unit: str) -> None:
    """Where such a record would open a chunk, a step repeats position and variables before it."""
    builder = Builder()
    loop(builder, STEPS_PER_CHUNK)
    {
        "raise": lambda: builder.raises(ERROR),
        "catch": lambda: builder.catches(ERROR),
        "switch": lambda: builder.switch(1),
        "start": lambda: builder.thread_start(1, "T"),
        "exit": lambda: builder.thread_exit(1),
    }[unit]()
    trace = check(builder)
    repeated = trace.steps[STEPS_PER_CHUNK]
    assert len(trace.steps) == STEPS_PER_CHUNK + 2
    assert (repeated["kind"], repeated["line"]) == ("line", trace.steps[-3]["line"])
    assert trace.values[STEPS_PER_CHUNK] == trace.values[STEPS_PER_CHUNK - 1]


def test_a_switch_to_the_running_thread_is_no_step() -> None:
    """The switch that each chunk of the journal begins with leaves no mark in the trace."""
    builder = Builder(chunk_bytes=50)
    loop(builder, 100)
    assert {step["kind"] for step in check(builder).steps} == {"line"}


def test_small_moves_are_deltas() -> None:
    """A move of -64 to 63 positions is a delta of one byte, a longer one is absolute."""
    builder = Builder()
    builder.call(Function(0, "f", line=100))
    for line in (163, 99, 163, 227, 162, 1):
        builder.step(line)
    (chunk,), _ = inflated(check(builder), "steps")
    cursor = ct.Bytes(chunk)
    tags = []
    while cursor.left():
        tags.append(cursor.take(1)[0])
        cursor.u()
    assert tags == [0, 1, 1, 0, 0, 0, 0]


def test_chunks_of_values_are_bounded() -> None:
    """Large records make chunks of values shorter, by powers of two, to at most 4 MiB."""
    builder = Builder()
    builder.call(LOOP)
    for number in range(100):
        builder.step(3, {0: number, 1: "x" * 60_000})
    chunks, per_chunk = inflated(check(builder), "values")
    assert per_chunk == 64
    assert max(map(len, chunks)) <= 4 << 20


def test_a_large_record_among_small_ones_shortens_no_chunk() -> None:
    """What is bounded is all of a chunk, wherever in it the large records are."""
    builder = Builder()
    builder.call(LOOP)
    for number in range(1000):
        builder.step(3, {0: number, 1: "x" * (60_000 if number % 9 == 0 else 100)})
    chunks, per_chunk = inflated(check(builder), "values")
    assert (per_chunk, len(chunks)) == (256, 4)


@given(st.lists(st.sampled_from([10, 9_000, 30_000, 300_000]), min_size=60, max_size=300))
@settings(max_examples=20)
def test_chunks_of_values_are_as_long_as_none_is_too_large(sizes: list[int]) -> None:
    """Twice as many records in each would exceed 4 MiB somewhere, unless there are 256."""
    builder = Builder()
    builder.call(LOOP)
    for number, size in enumerate(sizes):
        builder.step(3, {0: number, 1: "x" * size})
    chunks, per_chunk = inflated(check(builder), "values")
    assert max(map(len, chunks)) <= 4 << 20
    twice = [sum(map(len, chunks[at : at + 2])) for at in range(0, len(chunks), 2)]
    assert per_chunk == 256 or max(twice) > 4 << 20


def test_every_value_chunk_but_the_last_is_full() -> None:
    """Small records come 256 to a chunk."""
    builder = Builder()
    loop(builder, 1000)
    chunks, per_chunk = inflated(check(builder), "values")
    assert (per_chunk, len(chunks)) == (256, 4)


def positions(source: bytes | None, lines: list[int]) -> tuple[ct.Trace, list[int]]:
    """Return a trace with steps on ``lines`` of a source file, and its table of line lengths."""
    with folder() as directory:
        path = directory / "program.py"
        if source is not None:
            path.write_bytes(source)
        builder = Builder()
        builder.call(Function(0, "f", line=1, path=str(path)))
        for line in lines:
            builder.step(line)
        made = materialise(builder.write(directory), directory)
        trace = ct.load(made.path)
    assert [step["line"] for step in trace.steps[1:]] == lines
    assert {step["column"] for step in trace.steps} == {1}
    (record,) = [one for one in ct.table(trace.files, "paths") if str(path).encode() in one]
    return trace, ct.read_path(record, columns=True)[1]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_have_the_length_of_their_source(newline: str) -> None:
    """Each line takes its bytes without the newline, and one more; the last newline is optional."""
    source = newline.join(["x = 1", "", "s = 'é'", "    pass"]).encode()
    assert positions(source, [1, 2, 3, 4])[1] == [6, 1, 9, 9]
    assert positions(source + newline.encode(), [4])[1] == [6, 1, 9, 9]


def test_lines_beyond_the_source_get_a_position() -> None:
    """A line that the code refers to but the source does not have takes one position."""
    assert positions(b"a\nbb\n", [2, 5])[1] == [2, 3, 1, 1, 1]


def test_an_empty_source_has_a_position() -> None:
    """Readers place all later files wrongly after one that takes no position."""
    assert positions(b"", [1])[1] == [1]


def test_an_unknown_source_has_one_position_a_line() -> None:
    """Lines up to the highest one of the trace take one position each."""
    _, lengths = positions(None, [7, 3])
    assert lengths == [1] * 7


def test_absurd_lines_are_clamped() -> None:
    """A line number beyond any source takes the last place that the trace has room for."""
    builder = Builder()
    builder.call(Function(0, "f", line=0))
    builder.step(1 << 40)
    trace, _, _ = load(builder)
    assert [step["line"] for step in trace.steps] == [1, 1 << 20]


def test_the_main_script_is_path_0() -> None:
    """The main script is the first path, also when its first step comes late or never."""
    builder = Builder()
    builder.call(Function(0, "f", path="/w/other.py"))
    assert check(builder).paths == ["/w/demo.py", "/w/other.py"]


def test_paths_of_any_bytes_are_shown() -> None:
    """A path that is not valid Unicode is escaped in the trace and exact in the list of sources."""
    builder = Builder()
    builder.call(Function(0, "f", path="/w/\udcff.py"))
    with folder() as directory:
        made = materialise(builder.write(directory), directory)
        assert ct.load(made.path).paths == ["/w/demo.py", "/w/\\udcff.py"]


def test_the_stream_of_events_is_there_and_empty(tmp_path: Path) -> None:
    """Readers expect the stream of output events in every trace."""
    trace = ct.load(materialise(Builder().write(tmp_path), tmp_path).path)
    assert trace.events == []
    assert trace.files["events.idx"] == struct.pack("<I", 64)
