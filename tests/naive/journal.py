"""Decodes a journal, slowly and simply, to check what writes and reads it against.

It follows ``docs/journal.md`` and imports nothing of the recorder. ``load(path)`` gives the events
of a journal and its ring, in the order in which they were recorded::

    ("call", thread, function, arguments)          # arguments: name -> value
    ("step", thread, path, line, variables)        # all that are visible: name -> value
    ("return" | "yield" | "unwind", thread, function, value)
    ("resume" | "enter", thread, function, line)
    ("throw", thread, function, line, exception)
    ("raise" | "catch", thread, path, line, exception, variables)
    ("lost", thread, function)
    ("thread start", thread, name) ("thread exit", thread) ("switch", thread)

A call is followed by its entry step. Values are plain tuples, the kind first: ``("none",)``,
``("bool", b)``, ``("int", n)``, ``("int cut", bits, is negative)``, ``("float", 8 bytes)``,
``("complex", 16 bytes)``, ``("str", characters, shown)``, ``("bytes", length, shown)``,
``("list" | "tuple" | "set" | "frozenset", length, items)``, ``("dict", length, pairs)``,
``("subclass", type, value)``, ``("object", type, address)``, ``("exception", type, args)``,
``("cycle", levels)``, ``("redacted",)``, ``("dropped",)``, ``("omitted",)``. A container whose
last item is ``("stop",)`` was cut by the byte limit.
"""

from __future__ import annotations

import json
import struct
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Value = tuple[Any, ...]
Event = tuple[Any, ...]

SEQUENCES = {0x10: "tuple", 0x11: "list", 0x12: "set", 0x13: "frozenset", 0x14: "dict"}
CONSTANTS: dict[int, Value] = {
    0x01: ("none",),
    0x02: ("bool", True),
    0x03: ("bool", False),
    0x1F: ("stop",),
    0x27: ("redacted",),
    0x28: ("dropped",),
    0x29: ("omitted",),
}
ENDS = {0x08: "return", 0x09: "yield", 0x0A: "unwind"}
UNSET: Value = ("unset",)


class Damaged(Exception):
    """The bytes are not what the format says."""


# -- the files


@dataclass
class Journal:
    """The parts of a journal and its ring."""

    metadata: dict[str, Any] = field(default_factory=dict)
    end: dict[str, Any] | None = None
    chunks: dict[int, bytes] = field(default_factory=dict)
    """The records of each chunk by its sequence, in order."""
    from_ring: set[int] = field(default_factory=set)
    """The sequences that were found only in the ring."""


def read(path: Path) -> Journal:
    """Read ``trace.<id>.ctj`` and, when there is one, its ``.ring``."""
    data = path.read_bytes()
    if data[:8] != b"CTJOURNL":
        raise Damaged("not a journal")
    version, at = struct.unpack_from("<HH", data, 8)
    if version != 1:
        raise Damaged(f"version {version}")
    journal = Journal()
    while at + 32 <= len(data):
        magic, kind, codec, zero, stored, inflated, sequence, crc, head_crc = struct.unpack_from(
            "<IBBHIIQII", data, at
        )
        payload = data[at + 32 : at + 32 + stored]
        if (
            magic != 0x464A5443
            or zero != 0
            or head_crc != zlib.crc32(data[at : at + 28])
            or len(payload) != stored
            or crc != zlib.crc32(payload)
        ):
            break
        plain = zstd.decompress(payload) if codec else payload
        if len(plain) != inflated:
            raise Damaged(f"a frame of {inflated} bytes has {len(plain)}")
        if kind == 1:
            journal.metadata = json.loads(plain)
        elif kind == 2:
            journal.chunks[sequence] = _records(plain, sequence)
        elif kind == 3:
            journal.end = json.loads(plain)
        at += 32 + stored
    ring = path.with_suffix(".ring")
    if ring.exists():
        _read_ring(ring.read_bytes(), data[16:32], journal)
    journal.chunks = dict(sorted(journal.chunks.items()))
    return journal


