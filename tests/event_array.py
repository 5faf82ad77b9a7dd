"""A ``trace.json`` with its numbers resolved, for comparisons."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["EventArray", "Shown"]

Shown = tuple[str, object, tuple[Any, ...]]
"""A value: its kind, its payload, and its items."""


@dataclass
class EventArray:
    """The content of a ``trace.json``.

    ``flow`` holds ``("step", file name, line)``, ``("call", function, arguments)`` and
    ``("return", value)`` in order, ``variables`` the variables of each step in ``flow`` by its
    index there, ``output`` the events. A number that is not defined before its use is an error.
    """

    flow: list[tuple[Any, ...]] = field(default_factory=list)
    variables: dict[int, dict[str, Shown]] = field(default_factory=dict)
    output: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    functions: list[tuple[str, str, int]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    types: list[dict[str, Any]] = field(default_factory=list)
    latest: dict[str, Shown] | None = None

    @classmethod
    def read(cls, path: Path) -> EventArray:
        """The content of the file `path`."""
        array = cls()
        for record in json.loads(path.read_bytes()):
            ((kind, content),) = record.items()
            array.add(kind, content)
        return array

    def add(self, kind: str, content: Any) -> None:
        """Take over one record."""
        match kind:
            case "Path":
                self.paths.append(content)
            case "Function":
                path = self.paths[content["path_id"]]
                self.functions.append((content["name"], path, content["line"]))
            case "VariableName":
                self.names.append(content)
            case "Type":
                self.types.append(content)
            case "Step":
                path = self.paths[content["path_id"]]
                self.flow.append(("step", path.rpartition("/")[2], content["line"]))
                self.latest = self.variables[len(self.flow) - 1] = {}
            case "Value":
                if self.latest is not None:
                    self._variable(self.latest, content)
            case "Call":
                arguments: dict[str, Shown] = {}
                for argument in content["args"]:
                    self._variable(arguments, argument)
                function = self.functions[content["function_id"]][0]
                self.flow.append(("call", function, arguments))
            case "Return":
                self.flow.append(("return", self.value(content["return_value"])))
            case "Event":
                self.output.append(content)
            case _:
                raise ValueError(kind)

    def _variable(self, into: dict[str, Shown], content: Any) -> None:
        into[self.names[content["variable_id"]]] = self.value(content["value"])

    def value(self, content: Any) -> Shown:
        """`content` without the numbers of types; what stands for an object is told as such."""
        self.types[content["type_id"]]
        keys = set(content) - {"kind", "type_id", "elements", "is_slice"}
        payload = content[keys.pop()] if keys else None
        assert not keys
        if content["kind"] == "Raw" and str(payload).startswith("<"):
            payload = "<object>"
        items = tuple(map(self.value, content.get("elements", ())))
        return content["kind"], payload, items
