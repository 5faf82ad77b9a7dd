"""Random recordings: the trace made from a journal says what the journal says."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from codetracer_core.ctfs.materialiser import materialise
from core.materialise.builder import Builder, Function
from core.materialise.comparison import check, folder, ordered
from core.materialise.expected import ct_value
from core.materialise.programs import OPERATIONS, VALUES, record
from naive import ct
from naive import journal as naive


@settings(max_examples=150)
@given(OPERATIONS)
def test_the_trace_agrees_with_the_journal(operations: list[tuple[Any, ...]]) -> None:
    """Steps, variables and calls of a trace are those that a plain decoder of the journal finds."""
    check(record(operations))


@settings(max_examples=150)
@given(st.lists(VALUES, min_size=1, max_size=8))
@example([float("inf"), float("-inf"), float("nan"), -0.0, 1e16, 1e-5, 2.0**-44, 5e-324, 1e23])
@example([-(1 << 63), (1 << 63) - 1, 1 << 63, -(1 << 63) - 1, 10**400, -(10**400)])
@example([complex(0.0, -0.0), complex(-0.0, 1.0), complex("nan+infj"), 1e16j])
@example(["\ud800", "a\udfffb", "\U0001f600", "é" * 30, b"'\"\n\x00\\"])
def test_values_are_shown_as_python_shows_them(values: list[Any]) -> None:
    """Every value takes the shape of its kind, with Python's own text of numbers and bytes."""
    builder = Builder()
    function = Function(0, "f", slots=tuple(f"v{number}" for number in range(len(values))))
    builder.call(function)
    builder.step(1, dict(enumerate(values)))
    builder.end(0x08, values[0])
    trace = check(builder)
    shown = [value for _, value in trace.values[1]]
    assert ordered(shown) == ordered([ct_value(value) for value in values])


@settings(max_examples=200)
@given(st.lists(st.floats(), min_size=20, max_size=20))
def test_floats_have_their_shortest_text(numbers: list[float]) -> None:
    """The text of a float is its repr(), to the last digit."""
    builder = Builder()
    builder.call(Function(0, "f", slots=("numbers",)), {0: numbers})
    trace = check(builder)
    assert [item["r"] for item in trace.values[0][0][1]["elements"]] == list(map(repr, numbers))


@given(st.lists(st.integers(-(1 << 63), (1 << 63) - 1), min_size=2, max_size=30))
def test_differences_of_ints_wrap(numbers: list[int]) -> None:
    """An int written as a difference modulo 2**64 comes back, whatever came before it."""
    builder = Builder()
    builder.call(Function(0, "f", slots=("n",)), {0: numbers[0]})
    for before, number in pairwise(numbers):
        change = (number - before + (1 << 63)) % (1 << 64) - (1 << 63)
        builder.unit(b"\x80\x40\x05" + varint(change * 2 if change >= 0 else -change * 2 - 1))
    trace = check(builder)
    assert [record[0][1]["i"] for record in trace.values] == numbers


@given(
    st.sampled_from(["list", "tuple"]),
    st.lists(st.lists(st.integers(0, 500), max_size=40), min_size=2, max_size=8),
    st.integers(0, 5),
)
def test_patches_of_lists_follow_each_other(kind: str, lists: list[list[int]], more: int) -> None:
    """A list or tuple that keeps its first items comes back whole, cut or not."""
    builder = Builder()
    builder.call(Function(0, "f", slots=("x",)))
    shown = [naive.Cut(kind, len(items) + more, items) if more else items for items in lists]
    values = [tuple(items) if kind == "tuple" and not more else items for items in shown]
    for value in values:
        builder.step(1, {0: value})
    trace = check(builder)
    assert [record[0][1] for record in trace.values[1:]] == [ct_value(value) for value in values]


ATOMS = st.sampled_from([None, 0, -70, "text", 1.5, naive.Cut("str", 9, "cu")])
PARTS = st.recursive(
    ATOMS,
    lambda parts: st.one_of(
        st.lists(parts, max_size=2),
        st.builds(
            naive.Fields,
            st.sampled_from(["Inner", "Other"]),
            st.just(naive.UNSET),
            st.just(2),
            st.tuples(st.tuples(st.just("a"), parts), st.tuples(st.just("bb"), parts)).map(list),
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=150)
@given(
    st.lists(st.lists(PARTS, min_size=3, max_size=3), min_size=1, max_size=3),
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2), PARTS, st.sampled_from(["a", "dddd"])),
        max_size=10,
    ),
)
@example([[1, 2, 3]], [(0, 0, 0, "a"), (0, 0, 0, "dddd"), (0, 0, 0, "dddd")])
def test_objects_that_are_stated_again_come_back_whole(
    objects: list[list[Any]], changes: list[tuple[int, int, Any, str]]
) -> None:
    """An object of which some fields, or their names, are others is shown whole, cuts counted."""
    builder = Builder()
    builder.call(Function(0, "f", slots=("x",)))
    states = []
    for which, place, value, name in [(0, 0, None, "a"), *changes]:
        fields = objects[which % len(objects)]
        fields[place] = value
        shown = list(zip(("bb", "ccc", name), fields, strict=True))
        states.append(naive.Fields("Thing", naive.UNSET, 3, shown))
        builder.step(1, {0: states[-1]})
    with folder() as directory:
        path = builder.write(directory)
        made = materialise(path, directory)
        trace = ct.load(made.path)
        metadata = json.loads((directory / "trace_metadata.json").read_text())
    assert [record[0][1] for record in trace.values[1:]] == [ct_value(state) for state in states]
    assert metadata["counts"]["values_cut"] == repr(states).count("Cut(")


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])
