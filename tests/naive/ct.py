"""A second decoder of `.ct` files, simple and slow, that shares no code with the product."""

from __future__ import annotations

import base64
import struct
import sys
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Files = dict[str, bytes]
Value = dict[str, Any]
LETTERS = "\0" + "0123456789" + "abcdefghijklmnopqrstuvwxyz" + "./-"


@dataclass
class Trace:
    """Everything in a trace.

    ``meta``    dict: flags, recording_id, program, args, workdir, recorder, paths, filters
    ``paths``, ``funcs``, ``types``, ``varnames``   lists of text
    ``steps``   list of dicts: kind, position, path_id, path, line, column and, where the kind has
                them, exception, message, thread
    ``values``  for each step a list of (name, value)
    ``calls``   list of dicts: function, parent, first, last, depth, args, returned, exception,
                children, and in traces that say it edges: how it begins and ends
    ``events``  list of dicts: kind, step, metadata, content
    ``files``   dict of the raw internal files

    A value is a dict with ``kind``, ``type`` and the fields of its kind under their names in the
    trace; nested values are such dicts again.
    """

    meta: dict[str, Any]
    paths: list[str]
    funcs: list[str]
    types: list[str]
    varnames: list[str]
    steps: list[dict[str, Any]]
    values: list[list[tuple[str, Value]]]
    calls: list[dict[str, Any]]
    events: list[dict[str, Any]]
    files: Files


def load(path: str | Path) -> Trace:
    """Return everything in the trace at ``path``."""
    files = read_files(Path(path).read_bytes())
    meta = read_meta(files["meta.dat"])
    types = [record.decode() for record in table(files, "types")]
    funcs = [record.decode() for record in table(files, "funcs")]
    varnames = [record.decode() for record in table(files, "varnames")]
    columns = bool(meta["flags"] & 0x10)
    sources = [read_path(record, columns) for record in table(files, "paths")]
    steps = read_steps(files, sources, types, columns)
    known: dict[bytes, Value] = {}
    return Trace(
        meta=meta,
        paths=[name for name, _ in sources],
        funcs=funcs,
        types=types,
        varnames=varnames,
        steps=steps,
        values=[read_values(record, varnames, types, known) for record in records(files, "values")],
        calls=read_calls(files, funcs, varnames, types),
        events=[read_event(record) for record in records(files, "events")],
        files=files,
    )


# The container: blocks, directory, block map.


def read_files(data: bytes) -> Files:
    assert data[:5] == b"\xc0\xde\x72\xac\xe2", "no CTFS magic"
    assert data[5] in (2, 3, 4), "unknown version"
    block_size, slots = struct.unpack_from("<II", data, 8)
    files = {}
    for slot in range(slots):
        size, root, packed = struct.unpack_from("<QQQ", data, 16 + 24 * slot)
        name = ""
        while packed:
            name += LETTERS[packed % 40]
            packed //= 40
        if name:
            blocks = data_blocks(data, block_size, root, 1)
            content = b"".join(blocks)
            assert len(content) >= size, f"{name} is cut"
            files[name] = content[:size]
    return files


def data_blocks(data: bytes, block_size: int, number: int, level: int) -> Iterator[bytes]:
    """Yield the data blocks below mapping block ``number`` and below its chain."""
    yield from leaves(data, block_size, number, level)
    chain = struct.unpack_from("<Q", data, (number + 1) * block_size - 8)[0]
    if chain:
        yield from data_blocks(data, block_size, chain, level + 1)


