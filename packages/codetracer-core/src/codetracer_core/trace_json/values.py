"""Values as ``trace.json`` writes them."""

from __future__ import annotations

from codetracer_core.trace_json.definitions import NONE_TYPE, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codetracer_core.ctfs.values import Value
    from codetracer_core.trace_json.definitions import Definitions

__all__ = ["INT", "NONE", "SEQUENCE", "STRING", "TUPLE", "ValueTexts", "exception_message"]

NONE = f'{{"kind":"None","type_id":{NONE_TYPE}}}'

# The names that readers of trace.json know; other types keep the name they have in Python.
_NAMES = {
    "NoneType": "None",
    "bool": "Bool",
    "dict": "Dict",
    "int": "Int",
    "list": "List",
    "str": "String",
    "tuple": "Tuple",
}
SEQUENCE, INT, STRING, TUPLE = 0, 7, 9, 27
"""Numbers of forms that values have, by which readers know types."""
_BOOL, _RAW = 12, 16
_OBJECT = "Object"


class ValueTexts:
    """Renders values for a document with these `definitions`."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def of(self, value: Value) -> str:
        """The rendering of `value`; its types are defined first."""
        kind, data = value.kind, value.data
        match kind:
            case "Void" | "Empty":
                return NONE
            case "None":
                return f'{{"kind":"None","type_id":{self._definitions.none_type()}}}'
            case "Bool":
                return self._plain("Bool", "b", "true" if data else "false", value, _BOOL)
            case "Int":
                return self._plain("Int", "i", str(data), value, INT)
            case "String":
                return self._plain("String", "text", quoted(str(data)), value, STRING)
            case "Error":
                return self._plain("Error", "msg", quoted(str(data)), value, _RAW)
            case "Tuple":
                type_id = self._type(value, TUPLE)
                return f'{{"kind":"Tuple","elements":[{self._items(value)}],"type_id":{type_id}}}'
            case "Sequence" | "Set":
                type_id = self._type(value, SEQUENCE)
                return self._sequence(self._items(value), type_id)
            case "Struct" if len(value.names) == len(value.children):
                type_id = self._type(value, SEQUENCE)
                return self._sequence(self._fields(value), type_id)
            case "Reference":
                return self.of(value.children[0])
        return self._plain("Raw", "r", quoted(value.text()), value, _RAW)

    def string(self, text: str) -> str:
        """The str `text`."""
        type_id = self._definitions.type("String", STRING)
        return f'{{"kind":"String","text":{quoted(text)},"type_id":{type_id}}}'

    def raw(self, text: str) -> str:
        """A value of which only its `text` is shown."""
        type_id = self._definitions.type(_OBJECT, _RAW)
        return f'{{"kind":"Raw","r":{quoted(text)},"type_id":{type_id}}}'

    def _plain(self, kind: str, key: str, payload: str, value: Value, form: int) -> str:
        return f'{{"kind":"{kind}","{key}":{payload},"type_id":{self._type(value, form)}}}'

    @staticmethod
    def _sequence(items: str, type_id: int) -> str:
        return f'{{"kind":"Sequence","elements":[{items}],"is_slice":false,"type_id":{type_id}}}'

    def _items(self, value: Value) -> str:
        return ",".join(map(self.of, value.children))

    def _fields(self, value: Value) -> str:
        """The fields of an object as pairs of name and value, in the form of a dict."""
        pair = self._definitions.type("Tuple", TUPLE)
        texts = []
        for name, child in zip(value.names, value.children, strict=True):
            items = f"{self.string(name)},{self.of(child)}"
            texts.append(f'{{"kind":"Tuple","elements":[{items}],"type_id":{pair}}}')
        return ",".join(texts)

    def type_number(self, name: str, form: int) -> int:
        """The number of the type that Python calls `name`, blank for none, in this `form`."""
        return self._definitions.type(_NAMES.get(name, name or _OBJECT), form)

    def _type(self, value: Value, form: int) -> int:
        return self.type_number(value.type_name, form)


def exception_message(value: Value) -> str:
    """What ``str`` gives for the recorded exception `value`, as far as its arguments tell.

    A class with a ``__str__`` of its own may say something else.
    """
    arguments = _arguments(value)
    if arguments is None:
        return value.text()
    if not arguments.children:
        return ""
    if len(arguments.children) > 1:
        return arguments.text()
    (only,) = arguments.children
    if only.kind == "String" and value.type_name != "KeyError":
        return str(only.data)
    return only.text()


def _arguments(exception: Value) -> Value | None:
    """The tuple ``args`` of an exception that is recorded by its fields."""
    for pair in exception.children:
        if pair.kind == "Tuple" and len(pair.children) == 2 and pair.children[0].data == "args":
            return pair.children[1]
    return None
