"""Traces of any writer, read at random."""

from __future__ import annotations

import gc
import os
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codetracer_core.ctfs.reader import Trace, TraceIndexError
from codetracer_core.ctfs.streams import Records
from codetracer_core.ctfs.varint import Cursor
from codetracer_core.errors import TraceError
from core.ctfs import foreign
from core.ctfs.foreign import Foreign, svarint, varint
from naive import ct as naive

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ANY_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
LINE_ONLY = 0x0F00


def places(trace: Trace) -> list[tuple[str, int, int | None]]:
    return [(step.path, step.line, step.column) for step in trace.steps()]


@st.composite
def traces(draw: st.DrawFn) -> tuple[Foreign, dict[str, Any]]:
    """Draw a trace with steps of all kinds, nested calls, several chunks and any block layout."""
    sources = draw(
        st.lists(
            st.lists(st.integers(0, 30), min_size=1, max_size=6).filter(any), min_size=1, max_size=4
        )
    )
    end = sum(map(sum, sources)) - 1
    per_chunk = draw(st.integers(1, 7))
    count = draw(st.integers(1, 25))
    steps, position = [], 0
    for number in range(count):
        if number % per_chunk == 0:
            position = 0
        target = draw(st.integers(0, end))
        kind = draw(st.sampled_from("adcrktse"))
        first = number % per_chunk == 0
        if kind == "a" or first:
            steps.append(b"\0" + varint(target))
            position = target
        elif kind in "dc":
            steps.append((b"\1" if kind == "d" else b"\7") + svarint(target - position))
            position = target
        elif kind == "r":
            steps.append(b"\2\0" + foreign.blob("message"))
        elif kind == "k":
            steps.append(b"\3\1")
        else:
            steps.append({"t": b"\4", "s": b"\5", "e": b"\6"}[kind] + varint(number))
    numbers = st.lists(st.integers(-1000, 1000), max_size=3)
    rows = numbers.map(lambda row: foreign.variables(*enumerate(map(foreign.number, row))))
    values = [draw(st.just(b"") | rows) for _ in range(count)]
    made = Foreign(
        paths=[foreign.line_table(f"/w/{number}.py", row) for number, row in enumerate(sources)],
        varnames=[b"a", b"b", b"c"],
        steps=steps,
        values=values,
        calls=draw(nested_calls(count)),
        events=[foreign.event(0, step, f"{step}") for step in range(0, count, 3)],
        per_chunk={"steps": per_chunk, "values": draw(st.integers(1, 5)), "calls": 3, "events": 2},
    )
    layout = {
        "block_size": draw(st.sampled_from([1024, 2048, 4096])),
        "version": draw(st.integers(2, 4)),
        "order": draw(st.randoms(use_true_random=False)),
    }
    return made, layout


@st.composite
def nested_calls(draw: st.DrawFn, count: int) -> list[bytes]:
    """Draw calls in entry order, each inside its parent and after its elder siblings."""
    rows: list[tuple[int, int, int, int]] = []

    def enter(parent: int, first: int, last: int, depth: int) -> None:
        key = len(rows)
        rows.append((parent, first, last, depth))
        at = first
        while depth < 4 and at <= last and draw(st.booleans()):
            start = draw(st.integers(at, last))
            end = draw(st.integers(start, last))
            enter(key, start, end, depth + 1)
            at = end + 1

    enter(-1, 0, draw(st.integers(0, count - 1)), 0)
    calls = []
    for key, row in enumerate(rows):
        children = [child for child, (parent, *_) in enumerate(rows) if parent == key]
        calls.append(foreign.call(*row, children))
    return calls


