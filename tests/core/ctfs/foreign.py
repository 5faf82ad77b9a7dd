"""Builds traces byte by byte, in layouts that our own writer never makes."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cbor2

from codetracer_core._zstd import compress

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path
    from random import Random

LETTERS = "\0" + "0123456789" + "abcdefghijklmnopqrstuvwxyz" + "./-"
RECORDING_ID = "01949fcc-7d92-7e9c-aaaa-bbbbbbbbbbbb"
PLAIN_FLAGS = 0x0F10


def packed(name: str) -> int:
    return sum(LETTERS.index(char) * 40**place for place, char in enumerate(name))


def varint(number: int) -> bytes:
    groups = [number & 127]
    while number := number >> 7:
        groups.append(number & 127)
    return bytes([*(group | 128 for group in groups[:-1]), groups[-1]])


def svarint(number: int) -> bytes:
    return varint(2 * number if number >= 0 else -2 * number - 1)


def blob(data: bytes | str) -> bytes:
    raw = data.encode() if isinstance(data, str) else data
    return varint(len(raw)) + raw


def many(items: Sequence[bytes]) -> bytes:
    return varint(len(items)) + b"".join(items)


# Containers.


def header(block_size: int = 4096, version: int = 4, slots: int = 31) -> bytes:
    return b"\xc0\xde\x72\xac\xe2" + struct.pack("<BBBII", version, 0, 1, block_size, slots)


def slot(name: str, size: int, root: int) -> bytes:
    return struct.pack("<QQQ", size, root, packed(name))


def container(
    files: Mapping[str, bytes],
    *,
    block_size: int = 4096,
    version: int = 4,
    slots: int = 31,
    order: Random | None = None,
) -> bytes:
    """Lay out ``files`` of up to two mapping levels, with the blocks in an ``order`` of chance."""
    entries = block_size // 8
    needed = sum(blocks_of(len(data), block_size) for data in files.values())
    numbers = list(range(1, needed + 1))
    if order is not None:
        order.shuffle(numbers)
    take = iter(numbers).__next__
    blocks: dict[int, bytes] = {}
    directory = header(block_size, version, slots)

    def store(data: bytes) -> int:
        number = take()
        blocks[number] = data.ljust(block_size, b"\0")
        return number

    def mapping(children: list[int], link: int = 0) -> int:
        padding = [0] * (entries - 1 - len(children))
        return store(struct.pack(f"<{entries}Q", *children, *padding, link))

    for name, data in files.items():
        pieces = [data[at : at + block_size] for at in range(0, len(data), block_size)]
        children = [store(piece) for piece in pieces]
        fan_out = entries - 1
        link = 0
        if len(children) > fan_out:
            rest = children[fan_out:]
            groups = [rest[at : at + fan_out] for at in range(0, len(rest), fan_out)]
            link = mapping([mapping(group) for group in groups])
        directory += slot(name, len(data), mapping(children[:fan_out], link))
    blocks[0] = directory.ljust(block_size, b"\0")
    return b"".join(blocks[number] for number in range(len(blocks)))


def blocks_of(size: int, block_size: int) -> int:
    data = -(-size // block_size)
    fan_out = block_size // 8 - 1
    beyond = -(-max(data - fan_out, 0) // fan_out)
    return data + 1 + (beyond + 1 if beyond else 0)


# Streams and tables.


def table(stem: str, records: Iterable[bytes]) -> dict[str, bytes]:
    data, offsets = b"", [0]
    for record in records:
        data += record
        offsets.append(len(data))
    return {f"{stem}.dat": data, f"{stem}.off": struct.pack(f"<{len(offsets)}Q", *offsets)}


def stream(
    stem: str, records: Sequence[bytes], per_chunk: int, *, prefixed: bool = True
) -> dict[str, bytes]:
    data, index = b"", struct.pack("<I", per_chunk)
    for at in range(0, len(records), per_chunk):
        chunk = records[at : at + per_chunk]
        index += struct.pack("<Q", len(data))
        data += compress(b"".join(map(blob, chunk) if prefixed else chunk))
    return {f"{stem}.dat": data, f"{stem}.idx": index}


def line_table(path: str, lengths: Sequence[int]) -> bytes:
    changes = [now - before for now, before in zip(lengths, [0, *lengths], strict=False)]
    return blob(path) + many([svarint(change) for change in changes])


# Records.


def meta(flags: int = PLAIN_FLAGS, *, tail: bytes = b"", version: int = 3) -> bytes:
    args, paths = many([blob("-v")]), many([blob("/w/demo.py")])
    texts = blob(RECORDING_ID) + blob("demo.py") + args + blob("/w") + blob("") + paths
    return b"CTMD" + struct.pack("<HH", version, flags) + texts + tail


def value(kind: str, **fields: Any) -> bytes:
    return cbor2.dumps({"kind": kind, **fields})


def number(payload: int) -> bytes:
    return value("Int", i=payload, type_id=0)


def variables(*pairs: tuple[int, bytes]) -> bytes:
    return b"\0" + many([varint(name) + blob(data) for name, data in pairs])


def call(
    parent: int, first: int, last: int, depth: int = 0, children: Sequence[int] = (), **rest: Any
) -> bytes:
    arguments = [varint(name) + blob(data) for name, data in rest.get("arguments", ())]
    return (
        varint(rest.get("function", 0))
        + svarint(parent)
        + b"".join(map(varint, (first, last, depth)))
        + many(arguments)
        + blob(rest.get("returned", b"\xff"))
        + blob(rest.get("exception", b""))
        + many([varint(child) for child in children])
    )


def event(kind: int, step: int, content: str, metadata: str = "") -> bytes:
    return bytes([kind]) + varint(step) + blob(metadata) + blob(content)


@dataclass
class Foreign:
    """The parts of a trace; what a test does not set is small and valid."""

    flags: int = PLAIN_FLAGS
    meta: bytes | None = None
    paths: Sequence[bytes] = (line_table("/w/demo.py", [5, 9, 8]),)
    funcs: Sequence[bytes] = (b"<module>",)
    types: Sequence[bytes] = (b"Int", b"NoneType")
    varnames: Sequence[bytes] = (b"x", b"y")
    steps: Sequence[bytes] = (b"\0\0",)
    values: Sequence[bytes] = (b"",)
    calls: Sequence[bytes] = ()
    events: Sequence[bytes] = ()
    per_chunk: Mapping[str, int] = field(default_factory=dict)
    leave_out: Sequence[str] = ()

    def files(self) -> dict[str, bytes]:
        """Return the internal files."""
        size = {"steps": 4096, "values": 256, "calls": 256, "events": 64, **self.per_chunk}
        files = {
            **table("paths", self.paths),
            **table("funcs", self.funcs),
            **table("types", self.types),
            **table("varnames", self.varnames),
            **stream("steps", self.steps, size["steps"], prefixed=False),
            **stream("values", self.values, size["values"]),
            **stream("calls", self.calls, size["calls"]),
            **stream("events", self.events, size["events"]),
            "meta.dat": meta(self.flags) if self.meta is None else self.meta,
        }
        return {name: data for name, data in files.items() if name not in self.leave_out}

    def write(self, folder: Path, **layout: Any) -> Path:
        """Write the trace to ``folder`` and return its path."""
        path = folder / "trace.ct"
        path.write_bytes(container(self.files(), **layout))
        return path
