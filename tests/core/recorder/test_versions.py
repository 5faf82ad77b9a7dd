"""What CPython itself does differently from one version to the next, in the recorder's eyes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core.recorder.support import HERE, record


def flow(name: str, folder: Path, function: str) -> list[str]:
    """How the frames of a function went in a program, as words: a line's number, or what ended the
    frame or continued it."""
    recorded = record(HERE / "versions" / f"{name}.py", folder)
    assert recorded.stats["failure"] is None
    inside: list[str] = []
    words: list[str] = []
    for kind, *rest in recorded.events()["MainThread"]:
        if kind in ("call", "resume", "throw"):
            inside.append(rest[0])
        if inside[-1] == function:
            words.append(str(rest[1]) if kind == "step" else kind)
        if kind in ("return", "yield", "unwind"):
            inside.pop()
    return words


def version() -> str:
    return "{}.{}".format(*sys.version_info)


@pytest.mark.parametrize(
    ("name", "function", "expected"),
    [
        (
            "comprehension",
            "pairs",
            {
                # The loop is a function of its own.
                "3.11": "call 1 2 5 2 return",
                "3.12": "call 1 5 2 5 3 4 3 2 5 3 4 3 2 return",
                "3.13": "call 1 5 2 5 3 4 3 5 3 4 3 5 2 return",
                "3.14": "call 1 5 2 5 3 4 3 5 3 4 3 5 2 return",
            },
        ),
        (
            "closing",
            "numbers",
            {
                "3.11": "call 1 2 3 yield throw 3 unwind",
                "3.12": "call 1 2 3 yield throw 3 unwind",
                "3.13": "call 1 2 3 yield",
                "3.14": "call 1 2 3 yield throw 3 unwind",
            },
        ),
        (
            "throwing",
            "wait",
            {
                "3.11": "call 1 2 4 3 yield throw 3 raise 6 7 catch return",
                "3.12": "call 1 2 4 3 yield throw 3 raise 6 7 catch return",
                "3.13": "call 1 2 4 3 yield throw 3 raise 3 6 7 catch return",
                "3.14": "call 1 2 4 3 yield throw 3 raise 3 6 7 catch return",
            },
        ),
        (
            "namespace",
            "Names.__setitem__",
            {
                "3.11": " ".join(["call 2 3 return"] * 3),
                "3.12": " ".join(["call 2 3 return"] * 3),
                "3.13": " ".join(["call 2 3 return"] * 5),
                "3.14": " ".join(["call 2 3 return"] * 5),
            },
        ),
    ],
)
def test_what_differs_between_versions_of_cpython_is_recorded_as_it_is(
    name: str, function: str, expected: dict[str, str], tmp_path: Path
) -> None:
    """A multi-line comprehension steps in another order, closing a generator that has nothing to
    clean up and throwing into a delegating one run other steps, and a class body sets more names:
    each version's own events are recorded, none is made up or hidden."""
    assert " ".join(flow(name, tmp_path, function)) == expected[version()]


def test_exceptions_are_caught_also_where_the_program_traces_its_opcodes(tmp_path: Path) -> None:
    """Branches are then told from another instruction on CPython 3.14, during and afterwards."""
    once = "call 1 2 3 raise 4 5 catch return"
    assert flow("opcodes", tmp_path, "catching") == [*once.split(), *once.split(), *once.split()]


@pytest.mark.skipif(sys.version_info < (3, 14), reason="templates are new in CPython 3.14")
def test_a_template_is_recorded_by_its_parts(tmp_path: Path) -> None:
    """A template string has its texts and what stands between them, with the values as stored."""
    script = tmp_path / "program.py"
    script.write_text("def fill(x):\n    return t'a {x!r:>5} b'\n\nfill([1])\n", encoding="utf-8")
    (value,) = (
        event[2]
        for event in record(script, tmp_path).events()["MainThread"]
        if event[:2] == ("return", "fill")
    )
    text = repr(value)
    assert value[:2] == ("fields", "Template")
    assert "('strings', ('tuple', 2, (('str', 2, 'a '), ('str', 2, ' b'))))" in text
    assert "('value', ('list', 1, (('int', 1),)))" in text
    assert "('expression', ('str', 1, 'x'))" in text
    assert "('format_spec', ('str', 2, '>5'))" in text