@ANY_FOLDER
@given(traces())
def test_foreign_layouts_read_as_the_naive_decoder_reads_them(
    tmp_path: Path, drawn: tuple[Foreign, dict[str, Any]]
) -> None:
    """Every step, variable, call and event of any layout equals what the naive decoder finds."""
    made, layout = drawn
    path = made.write(tmp_path, **layout)
    known = naive.load(path)
    with Trace(path) as trace:
        assert list(trace.paths) == known.paths
        steps = [(step.kind, step.path, step.line, step.column) for step in trace.steps()]
        keys = ("kind", "path", "line", "column")
        assert steps == [tuple(step[key] for key in keys) for step in known.steps]
        for number, row in enumerate(known.values):
            shown = [(item.name, item.value.data) for item in trace.variables(number)]
            assert shown == [(name, value["i"]) for name, value in row]
        for key, call in enumerate(known.calls):
            read = trace.call(key)
            assert (read.parent, read.first_step, read.last_step, read.depth) == (
                call["parent"],
                call["first"],
                call["last"],
                call["depth"],
            )
            assert list(trace.children(key)) == call["children"]
        for number in range(len(trace)):
            covering = [
                key
                for key, call in enumerate(known.calls)
                if call["first"] <= number <= call["last"]
            ]
            owner = trace.call_of_step(number)
            assert (owner.key if owner else None) == (max(covering) if covering else None)
        assert [(event.step, event.content) for event in trace.events()] == [
            (event["step"], event["content"]) for event in known.events
        ]


@ANY_FOLDER
@given(st.data())
def test_the_order_of_reading_does_not_matter(tmp_path: Path, data: st.DataObject) -> None:
    """Steps read in any order, again and again, are those of one pass."""
    count = 200
    made = Foreign(
        paths=[foreign.line_table("/w/a.py", [1] * count)],
        steps=[b"\0" + varint(number) for number in range(count)],
        values=[foreign.variables((0, foreign.number(number))) for number in range(count)],
        per_chunk={"steps": 16, "values": 8},
    )
    with Trace(made.write(tmp_path)) as trace:
        for number in data.draw(st.lists(st.integers(0, count - 1), max_size=30)):
            assert trace.step(number).line == number + 1
            assert trace.variables(number)[0].value.data == number


def test_all_kinds_of_steps_are_told_apart(tmp_path: Path) -> None:
    """Exceptions carry type and message, thread events their thread, and all keep the position."""
    made = Foreign(
        types=[b"int", b"ValueError"],
        steps=[
            b"\0\5",
            b"\2\1" + foreign.blob("no such thing"),
            b"\3\1",
            b"\4\7",
            b"\5\x08",
            b"\6\x09",
            b"\7" + svarint(2),
            b"\1" + svarint(-7),
        ],
    )
    with Trace(made.write(tmp_path)) as trace:
        steps = list(trace.steps())
    assert [(step.kind, step.line, step.column) for step in steps] == [
        ("line", 2, 1),
        ("raise", 2, 1),
        ("catch", 2, 1),
        ("thread-switch", 2, 1),
        ("thread-start", 2, 1),
        ("thread-exit", 2, 1),
        ("column", 2, 3),
        ("line", 1, 1),
    ]
    assert [(step.exception, step.message) for step in steps[1:3]] == [
        ("ValueError", "no such thing"),
        ("ValueError", ""),
    ]
    assert [step.thread for step in steps] == [None, None, None, 7, 8, 9, None, None]


def test_a_chunk_that_opens_with_a_thread_event_starts_at_zero(tmp_path: Path) -> None:
    """Positions count from 0 in each chunk, also where a writer forgot to restate them."""
    made = Foreign(steps=[b"\0\x0e", b"\4\1", b"\1" + svarint(5), b"\1\0"], per_chunk={"steps": 1})
    with Trace(made.write(tmp_path)) as trace:
        assert [step.line for step in trace.steps()] == [3, 1, 2, 1]