def _records(chunk: bytes, sequence: int) -> bytes:
    """The records of a chunk, without its header; of a live one, with what follows them."""
    magic, version, size = struct.unpack_from("<IHH", chunk, 0)
    (stated,) = struct.unpack_from("<Q", chunk, 24)
    (length,) = struct.unpack_from("<I", chunk, 80)
    if magic != 0x534A5443 or version != 1 or stated != sequence:
        raise Damaged(f"chunk {sequence} has another header")
    return chunk[size : size + length] if length else chunk[size:]


def _read_ring(data: bytes, session: bytes, journal: Journal) -> None:
    magic, version, _, slots, slot_bytes, owner = struct.unpack_from("<8sHHIQ16s", data, 0)
    if magic != b"CTJRING1" or version != 1 or owner != session:
        raise Damaged("not the ring of this journal")
    for slot in range(slots):
        start = 4096 + slot * slot_bytes
        chunk = data[start : start + slot_bytes]
        (sequence,) = struct.unpack_from("<Q", chunk, 24)
        if sequence and sequence not in journal.chunks:
            journal.chunks[sequence] = _records(chunk, sequence)
            journal.from_ring.add(sequence)


# -- the records


class Input:
    """Bytes that are read from the front."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def peek(self) -> int:
        return self.data[self.at] if self.at < len(self.data) else 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise Damaged("a field reaches over the end")
        self.at += count
        return self.data[self.at - count : self.at]

    def uv(self) -> int:
        number = shift = 0
        while True:
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    def signed(self) -> int:
        return unzigzag(self.uv())

    def text(self) -> str:
        return self.take(self.uv()).decode("utf-8", "surrogatepass")


def unzigzag(number: int) -> int:
    """0, 1, 2, 3 to 0, -1, 1, -2."""
    return number >> 1 ^ -(number & 1)


def wrap(number: int) -> int:
    """`number` modulo 2**64, as a signed one."""
    return (number + 2**63) % 2**64 - 2**63


@dataclass
class Function:
    """A definition."""

    path: str
    line: int
    flags: int
    name: str
    arguments: int
    slots: list[str]
    globals: list[str]


@dataclass
class Frame:
    """An open call."""

    function: int
    line: int
    slots: dict[int, Value] = field(default_factory=dict)
    named: dict[str, Value] = field(default_factory=dict)


class Decoder:
    """Turns the records of chunks, given in their order, into events."""

    def __init__(self) -> None:
        self.paths: dict[int, str] = {}
        self.names: dict[int, str] = {}
        self.types: dict[int, str] = {}
        self.functions: dict[int, Function] = {}
        self.globals: dict[int, dict[int, Value]] = {}
        self.thread = 0
        self.stacks: dict[int, list[Frame]] = {}
        self._in: Input

    def chunk(self, records: bytes, *, alone: bool = False) -> Iterator[Event]:
        """The events of the next chunk.

        When it is read `alone`, without those before it, the stacks come from its preamble.
        """
        self._in = source = Input(records)
        while source.peek() != 0:
            yield from self._unit(source.byte(), alone)

    def _unit(self, tag: int, alone: bool) -> Iterator[Event]:
        source = self._in
        if tag == 0x01:
            identifier = source.uv()
            self.paths[identifier] = source.text()
        elif tag == 0x02:
            self._define_name()
        elif tag == 0x03:
            self._define_function()
        elif tag == 0x04:
            yield from self._call()
        elif tag in (0x05, 0x06, 0x07):
            yield self._entry(tag)
        elif tag in ENDS:
            value = self._value(UNSET)
            yield (ENDS[tag], self.thread, self.functions[self._stack.pop().function].name, value)
        elif tag == 0x0B:
            yield ("lost", self.thread, self.functions[self._stack.pop().function].name)
        elif tag == 0x0C:
            self.thread = source.uv()
            yield ("switch", self.thread)
        elif tag == 0x0D:
            thread = source.uv()
            source.uv()
            yield ("thread start", thread, source.text())
        elif tag == 0x0E:
            yield ("thread exit", source.uv())
        elif tag in (0x0F, 0x10):
            kind = "raise" if tag == 0x0F else "catch"
            value = self._value(UNSET)
            yield (kind, self.thread, *self._position(), value, self._visible())
        elif tag == 0x11:
            self._preamble(alone)
        elif 0x30 <= tag <= 0x3F:
            source.take(source.uv())
        elif tag >= 0x80:
            frame = self._stack[-1]
            frame.line += unzigzag(tag & 0x7F) if tag != 0xFF else source.signed()
            self._items(frame)
            yield ("step", self.thread, *self._position(), self._visible())
        else:
            raise Damaged(f"unit {tag:#x} at {source.at - 1}")

    @property
    def _stack(self) -> list[Frame]:
        return self.stacks.setdefault(self.thread, [])

    def _define_name(self) -> None:
        identifier = self._in.uv()
        self.names[identifier] = self._in.text()

    def _define_function(self) -> None:
        source = self._in
        identifier, path, line, flags = (source.uv() for _ in range(4))
        name, arguments = source.text(), source.uv()
        slots = [self.names[source.uv()] for _ in range(source.uv())]
        globals_ = [self.names[source.uv()] for _ in range(source.uv())]
        self.functions[identifier] = Function(
            self.paths[path], line, flags, name, arguments, slots, globals_
        )

    def _call(self) -> Iterator[Event]:
        identifier = self._in.uv()
        function = self.functions[identifier]
        frame = Frame(identifier, function.line)
        self._stack.append(frame)
        self._items(frame)
        arguments = {
            function.slots[slot]: value
            for slot, value in sorted(frame.slots.items())
            if slot < function.arguments
        }
        yield ("call", self.thread, function.name, arguments)
        yield ("step", self.thread, *self._position(), self._visible())

    def _entry(self, tag: int) -> Event:
        identifier, line = self._in.uv(), self._in.uv()
        self._stack.append(Frame(identifier, line))
        name = self.functions[identifier].name
        if tag == 0x07:
            return ("throw", self.thread, name, line, self._value(UNSET))
        return ("enter" if tag == 0x05 else "resume", self.thread, name, line)

    def _preamble(self, alone: bool) -> None:
        source = self._in
        thread, _, listed = source.uv(), source.uv(), source.uv()
        frames = []
        for _ in range(listed):
            tag, identifier, _, line = source.byte(), source.uv(), source.uv(), source.uv()
            if tag != 0x12:
                raise Damaged(f"unit {tag:#x} among the frames of a stack")
            frames.append(Frame(identifier, line))
        if alone:
            self.stacks[thread] = frames
        else:
            self._check_preamble(self.stacks.get(thread, []), frames)

    @staticmethod
    def _check_preamble(known: list[Frame], stated: list[Frame]) -> None:
        """A chunk that goes on repeats the innermost frames as they are."""
        innermost = known[len(known) - len(stated) :]
        if [(f.function, f.line) for f in innermost] != [(f.function, f.line) for f in stated]:
            raise Damaged("the frames at the start of a chunk are not those that are open")

    # -- variables

    def _position(self) -> tuple[str, int]:
        frame = self._stack[-1]
        return self.functions[frame.function].path, frame.line

    def _visible(self) -> dict[str, Value]:
        frame = self._stack[-1]
        function = self.functions[frame.function]
        shown: dict[str, Value] = {}
        for slot, value in sorted(frame.slots.items()):
            if value != UNSET:
                shown[function.slots[slot]] = value
        for name, value in frame.named.items():
            if value != UNSET:
                shown.setdefault(name, value)
        for index, value in self.globals.get(frame.function, {}).items():
            name = function.globals[index]
            if value != UNSET and name not in function.slots:
                shown.setdefault(name, value)
        return shown

    def _items(self, frame: Frame) -> None:
        source = self._in
        while 0x40 <= source.peek() <= 0x7F:
            tag = source.byte()
            if tag <= 0x7A or tag == 0x7C:
                slot = tag - 0x40 if tag <= 0x7A else source.uv()
                frame.slots[slot] = self._value(frame.slots.get(slot, UNSET))
            elif tag == 0x7B:
                index = source.uv()
                values = self.globals.setdefault(frame.function, {})
                values[index] = self._value(values.get(index, UNSET))
            elif tag == 0x7D:
                name = self.names[source.uv()]
                frame.named[name] = self._value(frame.named.get(name, UNSET))
            elif tag == 0x7E:
                self._define_name()
            else:
                source.byte()
                source.take(source.uv())

    # -- values

    def _value(self, last: Value) -> Value:
        """One value; `last` is what stood in its place before."""
        source = self._in
        tag = source.byte()
        if tag in (0x05, *range(0x40, 0x80)):
            difference = source.signed() if tag == 0x05 else unzigzag(tag & 0x3F)
            if last[0] != "int":
                raise Damaged("a difference to a value that is no int")
            return ("int", wrap(last[1] + difference))
        if tag == 0x0C:
            return ("str", source.uv(), last[2])
        if tag == 0x20:
            length, shown, kept = source.uv(), source.uv(), source.uv()
            if last[0] not in ("list", "tuple") or len(last[2]) < kept:
                raise Damaged("a patch of a value that cannot have it")
            return (last[0], length, last[2][:kept] + self._some(shown - kept))
        if tag == 0x26:
            return UNSET
        return self._whole_value(tag)

    def _whole_value(self, tag: int) -> Value:
        source = self._in
        if tag in CONSTANTS:
            return CONSTANTS[tag]
        if tag >= 0x80:
            return ("int", unzigzag(tag & 0x7F))
        if tag == 0x04:
            return ("int", source.signed())
        if tag == 0x06:
            return ("int", int.from_bytes(source.take(source.uv()), "little", signed=True))
        if tag == 0x07:
            return ("int cut", source.uv(), bool(source.byte()))
        if tag == 0x08:
            return ("float", source.take(8))
        if tag == 0x09:
            return ("complex", source.take(16))
        if tag in (0x0A, 0x0B):
            length = source.uv() if tag == 0x0B else None
            text = source.text()
            return ("str", len(text) if length is None else length, text)
        if tag in (0x0D, 0x0E):
            length = source.uv() if tag == 0x0E else None
            data = source.take(source.uv())
            return ("bytes", len(data) if length is None else length, data)
        return self._compound(tag)

    def _compound(self, tag: int) -> Value:
        source = self._in
        if tag in SEQUENCES or tag - 8 in SEQUENCES:
            cut = tag not in SEQUENCES
            kind = SEQUENCES[tag - 8 if cut else tag]
            length = source.uv() if cut else None
            shown = source.uv()
            items = self._pairs(shown) if kind == "dict" else self._some(shown)
            if kind in ("set", "frozenset"):
                items = tuple(sorted(items, key=repr))
            return (kind, shown if length is None else length, items)
        if tag == 0x21:
            identifier = source.uv()
            self.types[identifier] = source.text()
            return self._whole_value(source.byte())
        if tag in (0x22, 0x24):
            kind = "subclass" if tag == 0x22 else "exception"
            name = self.types[source.uv()]
            return (kind, name, self._whole_value(source.byte()))
        if tag == 0x23:
            return ("object", self.types[source.uv()], source.uv())
        if tag == 0x25:
            return ("cycle", source.uv())
        if 0x38 <= tag <= 0x3F:
            return ("extension", tag, source.take(source.uv()))
        raise Damaged(f"value {tag:#x} at {source.at - 1}")

    def _some(self, count: int) -> tuple[Value, ...]:
        items: list[Value] = []
        while len(items) < count and (not items or items[-1] != ("stop",)):
            items.append(self._whole_value(self._in.byte()))
        return tuple(items)

    def _pairs(self, count: int) -> tuple[Value, ...]:
        pairs: list[Value] = []
        while len(pairs) < count:
            key = self._whole_value(self._in.byte())
            if key == ("stop",):
                pairs.append(key)
                break
            pairs.append((key, self._whole_value(self._in.byte())))
        return tuple(pairs)


def load(path: Path) -> list[Event]:
    """All events of a journal and its ring."""
    decoder = Decoder()
    return [event for records in read(path).chunks.values() for event in decoder.chunk(records)]
