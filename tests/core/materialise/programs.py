"""Random recordings: hypothesis draws what a program does, and a builder records it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from core.materialise.builder import Builder, Function
from naive import journal as naive

TEXTS = st.text(max_size=12) | st.text(st.characters(categories=("Cs", "Ll")), max_size=4)
ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(-100, 300)
    | st.integers(-(1 << 64), 1 << 64)
    | st.integers(-(1 << 200), 1 << 200)
    | st.floats()
    | st.complex_numbers()
    | TEXTS
    | st.binary(max_size=8)
)
CUTS = st.just(0) | st.integers(1, 1000)
CLASSES = st.sampled_from(["A", "B", "Point"])
EXCEPTIONS = st.builds(
    naive.ExceptionObject,
    st.sampled_from(["ValueError", "KeyError"]),
    st.lists(ATOMS, max_size=2).map(tuple)
    | st.text(min_size=500, max_size=600).map(lambda t: (t,)),
)
MARKERS = (
    st.builds(naive.Object, CLASSES, st.integers(0, (1 << 64) - 1))
    | st.builds(naive.Instance, CLASSES, st.integers() | TEXTS | st.lists(ATOMS, max_size=3))
    | EXCEPTIONS
    | st.builds(naive.Cycle, st.integers(1, 5))
    | st.sampled_from(["redacted", "omitted", "unknown"]).map(naive.Absent)
    | st.builds(lambda kind, text, n: naive.Text(kind, len(text) + n, text), CLASSES, TEXTS, CUTS)
    | st.builds(naive.Cut, st.just("int"), st.integers(1, 1 << 40), st.booleans())
)


def cuts(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Texts, bytes and containers of which a part was recorded."""
    more = st.integers(1, 1000)
    items = st.lists(inner, max_size=4)
    pairs = st.lists(st.tuples(inner, inner) | st.just(naive.DROPPED), max_size=3)
    containers = st.sampled_from(["tuple", "list", "set", "frozenset"])
    return (
        st.builds(lambda shown, n: naive.Cut("str", len(shown) + n, shown), TEXTS, more)
        | st.builds(
            lambda shown, n: naive.Cut("bytes", len(shown) + n, shown), st.binary(max_size=5), more
        )
        | st.builds(lambda kind, s, n: naive.Cut(kind, len(s) + n, s), containers, items, more)
        | st.builds(lambda s, n: naive.Cut("dict", len(s) + n, s), pairs, more)
    )


