"""Redacting data before it is logged: the decisions about attributes, applied to a mapping."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache

from codetracer_filter.model import TraceFilterConfig, ValueAction, ValueKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from codetracer_filter.values import ValuePolicy

__all__ = ["CYCLE", "REDACTED", "redact"]

REDACTED = "<redacted>"
"""What stands for a value that is redacted."""

CYCLE = "<cycle>"
"""What stands for a container inside itself."""


def redact(values: Mapping[str, object], policy: ValuePolicy | None = None) -> dict[str, object]:
    """Copy ``values`` without what ``policy`` hides; without one the built-in filter decides.

    The policy is asked about every text key of a mapping and every field of a dataclass or named
    tuple, at any depth, as for `ValueKind.ATTR`. A redacted value becomes ``"<redacted>"``, a
    dropped one is left out with its name, and a container inside itself becomes ``"<cycle>"``.

    Mappings, dataclasses and named tuples come back as dicts, deques as lists; lists, tuples and
    sets keep their type, but for a set of what is no longer hashable, which becomes a list.
    Everything else is the object that it was and is not looked into.
    """
    decide = (policy or _builtin_policy()).decide
    # A stack of our own: data may be nested deeper than functions may call each other.
    stack = [_Copy(None, values, values.items())]
    # Originals are kept, so that no other container gets the same address.
    finished: dict[int, tuple[object, object]] = {}
    copying = {id(values)}
    while True:
        copy = stack[-1]
        for key, value in copy.items:
            if isinstance(key, str):
                action = decide(ValueKind.ATTR, str.__str__(key))
                if action is not ValueAction.ALLOW:
                    if action is ValueAction.REDACT:
                        copy.add(key, REDACTED)
                    continue
            address = id(value)
            if address in copying:
                copy.add(key, CYCLE)
            elif address in finished:
                copy.add(key, finished[address][1])
            elif (items := _items(value)) is None:
                copy.add(key, value)
            else:
                copying.add(address)
                stack.append(_Copy(key, value, items))
                break
        else:
            stack.pop()
            if not stack:
                return copy.by_name()
            copying.discard(id(copy.original))
            whole = copy.finish()
            finished[id(copy.original)] = (copy.original, whole)
            stack[-1].add(copy.key, whole)


class _Copy:
    """A container while it is copied.

    ``items`` are what is left of its keys, None where it has none, and values. ``key`` is its own
    key in the container around it.
    """

    __slots__ = ("_copied", "items", "key", "original")

    def __init__(
        self, key: object, original: object, items: Iterable[tuple[object, object]]
    ) -> None:
        self.key = key
        self.original = original
        self.items = iter(items)
        self._copied: list[tuple[object, object]] = []

    def add(self, key: object, value: object) -> None:
        self._copied.append((key, value))

    def by_name(self) -> dict[Any, object]:
        """The copy of something whose values have names."""
        return dict(self._copied)

    def finish(self) -> object:
        """The copy, of the type that `redact` describes."""
        original = self.original
        if isinstance(original, Mapping) or _field_names(original) is not None:
            return self.by_name()
        values = [value for _, value in self._copied]
        try:
            for kind in (tuple, set, frozenset):
                if isinstance(original, kind):
                    return kind(values)
        except TypeError:
            return values
        return values


def _items(value: object) -> Iterable[tuple[object, object]] | None:
    """The keys and values of a container; None for what is none."""
    if isinstance(value, Mapping):
        return value.items()
    names = _field_names(value)
    if names is not None:
        return [(name, getattr(value, name)) for name in names if hasattr(value, name)]
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return [(None, item) for item in value]
    return None


def _field_names(value: object) -> Iterable[str] | None:
    """The names of the fields of a dataclass or named tuple; None for everything else."""
    if is_dataclass(value) and not isinstance(value, type):
        return [field.name for field in fields(value)]
    if isinstance(value, tuple):
        names: tuple[str, ...] | None = getattr(value, "_fields", None)
        return names
    return None


@lru_cache(maxsize=1)
def _builtin_policy() -> ValuePolicy:
    from codetracer_filter.engine import TraceFilterEngine

    # The built-in redaction is the same for all code.
    engine = TraceFilterEngine(TraceFilterConfig.builtin())
    return engine.resolve_query("<values>", "<values>").policy
