"""A second decoder of journals, simple and slow, that shares no code with the product.

``load`` gives the events of a journal in order, each a tuple. ``thread`` is a thread's number,
``function`` a qualified name, ``path`` and ``line`` a place in the source, ``variables`` a dict
from names to values.

    ("call", thread, function, variables)         a function begins; the variables are its arguments
    ("enter", thread, function, line)             a frame that ran before it was seen
    ("resume", thread, function, line)            a generator or coroutine goes on
    ("throw", thread, function, line, value)      the same, with an exception thrown in
    ("step", thread, path, line, variables)       also follows each call: its entry step
    ("raise", thread, path, line, value, variables)
    ("catch", thread, path, line, value, variables)
    ("return", thread, function, value)
    ("yield", thread, function, value)
    ("unwind", thread, function, value)
    ("lost", thread, function)                    the frame ended unseen
    ("switch", thread)                            the thread that runs from here on
    ("thread start", thread, identifier, name)
    ("thread exit", thread)
    ("output", thread, stream, flags, content)    stream is 0, 1, 2 or, of a record of logging, 3;
                                                  flags are the bits above it, 0x40 of a mirror
    ("task", thread, name)                        the asyncio task of the coroutine that comes next

A task that a later chunk only states again gives no event.

None, bool, int, float, complex, str, bytes, tuple, list, dict, set and frozenset become themselves
where they are exact and whole; everything else becomes one of the named tuples below.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Event = tuple[Any, ...]


class JournalError(Exception):
    """The journal breaks a rule of its format."""


class Cut(NamedTuple):
    """A value of which only a part was recorded.

    ``shown`` is the text, the bytes or a list of the items (pairs of a dict); of an int it is
    whether it is negative. ``total`` counts characters, bytes, items, or bits of an int.
    """

    type: str
    total: int
    shown: Any


class Instance(NamedTuple):
    """An instance of a subclass of a builtin type, by its builtin part."""

    type: str
    value: Any


class Object(NamedTuple):
    """Any other object."""

    type: str
    address: int


class ExceptionObject(NamedTuple):
    """An exception with its arguments."""

    type: str
    args: Any


class Fields(NamedTuple):
    """An object by its stored fields.

    ``part`` is the value of its builtin part, UNSET when it has none. Of ``total`` fields ``shown``
    holds the first as pairs of name and value; dropped ones count and are not among them.
    """

    type: str
    part: Any
    total: int
    shown: list[tuple[str, Any]]


class Text(NamedTuple):
    """An object in words, of ``total`` characters, which may be more than are shown."""

    type: str
    total: int
    shown: str


class Cycle(NamedTuple):
    """A container inside itself, so many levels up."""

    levels: int


class Shared(NamedTuple):
    """An object that stands more than once in the value around it, where it has this number."""

    number: int
    value: Any


class Absent(NamedTuple):
    """A value that was not recorded: redacted, dropped, omitted or of an unknown form."""

    why: str


UNSET = object()
STOP = object()
DROPPED = ("dropped", object())
"""Stands for a pair that a filter has left out."""
CONTAINERS = ("tuple", "list", "set", "frozenset", "dict")


class Bytes:
    """Reads the fields of a chunk in order."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def more(self) -> bool:
        return self.at < len(self.data)

    def raw(self, size: int) -> bytes:
        if self.at + size > len(self.data):
            raise JournalError(f"cut at byte {self.at}")
        self.at += size
        return self.data[self.at - size : self.at]

    def u8(self) -> int:
        return self.raw(1)[0]

    def uv(self) -> int:
        number = shift = 0
        while True:
            byte = self.u8()
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                if number >= 1 << 64:
                    raise JournalError("a number of more than 64 bits")
                return number

    def zigzag(self) -> int:
        return unzigzag(self.uv())

    def text(self) -> str:
        return self.raw(self.uv()).decode("utf-8", "surrogatepass")

    def f64(self) -> float:
        number: float = struct.unpack("<d", self.raw(8))[0]
        return number


