"""Variable-length integers (unsigned and zigzag LEB128) and a cursor over a record's fields."""

from __future__ import annotations

from codetracer_core.errors import TraceError

__all__ = ["Cursor", "decode_svarint", "decode_varint", "encode_svarint", "encode_varint"]

_MAX_BYTES = 10
_LIMIT = 1 << 64


def encode_varint(number: int) -> bytes:
    """Return ``number`` (0 to 2**64 - 1), seven bits a byte, low group first."""
    if not 0 <= number < _LIMIT:
        message = f"{number} does not fit an unsigned 64-bit varint"
        raise ValueError(message)
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def encode_svarint(number: int) -> bytes:
    """Return ``number`` (a signed 64-bit one) as the varint of 2n, or of -2n - 1 when negative."""
    return encode_varint(number * 2 if number >= 0 else -number * 2 - 1)


def decode_varint(data: bytes, position: int = 0) -> tuple[int, int]:
    """Return the number at ``position`` and the position after it.

    Raises :class:`TraceError` when the data ends inside it or it does not fit 64 bits.
    """
    pair = data[position : position + 2]
    if len(pair) == 2 and pair[1] < 0x80 <= pair[0]:
        return pair[0] & 0x7F | pair[1] << 7, position + 2
    number = 0
    for index, byte in enumerate(data[position : position + _MAX_BYTES]):
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if number >= _LIMIT:
                break
            return number, position + index + 1
    raise TraceError("ERR_TRACE_CORRUPT", "a number is cut or too large", offset=position)


def decode_svarint(data: bytes, position: int = 0) -> tuple[int, int]:
    """Return the zigzag number at ``position`` and the position after it, as `decode_varint`."""
    number, position = decode_varint(data, position)
    return (number >> 1) ^ -(number & 1), position


class Cursor:
    """Reads the fields of one record in order; its methods raise :class:`TraceError` at the end.

    The record is ``data`` from ``position`` to ``end``: it need not be copied out of a chunk.
    """

    __slots__ = ("data", "end", "position")

    def __init__(self, data: bytes, position: int = 0, end: int | None = None) -> None:
        self.data = data
        self.position = position
        self.end = len(data) if end is None else end

    def __bool__(self) -> bool:
        """Whether something is left to read."""
        return self.position < self.end

    def varint(self) -> int:
        """Read an unsigned number."""
        position = self.position
        if position < self.end and (number := self.data[position]) < 0x80:
            self.position = position + 1
            return number
        number, position = decode_varint(self.data, position)
        if position > self.end:
            raise self._cut(position - self.position)
        self.position = position
        return number

    def svarint(self) -> int:
        """Read a signed number."""
        number = self.varint()
        return (number >> 1) ^ -(number & 1)

    def raw(self, length: int) -> bytes:
        """Read ``length`` bytes."""
        start = self.position
        if length > self.end - start:
            raise self._cut(length)
        self.position = start + length
        return self.data[start : start + length]

    def blob(self) -> bytes:
        """Read a varint length and that many bytes."""
        return self.raw(self.varint())

    def pairs(self, count: int) -> list[bytes]:
        """Read `count` pairs of a number and a blob, each pair as it stands there."""
        data, position, end = self.data, self.position, self.end
        found: list[bytes] = []
        for _ in range(count):
            start = position
            # Decoded in place: lists of variables are the larger part of every trace.
            while position < end and data[position] > 0x7F:
                position += 1
            position += 1
            length = data[position] if position < end else 0x80
            if length < 0x80:
                position += 1 + length
            else:
                length, position = decode_varint(data, position)
                position += length
            if position > end:
                self.position = start
                raise self._cut(position - start)
            found.append(data[start:position])
        self.position = position
        return found

    def text(self) -> str:
        """Read a blob of UTF-8; bytes that are none become replacement characters."""
        return self.blob().decode("utf-8", "replace")

    def count(self) -> int:
        """Read the number of items that follow, each of at least one byte."""
        number = self.varint()
        if number > self.end - self.position:
            message = "a record claims more items than it has bytes"
            raise TraceError("ERR_TRACE_CORRUPT", message, offset=self.position, items=number)
        return number

    def _cut(self, length: int) -> TraceError:
        message = "a record ends inside a field"
        position, end = self.position, self.end
        return TraceError("ERR_TRACE_CORRUPT", message, offset=position, length=length, size=end)
