"""Values as ``trace.json`` writes them, straight from the bytes of a trace.

Most values that no step before had are numbers, texts, and sequences of these, in the form in which
our own traces keep them. Everything else is decoded first.
"""

from __future__ import annotations

from codetracer_core.ctfs.cbor import decode_int
from codetracer_core.ctfs.values import decode_value
from codetracer_core.trace_json.definitions import quoted
from codetracer_core.trace_json.values import INT, SEQUENCE, STRING, TUPLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codetracer_core.trace_json.values import ValueTexts

__all__ = ["EncodedTexts"]

_INT, _TEXT = b"\xa3dkindcIntai", b"\xa3dkindfStringdtext"
_TUPLE, _SEQUENCE = b"\xa3dkindeTuplehelements", b"\xa4dkindhSequencehelements"
_TYPE_ID, _NO_SLICE = b"gtype_id", b"his_slice\xf4gtype_id"
_MAX_DEPTH = 40
# The head of an item in CBOR: its major type, and its length or the number of bytes that have it.
_MAJOR, _STRING, _ARRAY = 0xE0, 0x60, 0x80
_LARGEST_HEAD, _ONE_BYTE, _TWO_BYTES, _FOUR_BYTES, _EIGHT_BYTES = 23, 24, 25, 26, 27


class _OtherFormError(Exception):
    """A value has a form that is not known here."""


class EncodedTexts:
    """Renders values as `values` does, from their encoded form; `type_name` names a type id."""

    def __init__(self, values: ValueTexts, type_name: Callable[[int], str]) -> None:
        self._values = values
        self._type_name = type_name
        self._numbers: dict[tuple[int, int], int] = {}

    def of(self, data: bytes) -> str:
        """The rendering of the value in the record field `data`; its types are defined first.

        Raises TraceError when it is damaged.
        """
        try:
            text, position = self._item(data, 0, _MAX_DEPTH)
        except (_OtherFormError, IndexError):
            position = -1
        if position != len(data):
            return self._values.of(decode_value(data, self._type_name))
        return text

    def _item(self, data: bytes, position: int, depth: int) -> tuple[str, int]:
        """The rendering of the value at `position`, and the position after it."""
        if data.startswith(_INT, position):
            number, position = _number(data, position + len(_INT))
            type_id, position = self._type(data, position, _TYPE_ID, INT)
            return f'{{"kind":"Int","i":{number},"type_id":{type_id}}}', position
        if data.startswith(_TEXT, position):
            text, position = _text(data, position + len(_TEXT))
            type_id, position = self._type(data, position, _TYPE_ID, STRING)
            return f'{{"kind":"String","text":{quoted(text)},"type_id":{type_id}}}', position
        if depth and data.startswith(_TUPLE, position):
            items, position = self._items(data, position + len(_TUPLE), depth)
            type_id, position = self._type(data, position, _TYPE_ID, TUPLE)
            return f'{{"kind":"Tuple","elements":[{items}],"type_id":{type_id}}}', position
        if depth and data.startswith(_SEQUENCE, position):
            items, position = self._items(data, position + len(_SEQUENCE), depth)
            type_id, position = self._type(data, position, _NO_SLICE, SEQUENCE)
            end = f'"is_slice":false,"type_id":{type_id}'
            return f'{{"kind":"Sequence","elements":[{items}],{end}}}', position
        raise _OtherFormError

    def _items(self, data: bytes, position: int, depth: int) -> tuple[str, int]:
        count, position = _size(data, position, _ARRAY)
        texts = []
        for _ in range(count):
            text, position = self._item(data, position, depth - 1)
            texts.append(text)
        return ",".join(texts), position

    def _type(self, data: bytes, position: int, key: bytes, form: int) -> tuple[int, int]:
        """The number of the type behind the `key` at `position`, and the position after it."""
        if not data.startswith(key, position):
            raise _OtherFormError
        type_id, position = _number(data, position + len(key))
        number = self._numbers.get((type_id, form))
        if number is None:
            number = self._values.type_number(self._type_name(type_id), form)
            self._numbers[type_id, form] = number
        return number, position


def _number(data: bytes, position: int) -> tuple[int, int]:
    """The whole number at `position`, and the position after it."""
    if data[position] & _MAJOR:
        return decode_int(data, position)
    return _argument(data, position)


def _text(data: bytes, position: int) -> tuple[str, int]:
    size, position = _size(data, position, _STRING)
    end = position + size
    try:
        return data[position:end].decode(), end
    except UnicodeDecodeError:
        # Lone surrogates, or damage.
        raise _OtherFormError from None


def _size(data: bytes, position: int, major: int) -> tuple[int, int]:
    """The length in the head at `position`, which must be of this `major` type."""
    if data[position] & _MAJOR != major:
        raise _OtherFormError
    return _argument(data, position)


def _argument(data: bytes, position: int) -> tuple[int, int]:
    """The number that belongs to the head at `position`, and the position after it."""
    low = data[position] & ~_MAJOR
    if low <= _LARGEST_HEAD:
        return low, position + 1
    if low == _ONE_BYTE:
        return data[position + 1], position + 2
    if low == _TWO_BYTES:
        return data[position + 1] << 8 | data[position + 2], position + 3
    if low == _FOUR_BYTES and position + 5 <= len(data):
        return int.from_bytes(data[position + 1 : position + 5]), position + 5
    if low == _EIGHT_BYTES and position + 9 <= len(data):
        return int.from_bytes(data[position + 1 : position + 9]), position + 9
    raise _OtherFormError