def define(texts: dict[int, str], data: Bytes) -> None:
    number = data.uv()
    texts[number] = data.text()


def unzigzag(number: int) -> int:
    return -(number >> 1) - 1 if number & 1 else number >> 1


def wrap(number: int) -> int:
    """Reduce a sum modulo 2**64 to a signed number."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


class Function(NamedTuple):
    path: str
    line: int
    name: str
    slots: list[str]
    globals: list[str]


class Frame:
    def __init__(self, function: int, line: int) -> None:
        self.function = function
        self.line = line
        self.slots: dict[int, Any] = {}
        self.named: dict[str, Any] = {}


class Decoder:
    def __init__(self) -> None:
        self.paths: dict[int, str] = {}
        self.names: dict[int, str] = {}
        self.types: dict[int, str] = {}
        self.fields: dict[int, str] = {}
        self.numbered: dict[int, Any] = {}
        self.functions: dict[int, Function] = {}
        self.globals: dict[int, dict[int, Any]] = {}
        self.stacks: dict[int, list[Frame]] = {0: []}
        self.tasks: dict[int, tuple[int, str]] = {}
        self.thread = 0
        self.events: list[Event] = []
        # Variables that the current chunk has stated: what differences may refer to.
        self.stated: set[tuple[Any, ...]] = set()

    # Values

    def value(self, data: Bytes) -> Any:
        tag = data.u8()
        if tag >= 0x80:
            return unzigzag(tag & 0x7F)
        if tag in (1, 2, 3):
            return (None, True, False)[tag - 1]
        if tag == 4:
            return data.zigzag()
        if tag == 6:
            return int.from_bytes(data.raw(data.uv()), "little", signed=True)
        if tag == 7:
            return Cut("int", data.uv(), bool(data.u8()))
        if tag == 8:
            return data.f64()
        if tag == 9:
            return complex(data.f64(), data.f64())
        if tag == 0x0A:
            return data.text()
        if tag == 0x0B:
            return Cut("str", data.uv(), data.text())
        if tag == 0x0D:
            return data.raw(data.uv())
        if tag == 0x0E:
            return Cut("bytes", data.uv(), data.raw(data.uv()))
        if 0x10 <= tag <= 0x14 or 0x18 <= tag <= 0x1C:
            total = data.uv()
            shown = data.uv() if tag >= 0x18 else total
            kind = CONTAINERS[tag & 7]
            return assemble(kind, total, self.items(data, shown, kind == "dict"))
        if tag == 0x1F:
            return STOP
        if tag == 0x21:
            define(self.types, data)
            return self.value(data)
        if tag == 0x22:
            return Instance(self.types[data.uv()], self.value(data))
        if tag == 0x23:
            return Object(self.types[data.uv()], data.uv())
        if tag == 0x24:
            return ExceptionObject(self.types[data.uv()], self.value(data))
        if tag == 0x25:
            return Cycle(data.uv())
        if tag in (0x27, 0x28, 0x29):
            return Absent(("redacted", "dropped", "omitted")[tag - 0x27])
        if tag == 0x2A:
            return self.instance(data)
        if tag == 0x2B:
            return Text(self.types[data.uv()], data.uv(), data.text())
        if tag == 0x2D:
            number = data.uv()
            self.numbered[number] = self.value(data)
            return self.numbered[number]
        if tag == 0x2E:
            return self.numbered[data.uv()]
        if tag == 0x2F:
            return self.changed(data, data.uv())
        if tag == 0x30:
            return Shared(data.uv(), self.value(data))
        if 0x38 <= tag <= 0x3F:
            data.raw(data.uv())
            return Absent("unknown")
        raise JournalError(f"value tag {tag:#x} at byte {data.at - 1}")

    def items(self, data: Bytes, count: int, pairs: bool) -> list[Any]:
        items: list[Any] = []
        for _ in range(count):
            item = self.value(data)
            if item is STOP:
                break
            if pairs and isinstance(item, Absent) and item.why == "dropped":
                items.append(DROPPED)
            else:
                items.append((item, self.value(data)) if pairs else item)
        return items

    def instance(self, data: Bytes) -> Fields:
        kind = self.types[data.uv()]
        part: Any = UNSET
        if data.data[data.at] == 0x26:
            data.u8()
        else:
            part = self.value(data)
        total = data.uv()
        shown: list[tuple[str, Any]] = []
        for _ in range(data.uv()):
            code = data.uv()
            if code == 0:
                break
            if code == 1:
                shown.append(DROPPED)
                continue
            number = data.uv() if code == 2 else code - 3
            if code == 2:
                self.fields[number] = data.text()
            shown.append((self.fields[number], self.value(data)))
        left_out = sum(pair is DROPPED for pair in shown)
        return Fields(kind, part, total - left_out, [p for p in shown if p is not DROPPED])

    def changed(self, data: Bytes, number: int) -> Fields:
        last = self.numbered[number]
        if not isinstance(last, Fields):
            raise JournalError(f"a field of {last!r}")
        shown = list(last.shown)
        at = -1
        for _ in range(data.uv()):
            at += data.uv() + 1
            shown[at] = (shown[at][0], self.value(data))
        fields = Fields(last.type, last.part, last.total, shown)
        self.numbered[number] = fields
        return fields

    def item_value(self, data: Bytes, scope: dict[Any, Any], key: Any) -> None:
        """Read the value of one variable, which may be a difference to its last one."""
        tag = data.data[data.at] if data.more() else 0
        variable = (id(scope), key)
        if tag in (5, 0x0C, 0x20, 0x2C) or 0x40 <= tag <= 0x7F:
            data.u8()
            if variable not in self.stated:
                raise JournalError(
                    f"a difference to a value of another chunk at byte {data.at - 1}"
                )
            scope[key] = self.difference(data, tag, scope[key])
        elif tag == 0x26:
            data.u8()
            # The place among the variables stays.
            scope[key] = UNSET
        else:
            scope[key] = self.value(data)
        self.stated.add(variable)

    def difference(self, data: Bytes, tag: int, last: Any) -> Any:
        if tag == 5 or tag >= 0x40:
            if type(last) is not int:
                raise JournalError(f"a difference to {last!r}")
            return wrap(last + (data.zigzag() if tag == 5 else unzigzag(tag & 0x3F)))
        if tag == 0x0C:
            text = last.shown if isinstance(last, Cut) else last
            if not isinstance(text, str):
                raise JournalError(f"the text of {last!r}")
            total = data.uv()
            return text if total == len(text) else Cut("str", total, text)
        kind = last.type if isinstance(last, Cut) else type(last).__name__
        items = list(last.shown if isinstance(last, Cut) else last)
        if tag == 0x2C:
            return self.edited(data, kind, last.total if isinstance(last, Cut) else 0, items)
        total, shown, kept = data.uv(), data.uv(), data.uv()
        if kind not in ("tuple", "list") or kept > len(items):
            raise JournalError(f"a patch of {last!r}")
        return assemble(kind, total, items[:kept] + self.items(data, shown - kept, False))

    def edited(self, data: Bytes, kind: str, total: int, items: list[Any]) -> Any:
        at = -1
        for _ in range(data.uv()):
            at += data.uv() + 1
            if kind not in ("tuple", "list") or at >= len(items):
                raise JournalError(f"an edit of item {at} of a {kind}")
            items[at] = self.value(data)
        return assemble(kind, max(total, len(items)), items)

    # Units

    def chunk(self, records: bytes, live: bool) -> None:
        data = Bytes(records)
        self.stated.clear()
        self.numbered.clear()
        while data.more():
            if data.data[data.at] == 0:
                if not live:
                    raise JournalError(f"a zero tag at byte {data.at}")
                return
            self.unit(data, data.u8())

    def unit(self, data: Bytes, tag: int) -> None:
        stack = self.stacks[self.thread]
        if tag >= 0x80:
            frame = stack[-1]
            frame.line += data.zigzag() if tag == 0xFF else unzigzag(tag & 0x7F)
            self.read_items(data, frame)
            self.step(frame)
        elif tag == 0x01:
            define(self.paths, data)
        elif tag == 0x02:
            define(self.names, data)
        elif tag == 0x03:
            self.function(data)
        elif tag == 0x04:
            function = data.uv()
            frame = Frame(function, self.functions[function].line)
            stack.append(frame)
            self.read_items(data, frame)
            self.add("call", self.functions[function].name, self.arguments(frame))
            self.step(frame)
        elif tag in (0x05, 0x06, 0x07):
            function, line = data.uv(), data.uv()
            stack.append(Frame(function, line))
            kind = ("enter", "resume", "throw")[tag - 5]
            thrown = (self.value(data),) if tag == 0x07 else ()
            self.add(kind, self.functions[function].name, line, *thrown)
        elif tag in (0x08, 0x09, 0x0A):
            value = self.value(data)
            frame = stack.pop()
            kind = ("return", "yield", "unwind")[tag - 8]
            self.add(kind, self.functions[frame.function].name, value)
        elif tag == 0x0B:
            self.add("lost", self.functions[stack.pop().function].name)
        elif tag == 0x0C:
            thread = data.uv()
            if thread != self.thread:
                self.thread = thread
                self.stacks.setdefault(thread, [])
                self.events.append(("switch", thread))
        elif tag == 0x0D:
            thread = data.uv()
            self.stacks.setdefault(thread, [])
            self.events.append(("thread start", thread, data.uv(), data.text()))
        elif tag == 0x0E:
            thread = data.uv()
            self.stacks[thread] = []
            self.events.append(("thread exit", thread))
        elif tag == 0x13:
            task = data.uv(), data.text()
            if self.tasks.get(self.thread, (0, "")) != task:
                self.tasks[self.thread] = task
                self.add("task", task[1])
        elif tag == 0x14:
            what = data.u8()
            self.add("output", what & 3, what & ~3, data.raw(data.uv()))
        elif tag in (0x0F, 0x10):
            value = self.value(data)
            frame = stack[-1]
            kind = "raise" if tag == 0x0F else "catch"
            path = self.functions[frame.function].path
            self.add(kind, path, frame.line, value, self.variables(frame))
        elif tag in (0x11, 0x12):
            data.uv(), data.uv(), data.uv()
        elif 0x30 <= tag <= 0x3F:
            data.raw(data.uv())
        else:
            raise JournalError(f"unit tag {tag:#x} at byte {data.at - 1}")

    def add(self, kind: str, *rest: Any) -> None:
        self.events.append((kind, self.thread, *rest))

    def step(self, frame: Frame) -> None:
        path = self.functions[frame.function].path
        self.add("step", path, frame.line, self.variables(frame))

    def function(self, data: Bytes) -> None:
        number, path, line = data.uv(), data.uv(), data.uv()
        data.uv()
        name = data.text()
        data.uv()
        slots = [self.names[data.uv()] for _ in range(data.uv())]
        others = [self.names[data.uv()] for _ in range(data.uv())]
        function = Function(self.paths[path], line, name, slots, others)
        if self.functions.setdefault(number, function) != function:
            raise JournalError(f"function {number} changed its meaning")
        self.globals.setdefault(number, {})

    def read_items(self, data: Bytes, frame: Frame) -> None:
        while data.more() and 0x40 <= data.data[data.at] <= 0x7F:
            tag = data.u8()
            if tag == 0x7E:
                define(self.names, data)
            elif tag == 0x7F:
                data.u8()
                data.raw(data.uv())
            elif tag == 0x7D:
                self.item_value(data, frame.named, self.names[data.uv()])
            elif tag == 0x7B:
                self.item_value(data, self.globals[frame.function], data.uv())
            else:
                self.item_value(data, frame.slots, data.uv() if tag == 0x7C else tag - 0x40)

    def arguments(self, frame: Frame) -> dict[str, Any]:
        names = self.functions[frame.function].slots
        bound = sorted((slot, value) for slot, value in frame.slots.items() if value is not UNSET)
        return {names[slot]: value for slot, value in bound}

    def variables(self, frame: Frame) -> dict[str, Any]:
        """Everything that is visible in the frame, in the order of the trace."""
        names = self.functions[frame.function].globals
        shown = self.arguments(frame)
        others = sorted(self.globals[frame.function].items())
        for name, value in [*frame.named.items(), *((names[index], v) for index, v in others)]:
            # A slot hides the other two, and a named variable hides a global.
            if value is not UNSET:
                shown.setdefault(name, value)
        return shown


def assemble(kind: str, total: int, items: list[Any]) -> Any:
    """Return a container; a part of one when items are missing."""
    total -= sum(item is DROPPED for item in items)
    items = [item for item in items if item is not DROPPED]
    if total > len(items):
        return Cut(kind, total, items)
    if kind == "list":
        return items
    if kind == "tuple":
        return tuple(items)
    try:
        whole = {"set": set, "frozenset": frozenset, "dict": dict}[kind](items)
    except TypeError:
        whole = ()
    # Items that are equal here were told apart in the program, or stand for what cannot be hashed.
    return whole if len(whole) == len(items) else Cut(kind, total, items)


def frames(data: bytes) -> list[tuple[int, int, bytes]]:
    """Return kind, sequence and content of each whole frame of a journal file."""
    if data[:8] != b"CTJOURNL":
        raise JournalError("no journal")
    at = int.from_bytes(data[10:12], "little")
    found = []
    while at + 32 <= len(data):
        head = data[at : at + 32]
        magic, kind, codec, _, stored, size, sequence, crc, own = struct.unpack("<IBBHIIQII", head)
        payload = data[at + 32 : at + 32 + stored]
        if (magic, own, len(payload), crc) != (
            0x464A5443,
            crc32(head[:28]),
            stored,
            crc32(payload),
        ):
            break
        content = zstd.decompress(payload) if codec == 1 else payload
        if len(content) != size:
            raise JournalError(f"frame at byte {at} has the wrong size")
        found.append((kind, sequence, content))
        at += 32 + stored
    return found


def slots(path: Path, session: bytes) -> dict[int, bytes]:
    """Return the chunks in the ring file beside a journal, by sequence."""
    if not path.exists():
        return {}
    data = path.read_bytes()
    count, size = struct.unpack_from("<IQ", data, 12)
    if data[:8] != b"CTJRING1" or data[24:40] != session:
        raise JournalError("a foreign ring")
    found = {}
    for slot in range(count):
        chunk = data[4096 + slot * size : 4096 + (slot + 1) * size]
        sequence = int.from_bytes(chunk[24:32], "little")
        if sequence:
            found[sequence] = chunk
    return found


def chunks(path: Path) -> list[bytes]:
    """Return the chunks of a journal and of its ring in order."""
    data = path.read_bytes()
    found = slots(path.with_suffix(".ring"), data[16:32])
    found |= {sequence: content for kind, sequence, content in frames(data) if kind == 2}
    return [found[sequence] for sequence in sorted(found)]


def load(path: str | Path) -> list[Event]:
    """Return the events of the journal at ``path``."""
    decoder = Decoder()
    for chunk in chunks(Path(path)):
        length = int.from_bytes(chunk[80:84], "little")
        start = int.from_bytes(chunk[6:8], "little")
        records = chunk[start : start + length] if length else chunk[start:]
        decoder.chunk(records, live=not length)
    return decoder.events