def fields(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects by their fields, some with a builtin part, some with fields that are not shown."""
    pairs = st.lists(st.tuples(TEXTS, inner) | st.just(naive.DROPPED), max_size=4)
    parts = st.just(naive.UNSET) | EXCEPTIONS | st.lists(ATOMS, max_size=2) | TEXTS
    return st.builds(
        lambda kind, part, shown, n: naive.Fields(kind, part, len(shown) + n, shown),
        CLASSES,
        parts,
        pairs,
        CUTS,
    )


def compounds(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keys = st.integers(0, 9) | st.text(max_size=3)
    return (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
        | st.sets(keys, max_size=4)
        | st.frozensets(keys, max_size=4)
        | cuts(inner)
        | fields(inner)
        | st.builds(naive.Shared, st.integers(1, 500), inner)
    )


VALUES = st.recursive(ATOMS | MARKERS, compounds, max_leaves=8)

FUNCTIONS = (
    Function(0, "<__main__>", flags=1),
    Function(1, "f", line=5, slots=("s0", "s1", "s2"), globals=("g0", "s1", "g1")),
    Function(2, "f", path="/w/other.py", line=70, slots=("s0", "s3")),
    Function(
        3, "C.<lambda>", path="/w/other.py", line=200, slots=tuple(f"w{i}" for i in range(70))
    ),
    Function(7, "gen", line=30, slots=("s0", "it"), globals=("g0",)),
    Function(9, "C", line=40, slots=("n1",), globals=("n2", "n1", "g0"), flags=1),
)

CHANGES = st.lists(
    st.tuples(st.integers(0, 80), VALUES | st.just(naive.UNSET) | st.just("change")), max_size=3
)
OPERATIONS = st.lists(
    st.tuples(st.just("call"), st.sampled_from(FUNCTIONS), CHANGES)
    | st.tuples(st.just("step"), st.integers(-300, 300), CHANGES)
    | st.tuples(st.just("step"), st.integers(-2, 2), CHANGES)
    | st.tuples(st.just("end"), st.sampled_from([0x08, 0x09, 0x0A, 0x0B]), VALUES)
    | st.tuples(st.just("enter"), st.sampled_from([0x05, 0x06, 0x07]), st.sampled_from(FUNCTIONS))
    | st.tuples(st.just("raise"), EXCEPTIONS)
    | st.tuples(st.just("catch"), EXCEPTIONS)
    | st.tuples(st.just("switch"), st.integers(0, 3))
    | st.tuples(st.just("start"), st.integers(1, 3), st.sampled_from(["Worker-1", "Worker-2", ""]))
    | st.tuples(st.just("exit"), st.integers(1, 3))
    | st.tuples(st.just("seal")),
    max_size=60,
)


def record(operations: list[tuple[Any, ...]]) -> Builder:
    """Record the operations that are possible when their turn comes."""
    builder = Builder()
    builder.call(FUNCTIONS[0])
    for name, *rest in operations:
        stack = builder.stacks.get(builder.thread, [])
        if name == "call":
            function, changes = rest
            builder.call(function, slot_changes(function, {}, changes))
        elif name == "enter":
            builder.enter(rest[0], rest[1], rest[1].line + 2, naive.ExceptionObject("E", ()))
        elif name == "switch":
            builder.switch(rest[0])
        elif name == "start":
            builder.thread_start(*rest)
        elif name == "exit":
            if builder.thread != rest[0]:
                builder.thread_exit(rest[0])
        elif name == "seal":
            builder.seal()
        elif not stack:
            continue
        elif name == "step":
            step(builder, *rest)
        elif name == "end":
            builder.end(*rest)
        else:
            (builder.raises if name == "raise" else builder.catches)(rest[0])
    return builder


def step(builder: Builder, change: int, changes: list[tuple[int, Any]]) -> None:
    frame = builder.frame
    function = frame.function
    line = max(frame.line + change, 1)
    if function.flags:
        named = {f"n{number % 5}": value for number, value in changes}
        kept = {name: frame.named.get(name) for name in named}
        slots, others = outer_changes(builder, function, changes[2:])
        named = {name: changed(kept[name], value) for name, value in named.items()}
        builder.step(line, slots, named, others)
        return
    _, others = outer_changes(builder, function, changes[1:])
    builder.step(line, slot_changes(function, frame.slots, changes[:1]), others=others)


def outer_changes(
    builder: Builder, function: Function, changes: list[tuple[int, Any]]
) -> tuple[dict[int, Any], dict[int, Any]]:
    """Changes of the slots and of the globals that the innermost frame sees."""
    slots = slot_changes(function, builder.frame.slots, changes)
    known = builder.globals.get(function.number, {})
    others = {number % len(function.globals or " "): value for number, value in changes}
    if not function.globals:
        return slots, {}
    return slots, {index: changed(known.get(index), value) for index, value in others.items()}


def slot_changes(
    function: Function, known: dict[int, Any], changes: list[tuple[int, Any]]
) -> dict[int, Any]:
    if not function.slots:
        return {}
    found = {number % len(function.slots): value for number, value in changes}
    return {slot: changed(known.get(slot), value) for slot, value in found.items()}


def changed(old: Any, new: Any) -> Any:
    """Return ``new``, or a small change of ``old`` such as programs make between two lines."""
    if not isinstance(new, str) or new != "change":
        return new
    if type(old) is int:
        return old + 1
    if type(old) is list:
        return [*old, 7] if len(old) < 6 else [*old[:3], "x"]
    if type(old) is tuple:
        return (*old[:-1], 9)
    if type(old) is str:
        return naive.Cut("str", len(old) + 5, old)
    if isinstance(old, naive.Cut) and old.type in ("str", "list", "tuple"):
        return naive.Cut(old.type, old.total + 1, old.shown)
    return old if old is not None else 1