def leaves(data: bytes, block_size: int, number: int, level: int) -> Iterator[bytes]:
    for entry in range(block_size // 8 - 1):
        (child,) = struct.unpack_from("<Q", data, number * block_size + 8 * entry)
        if child == 0:
            return
        if level == 1:
            yield data[child * block_size : (child + 1) * block_size]
        else:
            yield from leaves(data, block_size, child, level - 1)


# Tables, chunked streams and their fields.


class Bytes:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        assert self.at + count <= len(self.data), "a record is cut"
        self.at += count
        return self.data[self.at - count : self.at]

    def u(self) -> int:
        number = shift = 0
        while True:
            (byte,) = self.take(1)
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number

    def s(self) -> int:
        number = self.u()
        return -(number + 1) // 2 if number % 2 else number // 2

    def blob(self) -> bytes:
        return self.take(self.u())

    def text(self) -> str:
        return self.blob().decode()

    def many(self, read: Callable[[], Any]) -> list[Any]:
        return [read() for _ in range(self.u())]

    def left(self) -> int:
        return len(self.data) - self.at


def table(files: Files, stem: str) -> list[bytes]:
    data, raw = files.get(stem + ".dat", b""), files.get(stem + ".off", bytes(8))
    offsets = struct.unpack(f"<{len(raw) // 8}Q", raw)
    return [data[start:end] for start, end in pairwise(offsets)]


def chunks(files: Files, stem: str) -> tuple[list[bytes], int]:
    """Return the inflated chunks of a stream and how many records a full one has."""
    data, index = files.get(stem + ".dat", b""), files.get(stem + ".idx", b"\1\0\0\0")
    (per_chunk,) = struct.unpack_from("<I", index)
    starts = [*struct.unpack(f"<{len(index) // 8}Q", index[4:]), len(data)]
    frames = [data[start:end] for start, end in pairwise(starts)]
    for frame in frames:
        assert zstd.get_frame_info(frame).decompressed_size is not None, "content size not stated"
    return [zstd.decompress(frame) for frame in frames], per_chunk


def records(files: Files, stem: str) -> list[bytes]:
    found: list[bytes] = []
    inflated, per_chunk = chunks(files, stem)
    for number, chunk in enumerate(inflated):
        assert len(found) == number * per_chunk, f"chunk {number} of {stem} starts elsewhere"
        fields = Bytes(chunk)
        while fields.left():
            found.append(fields.blob())
        assert len(found) <= (number + 1) * per_chunk, f"chunk {number} of {stem} is too full"
    return found


# The records.


def read_meta(data: bytes) -> dict[str, Any]:
    fields = Bytes(data)
    assert fields.take(4) == b"CTMD", "no meta magic"
    version, flags = struct.unpack("<HH", fields.take(4))
    assert version == 3, "unknown meta version"
    meta: dict[str, Any] = {
        "flags": flags,
        "recording_id": fields.text(),
        "program": fields.text(),
        "args": fields.many(fields.text),
        "workdir": fields.text(),
        "recorder": fields.text(),
        "paths": fields.many(fields.text),
        "filters": [],
    }
    assert not flags & 7, "a native recording"
    if flags & 8:
        meta["filters"] = fields.many(lambda: (fields.text(), fields.take(32).hex()))
    assert not fields.left(), "bytes follow the metadata"
    return meta


def read_path(record: bytes, columns: bool) -> tuple[str, list[int]]:
    """Return the path and the lengths of its lines, empty without columns."""
    if not columns:
        return record.decode(), []
    fields = Bytes(record)
    name = fields.text()
    lengths = []
    length = 0
    for change in fields.many(fields.s):
        length += change
        lengths.append(length)
    assert not fields.left(), "bytes follow a line table"
    return name, lengths


def places(sources: list[tuple[str, list[int]]]) -> tuple[list[int], list[tuple[int, int]]]:
    """Return where each line that has columns starts, and the path id and line it is."""
    starts, lines, position = [], [], 0
    for path_id, (_, lengths) in enumerate(sources):
        for line, length in enumerate(lengths, start=1):
            if length:
                starts.append(position)
                lines.append((path_id, line))
                position += length
    return [*starts, position], lines


def read_steps(
    files: Files, sources: list[tuple[str, list[int]]], types: list[str], columns: bool
) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    starts, lines = places(sources)
    inflated, per_chunk = chunks(files, "steps")
    for number, chunk in enumerate(inflated):
        assert len(steps) == number * per_chunk, f"chunk {number} of steps starts elsewhere"
        fields = Bytes(chunk)
        position = 0
        while fields.left():
            (tag,) = fields.take(1)
            step: dict[str, Any] = {}
            if tag == 0:
                position = fields.u()
            elif tag in (1, 7):
                position += fields.s()
            elif tag == 2:
                step = {"exception": types[fields.u()], "message": fields.text()}
            elif tag == 3:
                step = {"exception": types[fields.u()]}
            else:
                assert tag in (4, 5, 6), f"unknown step tag {tag}"
                step = {"thread": fields.u()}
            kinds = ["line", "line", "raise", "catch", "thread-switch", "thread-start"]
            kind = [*kinds, "thread-exit", "column"][tag]
            path_id, line, column = *divmod(position, 100_000), None
            if columns:
                index = bisect_right(starts, position) - 1
                assert index < len(lines), f"position {position} is in no file"
                path_id, line = lines[index]
                column = position - starts[index] + 1
            at = {"path_id": path_id, "path": sources[path_id][0], "line": line, "column": column}
            steps.append({"kind": kind, "position": position, **at, **step})
    return steps


def read_values(
    record: bytes, varnames: list[str], types: list[str], known: dict[bytes, Value]
) -> list[tuple[str, Value]]:
    if not record:
        return []
    fields = Bytes(record)
    assert fields.u() == 0, "unknown form of values"
    found = []
    for _ in range(fields.u()):
        name, data = varnames[fields.u()], fields.blob()
        if data not in known:
            known[data] = read_value(data, types)
        found.append((name, known[data]))
    assert not fields.left(), "bytes follow the values"
    return found


def read_call(
    record: bytes, funcs: list[str], varnames: list[str], types: list[str]
) -> dict[str, Any]:
    fields = Bytes(record)
    call = {
        "function": funcs[fields.u()],
        "parent": fields.s(),
        "first": fields.u(),
        "last": fields.u(),
        "depth": fields.u(),
        "args": fields.many(lambda: (varnames[fields.u()], read_value(fields.blob(), types))),
        "returned": read_value(fields.blob(), types),
        "exception": read_value(fields.blob(), types),
        "children": fields.many(fields.u),
    }
    assert not fields.left(), "bytes follow a call"
    return call


ENTRIES = ["call", "found", "resume", "throw", "switch"]
EXITS = ["open", "return", "yield", "unwind", "lost", "switch"]


def read_calls(
    files: Files, funcs: list[str], varnames: list[str], types: list[str]
) -> list[dict[str, Any]]:
    calls = [read_call(record, funcs, varnames, types) for record in records(files, "calls")]
    if "edges.dat" in files:
        numbers = b"".join(chunks(files, "edges")[0])
        assert len(numbers) == len(calls), "each call has one byte of edges"
        for call, number in zip(calls, numbers, strict=True):
            call["edges"] = (ENTRIES[number & 15], EXITS[number >> 4])
    return calls


def read_event(record: bytes) -> dict[str, Any]:
    fields = Bytes(record)
    (kind,) = fields.take(1)
    event = {"kind": kind, "step": fields.u(), "metadata": fields.text(), "content": fields.blob()}
    assert not fields.left(), "bytes follow an event"
    return event


# Values.


def read_value(data: bytes, types: list[str]) -> Value:
    """Return a dict with ``kind`` and ``type``; no bytes are kind None, the byte FF is ``Void``."""
    if not data:
        return {"kind": None, "type": None}
    if data == b"\xff":
        return {"kind": "Void", "type": None}
    fields = Bytes(data)
    value: Value = named(cbor(fields), types)
    assert not fields.left(), "bytes follow a value"
    return value


def named(item: Any, types: list[str]) -> Any:
    """Replace every ``type_id`` by the ``type`` it stands for."""
    if isinstance(item, list):
        return [named(one, types) for one in item]
    if not isinstance(item, dict):
        return item
    value = {key: named(one, types) for key, one in item.items() if key != "type_id"}
    if "type_id" in item:
        type_id = item["type_id"]
        value["type"] = types[type_id] if type_id < len(types) else f"<unknown {type_id}>"
    return value


def cbor(fields: Bytes) -> Any:
    (head,) = fields.take(1)
    major, low = head // 32, head % 32
    if major == 7:
        if low == 27:
            return struct.unpack(">d", fields.take(8))[0]
        return {20: False, 21: True, 22: None}[low]
    argument = low if low < 24 else int.from_bytes(fields.take(2 ** (low - 24)), "big")
    if major == 0:
        return argument
    if major == 1:
        return -1 - argument
    if major == 2:
        return {"base64": base64.b64encode(fields.take(argument)).decode()}
    if major == 3:
        return fields.take(argument).decode("utf-8", "surrogatepass")
    if major == 4:
        return [cbor(fields) for _ in range(argument)]
    if major == 5:
        return {cbor(fields): cbor(fields) for _ in range(argument)}
    assert (major, argument) == (6, 256), "unknown tag"
    return {"kind": "ValueRef", "target": cbor(fields)}
