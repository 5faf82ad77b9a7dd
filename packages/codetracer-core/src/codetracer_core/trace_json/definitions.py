"""What the records of ``trace.json`` refer to by number: paths, functions, names and types."""

from __future__ import annotations

from json.encoder import encode_basestring

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["NONE_TYPE", "Definitions", "quoted"]

NONE_TYPE = 0
"""The number of the type of None, which is defined first."""

_NONE_KIND = 30


def quoted(text: str) -> str:
    """`text` as a JSON string, in UTF-8 where JSON allows it."""
    return encode_basestring(text)


class Definitions:
    """Numbers paths, functions, variable names and types in the order of their first definition.

    `emit` is given the record that defines each, once, before its number is used. Paths keep the
    numbers that they have in the trace, so that ``trace_paths.json`` serves both.
    """

    def __init__(self, paths: Iterator[str], emit: Callable[[str], None]) -> None:
        self._paths = paths
        self._emit = emit
        self._path_count = 0
        self._function_count = 0
        self._names: dict[str, int] = {}
        self._types: dict[tuple[str, int], int] = {}

    def path(self, path_id: int) -> int:
        """The number of the path that has the number `path_id` in the trace."""
        while self._path_count <= path_id:
            self._emit(f'{{"Path":{quoted(next(self._paths, "<unknown>"))}}}')
            self._path_count += 1
        return path_id

    def step(self, path_id: int, line: int) -> str:
        """The record of a step at `line` of the path `path_id`."""
        return f'{{"Step":{{"path_id":{self.path(path_id)},"line":{line}}}}}'

    def function(self, name: str, path_id: int, line: int) -> int:
        """The number of a new function; two functions of one name are two."""
        place = f'"path_id":{self.path(path_id)},"line":{line}'
        self._emit(f'{{"Function":{{{place},"name":{quoted(name)}}}}}')
        self._function_count += 1
        return self._function_count - 1

    def name(self, name: str) -> int:
        """The number of the variable name `name`."""
        number = self._names.get(name)
        if number is None:
            number = self._names[name] = len(self._names)
            self._emit(f'{{"VariableName":{quoted(name)}}}')
        return number

    def type(self, name: str, kind: int) -> int:
        """The number of the type called `name` whose values have the form number `kind`."""
        number = self._types.get((name, kind))
        if number is None:
            number = self._types[name, kind] = len(self._types)
            self._emit(
                f'{{"Type":{{"kind":{kind},"lang_type":{quoted(name)},'
                '"specific_info":{"kind":"None"}}}'
            )
        return number

    def none_type(self) -> int:
        """The number of the type of None."""
        return self.type("None", _NONE_KIND)
