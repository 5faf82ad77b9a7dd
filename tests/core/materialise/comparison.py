"""Materialises journals and compares the traces with what the journals' events ask for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from codetracer_core.ctfs.materialiser import MaterialisedTrace, materialise
from core.materialise.builder import METADATA, Builder
from core.materialise.expected import Expected, expect
from naive import ct, journal

ONLY_IN_CONTAINER = ("position", "path_id", "column")


@contextmanager
def folder() -> Iterator[Path]:
    """A fresh folder for each example of a property, in memory where that is possible.

    A trace is synced to disk before it gets its name, which takes longer than making a small one.
    """
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def load(builder: Builder, **options: Any) -> tuple[ct.Trace, Expected, MaterialisedTrace]:
    """Write and materialise a recording; return the trace, what it must hold, and the result."""
    with folder() as directory:
        path = builder.write(directory, **options)
        made = materialise(path, directory)
        trace = ct.load(made.path)
        assert not list(directory.glob(".*")), "temporary files are left behind"
        wanted = expect(journal.load(path), str(METADATA["main_script"]), 0)
    return trace, wanted, made


def check(builder: Builder) -> ct.Trace:
    """Assert that the trace of a complete recording holds what it must; return it."""
    trace, wanted, made = load(builder)
    assert made.damage == ()
    assert (made.steps, made.calls) == (len(wanted.steps), len(wanted.calls))
    compare(trace, wanted)
    return trace


def compare(trace: ct.Trace, wanted: Expected) -> None:
    steps = [
        {key: value for key, value in step.items() if key not in ONLY_IN_CONTAINER}
        for step in trace.steps
    ]
    same(steps, wanted.steps)
    same(ordered(trace.values), ordered(wanted.values))
    calls = [{**call, "args": [tuple(arg) for arg in call["args"]]} for call in trace.calls]
    same(ordered(calls), ordered(wanted.calls))


def ordered(item: Any) -> Any:
    """Return the values with the elements of sets in one order: a set has none of its own."""
    if isinstance(item, list | tuple):
        return [ordered(one) for one in item]
    if not isinstance(item, dict):
        return item
    item = {key: ordered(one) for key, one in item.items()}
    if item.get("type") in ("set", "frozenset") and "elements" in item:
        item["elements"] = sorted(item["elements"], key=repr)
    return item


def same(found: list[Any], wanted: list[Any]) -> None:
    for number, (one, other) in enumerate(zip(found, wanted, strict=False)):
        assert one == other, f"record {number}"
    assert len(found) == len(wanted)