@pytest.mark.parametrize(
    ("position", "place"),
    [
        (0, ("/a", 1, 1)),
        (4, ("/a", 1, 5)),
        (5, ("/a", 3, 1)),
        (7, ("/a", 3, 3)),
        (8, ("/c", 2, 1)),
        (9, ("", 0, None)),
        (10**12, ("", 0, None)),
    ],
)
def test_lines_and_files_without_columns_have_no_positions(
    tmp_path: Path, position: int, place: tuple[str, int, int | None]
) -> None:
    """Empty lines and files share their start with what follows; beyond the last is nowhere."""
    paths = [
        foreign.line_table("/a", [5, 0, 3]),
        foreign.line_table("/b", []),
        foreign.line_table("/c", [0, 1]),
        foreign.blob("/d"),
    ]
    made = Foreign(paths=paths, steps=[b"\0" + varint(position)])
    with Trace(made.write(tmp_path)) as trace:
        assert list(trace.paths) == ["/a", "/b", "/c", "/d"]
        assert places(trace) == [place]


@pytest.mark.parametrize(
    ("position", "place"),
    [
        (7, ("/a", 7, None)),
        (100_009, ("/b", 9, None)),
        ((1 << 32) + 123_456, ("/b", 123_456, None)),
        (300_000, ("/a", 300_000, None)),
        (5 << 32, ("", 0, None)),
    ],
)
def test_line_only_positions_of_both_writers_are_read(
    tmp_path: Path, position: int, place: tuple[str, int, int | None]
) -> None:
    """Without columns a number is 100,000 a path or 32 bits a path, whichever fits the paths."""
    made = Foreign(flags=LINE_ONLY, paths=[b"/a", b"/b"], steps=[b"\0" + varint(position)])
    with Trace(made.write(tmp_path)) as trace:
        assert places(trace) == [place]


def test_steps_can_be_cut_to_a_range(tmp_path: Path) -> None:
    """A range of steps ends at the end of the trace."""
    made = Foreign(steps=[b"\0\0"] * 5)
    with Trace(made.write(tmp_path)) as trace:
        assert len(trace) == 5
        assert [step.index for step in trace.steps(1, 3)] == [1, 2]
        assert [step.index for step in trace.steps(3, 100)] == [3, 4]
        assert [step.index for step in trace.steps(9)] == []


def test_what_is_not_there_is_an_index_error(tmp_path: Path) -> None:
    """A step, call or event beyond the end is refused with the numbers that exist."""
    with Trace(Foreign().write(tmp_path)) as trace:
        for number in (-1, 1):
            with pytest.raises(TraceIndexError, match=f"ERR_TRACE_INDEX.*no step {number}"):
                trace.step(number)
            with pytest.raises(IndexError):
                trace.variables(number)
            with pytest.raises(IndexError):
                trace.call_of_step(number)
        with pytest.raises(IndexError):
            trace.call(0)
        with pytest.raises(IndexError):
            trace.children(0)
        with pytest.raises(IndexError):
            trace.event(0)


def test_calls_have_arguments_results_and_exceptions(tmp_path: Path) -> None:
    """Arguments, return value, exception and children of a call are decoded."""
    failed = foreign.value("Raw", r="ValueError('no')", type_id=1)
    made = Foreign(
        funcs=[b"main", b"f"],
        types=[b"int", b"ValueError"],
        steps=[b"\0\0"] * 4,
        calls=[
            foreign.call(-1, 0, 3, 0, [1]),
            foreign.call(
                0, 1, 2, 1, function=1, arguments=[(1, foreign.number(5))], exception=failed
            ),
        ],
    )
    with Trace(made.write(tmp_path)) as trace:
        root, call = trace.calls()
        assert trace.call_count == 2
        assert (root.function, root.return_value.kind, root.exception) == ("main", "Void", None)
        assert (call.function, call.depth, call.child_count) == ("f", 1, 0)
        assert [(item.name, item.value.text()) for item in call.arguments] == [("y", "5")]
        assert call.exception is not None
        assert call.exception.text() == "ValueError('no')"
        assert list(trace.children(0)) == [1]


