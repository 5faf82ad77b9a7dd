"""A small trace known to the byte: what a canonical writer made of a three-line program."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

import pytest

from codetracer_core._zstd import compress
from codetracer_core.ctfs.reader import Trace
from core.ctfs import foreign
from naive import ct as naive

if TYPE_CHECKING:
    from pathlib import Path

SHA256 = "b49f7422bd87845ceacf7f692c72ac04977fd642a84296dfacef43b612f41121"
INT = bytes.fromhex("a3 64 6b696e64 63 496e74 61 69")
TYPE_ID = bytes.fromhex("67 747970655f6964")
ONE = INT + b"\x01" + TYPE_ID + b"\x00"
TWO = INT + b"\x02" + TYPE_ID + b"\x00"
NONE = bytes.fromhex("a2 64 6b696e64 64 4e6f6e65") + TYPE_ID + b"\x01"
STDOUT = b'{"stream":"stdout"}'

STEPS = bytes.fromhex("00 00 01 0a 01 12")
VALUES = b"\x00\x1a\x00\x01\x00\x16" + ONE + b"\x32\x00\x02\x00\x16" + ONE + b"\x01\x16" + TWO
CALLS = b"\x1d\x00\x01\x00\x02\x00\x00\x14" + NONE + b"\x00\x00"
EVENTS = b"\x19\x00\x02\x13" + STDOUT + b"\x02" + b"2\n"
STEPS_FRAME = bytes.fromhex("28b52ffd 20 06 310000") + STEPS

# Slot order; root mapping block, data block, content.
LAYOUT = {
    "paths.dat": (1, 23, b"\x0a/w/demo.py\x03\x0a\x08\x01"),
    "paths.off": (2, 3, struct.pack("<QQ", 0, 15)),
    "funcs.dat": (4, 24, b"<module>"),
    "funcs.off": (5, 6, struct.pack("<QQ", 0, 8)),
    "types.dat": (7, 25, b"IntNoneType"),
    "types.off": (8, 9, struct.pack("<QQQ", 0, 3, 11)),
    "varnames.dat": (10, 26, b"xy"),
    "varnames.off": (11, 12, struct.pack("<QQQ", 0, 1, 2)),
    "steps.dat": (13, 30, STEPS_FRAME),
    "steps.idx": (14, 15, bytes.fromhex("00100000") + bytes(8)),
    "values.dat": (16, 31, compress(VALUES)),
    "values.idx": (17, 18, bytes.fromhex("00010000") + bytes(8)),
    "calls.dat": (19, 27, compress(CALLS)),
    "events.dat": (20, 32, compress(EVENTS)),
    "events.idx": (21, 22, bytes.fromhex("40000000") + bytes(8)),
    "calls.idx": (28, 29, bytes.fromhex("00010000") + bytes(8)),
    "meta.dat": (
        33,
        34,
        b"CTMD\x03\x00\x10\x0f"
        b"\x24"
        + foreign.RECORDING_ID.encode()
        + b"\x07demo.py\x01\x02-v\x02/w\x00\x01\x0a/w/demo.py",
    ),
}


@pytest.fixture
def example(tmp_path: Path) -> Path:
    blocks = {0: bytes.fromhex("c0de72ace2 04 00 01 00100000 1f000000")}
    for name, (root, data, content) in LAYOUT.items():
        blocks[0] += foreign.slot(name, len(content), root)
        blocks[root] = struct.pack("<Q", data)
        blocks[data] = content
    path = tmp_path / "demo.ct"
    path.write_bytes(b"".join(blocks[number].ljust(4096, b"\0") for number in range(35)))
    return path


def test_the_parts_make_the_known_file(example: Path) -> None:
    """The parts in this module, laid out as described, have the digest of the canonical file."""
    assert hashlib.sha256(example.read_bytes()).hexdigest() == SHA256


def test_the_first_slot_has_its_known_bytes(example: Path) -> None:
    """Size, root and packed name of paths.dat stand behind the header."""
    slot = example.read_bytes()[16:40]
    assert slot.hex() == "0f00000000000000010000000000000052a12b3c82b40000"


def test_the_recording_is_described(example: Path) -> None:
    """Program, arguments, folder and id are those of the recording."""
    with Trace(example) as trace:
        meta = trace.meta
        assert (meta.program, meta.args, meta.workdir) == ("demo.py", ("-v",), "/w")
        assert meta.recording_id == foreign.RECORDING_ID
        assert (meta.flags, meta.columns, meta.filters) == (0x0F10, True, ())
        assert meta.paths == tuple(trace.paths) == ("/w/demo.py",)


def test_each_line_is_a_step(example: Path) -> None:
    """Positions 0, 5 and 14 are the beginnings of the lines 1, 2 and 3."""
    with Trace(example) as trace:
        assert len(trace) == 3
        places = [(step.kind, step.path, step.line, step.column) for step in trace.steps()]
        assert places == [("line", "/w/demo.py", line, 1) for line in (1, 2, 3)]


def test_variables_appear_as_they_are_bound(example: Path) -> None:
    """The first step has no variables, the second x, the third x and y."""
    with Trace(example) as trace:
        shown = [
            [(variable.name, variable.value.text()) for variable in trace.variables(number)]
            for number in range(3)
        ]
        assert shown == [[], [("x", "1")], [("x", "1"), ("y", "2")]]
        assert trace.variables(2)[1].value.type_name == "Int"


def test_one_call_covers_everything(example: Path) -> None:
    """The root call has all steps, returns None and calls nothing."""
    with Trace(example) as trace:
        (call,) = trace.calls()
        assert (call.function, call.parent, call.depth) == ("<module>", -1, 0)
        assert (call.first_step, call.last_step) == (0, 2)
        assert (call.return_value.text(), call.return_value.type_name) == ("None", "NoneType")
        assert (call.exception, call.arguments, call.child_count) == (None, (), 0)
        assert [trace.call_of_step(number) for number in range(3)] == [call] * 3


def test_the_output_belongs_to_the_last_step(example: Path) -> None:
    """The one write is the text of the print call, on standard output."""
    with Trace(example) as trace:
        (event,) = trace.events()
        assert (event.step, event.stream, event.content) == (2, "stdout", b"2\n")


def test_the_naive_decoder_finds_the_same(example: Path) -> None:
    """The decoder that tests compare with agrees on the known file."""
    known = naive.load(example)
    assert [step["line"] for step in known.steps] == [1, 2, 3]
    assert [[(name, value["i"]) for name, value in step] for step in known.values] == [
        [],
        [("x", 1)],
        [("x", 1), ("y", 2)],
    ]
    assert known.calls[0]["returned"] == {"kind": "None", "type": "NoneType"}
    assert known.events == [{"kind": 0, "step": 2, "metadata": STDOUT.decode(), "content": b"2\n"}]
