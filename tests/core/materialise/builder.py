"""Writes journals byte by byte, from Python values, sharing no code with the product."""

from __future__ import annotations

import json
import struct
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

from naive import journal as naive

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SESSION = bytes.fromhex("01949fcc7d927e9caaaabbbbbbbbbbbb")
RECORDING_ID = "01949fcc-7d92-7e9c-aaaa-bbbbbbbbbbbb"
BOOT = bytes(16)
METADATA = {
    "program": "demo.py",
    "args": ["-v"],
    "workdir": "/w",
    "main_script": "/w/demo.py",
    "interpreter": {"implementation": "CPython", "version": "3.12.1", "executable": "/bin/python"},
    "recorder": {"name": "codetracer-core", "version": "0.1.0"},
    "trace_filter": {"filters": [{"name": "f", "version": 1, "path": "<f>", "sha256": "ab" * 32}]},
    "pid": 1,
    "started_at": "2026-11-22T00:00:00Z",
}
END = {
    "exit_status": {"code": 0, "label": None},
    "counts": {"steps": 0, "calls": 0},
    "trace_filter_stats": {"scopes_skipped": 3},
}


def uv(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def zigzag(number: int) -> int:
    return number * 2 if number >= 0 else -number * 2 - 1


def text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return uv(len(data)) + data


class Values:
    """Encodes values; a type is defined where it is used first in a chunk."""

    def __init__(self) -> None:
        self.types: dict[str, int] = {}
        self.defined: set[str] = set()
        self.names: dict[int, str] = {}

    def type_id(self, name: str) -> tuple[bytes, bytes]:
        """Return the definition, empty when the chunk has it, and the id."""
        number = self.types.setdefault(name, len(self.types))
        define = b"" if name in self.defined else b"\x21" + uv(number) + text(name)
        self.defined.add(name)
        return define, uv(number)

    def encode(self, value: Any) -> bytes:
        if value is None or value is True or value is False:
            return bytes([{None: 1, True: 2, False: 3}[value]])
        kind = type(value)
        if kind is int:
            return self.integer(value)
        if kind is float:
            return b"\x08" + struct.pack("<d", value)
        if kind is complex:
            return b"\x09" + struct.pack("<dd", value.real, value.imag)
        if kind is str:
            return b"\x0a" + text(value)
        if kind is bytes:
            return b"\x0d" + uv(len(value)) + bytes(value)
        if kind is dict:
            pairs = [self.encode(part) for pair in value.items() for part in pair]
            return b"\x14" + uv(len(value)) + b"".join(pairs)
        if kind in (tuple, list, set, frozenset):
            tag = naive.CONTAINERS.index(kind.__name__) + 0x10
            return bytes([tag]) + uv(len(value)) + b"".join(map(self.encode, value))
        return self.marker(value)

    def integer(self, value: int) -> bytes:
        if -64 <= value <= 63:
            return bytes([0x80 | zigzag(value)])
        if -(1 << 63) <= value < 1 << 63:
            return b"\x04" + uv(zigzag(value))
        data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
        return b"\x06" + uv(len(data)) + data

    def marker(self, value: Any) -> bytes:
        match value:
            case naive.Cut("int", total, negative):
                return b"\x07" + uv(total) + bytes([negative])
            case naive.Cut("str", total, shown):
                return b"\x0b" + uv(total) + text(shown)
            case naive.Cut("bytes", total, shown):
                return b"\x0e" + uv(total) + uv(len(shown)) + bytes(shown)
            case naive.Cut(kind, total, shown):
                tag = naive.CONTAINERS.index(kind) + 0x18
                items = [self.pair(item) if kind == "dict" else self.encode(item) for item in shown]
                return bytes([tag]) + uv(total) + uv(len(shown)) + b"".join(items)
            case naive.Instance(kind, inner):
                define, number = self.type_id(kind)
                return define + b"\x22" + number + self.encode(inner)
            case naive.Object(kind, address):
                define, number = self.type_id(kind)
                return define + b"\x23" + number + uv(address)
            case naive.ExceptionObject(kind, args):
                define, number = self.type_id(kind)
                return define + b"\x24" + number + self.encode(args)
            case naive.Text(kind, total, shown):
                define, number = self.type_id(kind)
                return define + b"\x2b" + number + uv(total) + text(shown)
            case naive.Fields():
                return self.fields(value)
            case naive.Shared(number, inner):
                return b"\x30" + uv(number) + self.encode(inner)
            case naive.Cycle(levels):
                return b"\x25" + uv(levels)
            case naive.Absent("unknown"):
                return b"\x3a\x02??"
            case naive.Absent(why):
                return bytes([("redacted", "dropped", "omitted").index(why) + 0x27])
        raise TypeError(value)

    def pair(self, pair: tuple[Any, Any]) -> bytes:
        """Encode a pair of a dict."""
        return b"\x28" if pair is naive.DROPPED else b"".join(map(self.encode, pair))

    def fields(self, value: naive.Fields) -> bytes:
        """Encode an object; names share few numbers, so that these change their meaning."""
        define, number = self.type_id(value.type)
        out = define + b"\x2a" + number
        out += b"\x26" if value.part is naive.UNSET else self.encode(value.part)
        out += uv(value.total) + uv(len(value.shown))
        for pair in value.shown:
            if pair is naive.DROPPED:
                out += b"\x01"
                continue
            name, item = pair
            place = len(name) % 3
            if self.names.get(place) == name:
                out += uv(place + 3)
            else:
                out += b"\x02" + uv(place) + text(name)
            self.names[place] = name
            out += self.encode(item)
        return out


@dataclass
class Function:
    number: int
    name: str
    path: str = "/w/demo.py"
    line: int = 1
    slots: tuple[str, ...] = ()
    globals: tuple[str, ...] = ()
    flags: int = 0


@dataclass
class Frame:
    function: Function
    line: int
    slots: dict[int, Any] = field(default_factory=dict)
    named: dict[str, Any] = field(default_factory=dict)
    fresh: bool = True  # has not made a step in this chunk


class Builder:
    """Records calls and steps as the recorder would: changes only, chunks that stand alone."""

    def __init__(self, chunk_bytes: int = 1 << 20) -> None:
        self.chunk_bytes = chunk_bytes
        self.values = Values()
        self.numbers: dict[str, dict[str, int]] = {"path": {}, "name": {}}
        self.known: set[object] = set()
        self.out = bytearray()
        self.sealed: list[bytes] = []
        self.stacks: dict[int, list[Frame]] = {0: []}
        self.thread = 0
        self.globals: dict[int, dict[int, Any]] = {}
        self.fresh_globals: set[int] = set()
        self.keys = 1

    # Definitions

    def number(self, kind: str, value: str) -> bytes:
        numbers = self.numbers[kind]
        number = numbers.setdefault(value, len(numbers))
        if (kind, value) not in self.known:
            self.known.add((kind, value))
            self.out += (b"\x01" if kind == "path" else b"\x02") + uv(number) + text(value)
        return uv(number)

    def function(self, function: Function) -> bytes:
        if function.number not in self.known:
            path = self.number("path", function.path)
            slots = [self.number("name", name) for name in function.slots]
            others = [self.number("name", name) for name in function.globals]
            self.known.add(function.number)
            self.out += b"\x03" + uv(function.number) + path + uv(function.line)
            self.out += uv(function.flags) + text(function.name) + uv(0)
            self.out += uv(len(slots)) + b"".join(slots) + uv(len(others)) + b"".join(others)
        return uv(function.number)

    # Items

    def item(self, tag: bytes, last: dict[Any, Any], key: Any, value: Any, fresh: bool) -> bytes:
        """Encode one variable, as a difference when there is one to its last value."""
        old = naive.UNSET if fresh else last.get(key, naive.UNSET)
        last[key] = value
        if value is naive.UNSET:
            return tag + b"\x26"
        return tag + (self.difference(old, value) or self.values.encode(value))

    def difference(self, old: Any, new: Any) -> bytes:
        if type(old) is int and type(new) is int and max(abs(old), abs(new)) < 1 << 62:
            change = new - old
            if -32 <= change <= 31:
                return bytes([0x40 | zigzag(change)])
            return b"\x05" + uv(zigzag(change))
        shown, _ = parts(old)
        new_shown, new_total = parts(new)
        if isinstance(shown, str) and shown == new_shown:
            return b"\x0c" + uv(new_total)
        if isinstance(shown, list) and isinstance(new_shown, list) and kind(old) == kind(new):
            kept = 0
            for a, b in zip(shown, new_shown, strict=False):
                if a is not b:
                    break
                kept += 1
            head = b"\x20" + uv(new_total) + uv(len(new_shown)) + uv(kept)
            return head + b"".join(map(self.values.encode, new_shown[kept:]))
        return b""

    def items(
        self, frame: Frame, slots: dict[int, Any], named: dict[str, Any], others: dict[int, Any]
    ) -> bytes:
        number = frame.function.number
        kept = self.globals.setdefault(number, {})
        again = number not in self.fresh_globals
        if frame.fresh:
            slots = {**frame.slots, **slots}
            named = {**frame.named, **named}
        if again:
            others = {**kept, **others}
            self.fresh_globals.add(number)
        out = b""
        for slot, value in slots.items():
            tag = bytes([0x40 + slot]) if slot < 59 else b"\x7c" + uv(slot)
            out += self.item(tag, frame.slots, slot, value, frame.fresh)
        for name, value in named.items():
            index = self.numbers["name"].setdefault(name, len(self.numbers["name"]))
            if ("name", name) not in self.known:
                self.known.add(("name", name))
                out += b"\x7e" + uv(index) + text(name)
            out += self.item(b"\x7d" + uv(index), frame.named, name, value, frame.fresh)
        for index, value in others.items():
            out += self.item(b"\x7b" + uv(index), kept, index, value, again)
        frame.fresh = False
        return out

    # Units

    def unit(self, data: bytes) -> None:
        self.out += data
        if len(self.out) >= self.chunk_bytes:
            self.seal()

    @property
    def frame(self) -> Frame:
        return self.stacks[self.thread][-1]

    def call(self, function: Function, arguments: dict[int, Any] | None = None) -> None:
        head = b"\x04" + self.function(function)
        frame = Frame(function, function.line)
        self.stacks[self.thread].append(frame)
        self.keys += 1
        self.unit(head + self.items(frame, arguments or {}, {}, {}))

    def enter(self, tag: int, function: Function, line: int, thrown: Any = None) -> None:
        head = bytes([tag]) + self.function(function) + uv(line)
        self.stacks[self.thread].append(Frame(function, line))
        self.keys += 1
        self.unit(head + (self.values.encode(thrown) if tag == 0x07 else b""))

    def step(
        self,
        line: int,
        slots: dict[int, Any] | None = None,
        named: dict[str, Any] | None = None,
        others: dict[int, Any] | None = None,
    ) -> None:
        change = zigzag(line - self.frame.line)
        self.frame.line = line
        tag = bytes([0x80 | change]) if change < 127 else b"\xff" + uv(change)
        self.unit(tag + self.items(self.frame, slots or {}, named or {}, others or {}))

    def end(self, tag: int, value: Any = None) -> None:
        self.stacks[self.thread].pop()
        self.unit(bytes([tag]) + (b"" if tag == 0x0B else self.values.encode(value)))

    def raises(self, value: Any) -> None:
        self.unit(b"\x0f" + self.values.encode(value))

    def catches(self, value: Any) -> None:
        self.unit(b"\x10" + self.values.encode(value))

    def switch(self, thread: int) -> None:
        self.stacks.setdefault(thread, [])
        self.thread = thread
        self.unit(b"\x0c" + uv(thread))

    def thread_start(self, thread: int, name: str) -> None:
        self.stacks.setdefault(thread, [])
        self.unit(b"\x0d" + uv(thread) + uv(4711) + text(name))

    def thread_exit(self, thread: int) -> None:
        self.stacks[thread] = []
        self.unit(b"\x0e" + uv(thread))

    def seal(self) -> None:
        """End the chunk and open the next one with the stacks that are open."""
        self.sealed.append(bytes(self.out))
        self.out = bytearray()
        self.known.clear()
        self.values.defined.clear()
        self.values.names.clear()
        self.fresh_globals.clear()
        for thread, stack in self.stacks.items():
            functions = [self.function(frame.function) for frame in stack[-1024:]]
            self.out += b"\x11" + uv(thread) + uv(max(0, len(stack) - 1024)) + uv(len(functions))
            for number, frame in zip(functions, stack[-1024:], strict=True):
                self.out += b"\x12" + number + uv(0) + uv(frame.line)
        for stack in self.stacks.values():
            for frame in stack:
                frame.fresh = True
        self.out += b"\x0c" + uv(self.thread)

    # Files

    def write(
        self,
        directory: Path,
        *,
        metadata: dict[str, Any] | None = None,
        end: dict[str, Any] | None = END,
        live: bool = False,
    ) -> Path:
        """Write the files; with ``live`` the last chunk is only in the ring."""
        path = directory / f"trace.{RECORDING_ID}.ctj"
        records = [*self.sealed, bytes(self.out)]
        data = bytearray(header())
        data += frame(1, 0, json.dumps(METADATA if metadata is None else metadata).encode())
        for sequence, chunk in enumerate(records[:-1] if live else records, start=1):
            data += frame(2, sequence, chunk_header(sequence, len(chunk)) + chunk)
        if end is not None:
            data += frame(3, 0, json.dumps(end).encode())
        path.write_bytes(data)
        if live:
            write_ring(path.with_suffix(".ring"), [(len(records), records[-1], True)])
        return path


def kind(value: Any) -> str:
    return value.type if isinstance(value, naive.Cut) else type(value).__name__


def parts(value: Any) -> tuple[Any, int]:
    """Return what is shown of a str, list or tuple, and how much there is in all."""
    if isinstance(value, naive.Cut) and value.type in ("str", "list", "tuple"):
        return value.shown, value.total
    if type(value) in (list, tuple):
        return list(value), len(value)
    return (value, len(value)) if type(value) is str else (None, 0)


def header(version: int = 1) -> bytes:
    return struct.pack("<8sHHI16sQQ16s", b"CTJOURNL", version, 64, 0, SESSION, 1, 2, BOOT)


def frame(kind: int, sequence: int, payload: bytes, codec: int = 1) -> bytes:
    stored = zstd.compress(payload, 1) if codec == 1 else payload
    head = struct.pack(
        "<IBBHIIQI",
        0x464A5443,
        kind,
        codec,
        0,
        len(stored),
        len(payload),
        sequence,
        crc32(stored),
    )
    return head + struct.pack("<I", crc32(head)) + stored


def chunk_header(sequence: int, length: int, session: bytes = SESSION) -> bytes:
    head = struct.pack("<IHH16sQ", 0x534A5443, 1, 128, session, sequence)
    return head.ljust(80, b"\0") + struct.pack("<I", length) + bytes(44)


def write_ring(path: Path, slots: list[tuple[int, bytes, bool]], session: bytes = SESSION) -> None:
    """Write a ring with these chunks: sequence, records, and whether the chunk is not sealed."""
    size = max(len(records) for _, records, _ in slots) + 256
    data = struct.pack("<8sHHIQ16s", b"CTJRING1", 1, 0, len(slots), size, session).ljust(
        4096, b"\0"
    )
    for sequence, records, live in slots:
        head = chunk_header(sequence, 0 if live else len(records), session)
        # Behind the end of a reused slot stands what it held before.
        data += (head + records + b"\0").ljust(size, b"\x80")
    path.write_bytes(data)