def test_finding_a_call_does_not_visit_its_siblings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 20,000 sibling calls only those on the way of a binary search are read."""
    siblings = 20_000
    calls = [foreign.call(-1, 0, 2 * siblings, 0, range(1, siblings + 1))]
    calls += [foreign.call(0, 2 * number, 2 * number, 1) for number in range(siblings)]
    made = Foreign(calls=calls, steps=[b"\0\0"] * (2 * siblings + 1))
    reads = []
    record = Records.record

    def counted(records: Records, number: int) -> Cursor:
        reads.append(number)
        return record(records, number)

    with Trace(made.write(tmp_path)) as trace:
        monkeypatch.setattr(Records, "record", counted)
        owners = [trace.call_of_step(number) for number in (20_000, 20_001)]
    assert [owner.key for owner in owners if owner] == [10_001, 0]
    assert len(reads) < 50


def test_events_are_found_by_their_steps(tmp_path: Path) -> None:
    """Events can be cut to the steps they belong to."""
    made = Foreign(
        steps=[b"\0\0"] * 10,
        events=[foreign.event(0, step, f"{step}") for step in (0, 0, 3, 3, 3, 7)],
        per_chunk={"events": 2},
    )
    with Trace(made.write(tmp_path)) as trace:
        assert trace.event_count == 6
        assert [event.index for event in trace.events()] == [0, 1, 2, 3, 4, 5]
        assert [event.index for event in trace.events(3, 4)] == [2, 3, 4]
        assert [event.index for event in trace.events(1)] == [2, 3, 4, 5]
        assert [event.index for event in trace.events(8)] == []
        assert [event.index for event in trace.events(0, 1)] == [0, 1]


@pytest.mark.parametrize(
    ("kind", "metadata", "stream"),
    [
        (0, "", "stdout"),
        (1, "", "stdout"),
        (99, "", "stdout"),
        (12, "", "stderr"),
        (13, "", "stderr"),
        (4, "", "file"),
        (11, "", "error"),
        (4, '{"stream": "stdin"}', "stdin"),
        (0, '{"stream": "stderr"}', "stderr"),
        (0, '{"stream": 5}', "stdout"),
        (0, "{broken", "stdout"),
        (0, '{"a":' + "[" * 50_000, "stdout"),
    ],
)
def test_the_stream_of_an_event_is_named(
    tmp_path: Path, kind: int, metadata: str, stream: str
) -> None:
    """The metadata names the stream where it can, else the kind does."""
    made = Foreign(events=[foreign.event(kind, 0, "text", metadata)])
    with Trace(made.write(tmp_path)) as trace:
        assert trace.event(0).stream == stream


def test_empty_streams_and_tables_are_no_damage(tmp_path: Path) -> None:
    """A trace with nothing in it has no steps, names, calls or events."""
    made = Foreign(paths=(), funcs=(), types=(), varnames=(), steps=(), values=())
    with Trace(made.write(tmp_path)) as trace:
        assert (len(trace), trace.call_count, trace.event_count) == (0, 0, 0)
        assert list(trace.paths) == list(trace.functions) == []
        assert not any((list(trace.steps()), list(trace.calls()), list(trace.events())))


@pytest.mark.parametrize(
    "missing",
    [
        ("paths.dat",),
        ("funcs.off", "types.dat", "varnames.dat"),
        ("values.idx",),
        ("calls.dat", "calls.idx"),
        ("events.dat",),
    ],
)
def test_optional_parts_may_be_absent(tmp_path: Path, missing: Sequence[str]) -> None:
    """Without names, values, calls or events the rest of a trace still reads."""
    made = Foreign(
        values=[foreign.variables((0, foreign.number(1)))],
        calls=[foreign.call(-1, 0, 0)],
        events=[foreign.event(0, 0, "text")],
        leave_out=missing,
    )
    with Trace(made.write(tmp_path)) as trace:
        assert trace.step(0).line == (0 if "paths.dat" in missing else 1)
        names = [item.name for item in trace.variables(0)]
        assert names in ([], ["x"], ["<unknown 0>"])
        assert [call.function for call in trace.calls()] in ([], ["<module>"], ["<unknown 0>"])
        assert len(list(trace.events())) == trace.event_count


@pytest.mark.parametrize("missing", ["steps.dat", "meta.dat"])
def test_a_trace_without_its_core_is_incomplete(tmp_path: Path, missing: str) -> None:
    """Without steps or metadata a file is refused as an unfinished recording."""
    with pytest.raises(TraceError, match=f"ERR_TRACE_UNFINISHED.*no {missing}"):
        Trace(Foreign(leave_out=[missing]).write(tmp_path))
    with pytest.raises(TraceError, match=r"ERR_TRACE_UNFINISHED.*no meta.dat"):
        Trace(Foreign(meta=b"").write(tmp_path))


def test_the_single_stream_layout_is_named(tmp_path: Path) -> None:
    """A container with events.log is refused as the old layout that it is."""
    path = tmp_path / "old.ct"
    path.write_bytes(foreign.container({"events.log": b"x", "meta.dat": foreign.meta()}))
    with pytest.raises(TraceError, match=r"ERR_TRACE_FORMAT.*single-stream"):
        Trace(path)


@pytest.mark.parametrize(
    ("bit", "stem"), [(0x100, "calls"), (0x200, "steps"), (0x400, "values"), (0x800, "events")]
)
def test_retired_streams_are_named(tmp_path: Path, bit: int, stem: str) -> None:
    """A stream whose flag is clear has a retired layout and is refused by its name."""
    made = Foreign(
        flags=foreign.PLAIN_FLAGS & ~bit,
        calls=[foreign.call(-1, 0, 0)],
        events=[foreign.event(0, 0, "text")],
    )
    with pytest.raises(TraceError, match=rf"ERR_TRACE_FORMAT.*{stem}.dat has a retired layout"):
        Trace(made.write(tmp_path))


def test_flags_of_absent_streams_do_not_matter(tmp_path: Path) -> None:
    """A clear flag is accepted for a stream that holds nothing."""
    made = Foreign(flags=foreign.PLAIN_FLAGS & ~0x900, leave_out=["calls.dat", "calls.idx"])
    with Trace(made.write(tmp_path)) as trace:
        assert len(trace) == 1


def test_fewer_values_than_steps_are_no_damage(tmp_path: Path) -> None:
    """Steps behind the last record of values have no variables."""
    made = Foreign(steps=[b"\0\0"] * 3, values=[foreign.variables((0, foreign.number(1)))])
    with Trace(made.write(tmp_path)) as trace:
        assert [len(trace.variables(number)) for number in range(3)] == [1, 0, 0]


def test_one_large_trace_takes_little_memory(tmp_path: Path) -> None:
    """Reading a trace of many chunks keeps only a few of them."""
    texts = [Random(seed).randbytes(2000).hex() for seed in range(40)]
    values = [
        foreign.variables(
            (0, foreign.value("String", text=texts[number % 40], type_id=0)),
            (1, foreign.number(number)),
        )
        for number in range(8000)
    ]
    made = Foreign(steps=[b"\0\0"] * 8000, values=values, per_chunk={"values": 64})
    path = made.write(tmp_path)
    del made, values
    gc.collect()

    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    with Trace(path) as trace:
        before = resident()
        assert sum(len(trace.variables(number)) for number in range(len(trace))) == 16_000
        assert resident() - before < 16 << 20


def test_a_trace_closes_its_file(tmp_path: Path) -> None:
    """Leaving the with block, closing twice or failing to open leaves no descriptor open."""
    path = Foreign().write(tmp_path)
    before = len(os.listdir("/proc/self/fd"))
    with Trace(path) as trace:
        assert len(trace) == 1
    trace.close()
    path.write_bytes(foreign.container({"meta.dat": b"x", "steps.dat": b""}))
    with pytest.raises(TraceError):
        Trace(path)
    assert len(os.listdir("/proc/self/fd")) == before
