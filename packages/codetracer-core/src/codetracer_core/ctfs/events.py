"""The events stream: output, input and errors of the program, each with the step it belongs to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codetracer_core.ctfs.layout import ERROR_EVENT
from codetracer_core.ctfs.streams import Records

if TYPE_CHECKING:
    from codetracer_core.ctfs.container import Container

__all__ = ["Event", "EventStream"]

_FILES = range(3, 11)
_STDERR = range(12, 14)


@dataclass(frozen=True, slots=True)
class Event:
    """One event at ``step`` (of the writing line; 0 before the first).

    ``kind`` is the number in the trace; ``content`` the bytes that were written or read;
    ``metadata`` further details as the recorder wrote them, usually a JSON object.
    """

    index: int
    kind: int
    step: int
    metadata: str
    content: bytes

    @property
    def stream(self) -> str:
        """``stdout``, ``stderr``, ``stdin``, ``log``, ``file`` or ``error``.

        The name in the metadata counts; the kind cannot tell standard input from a file.
        """
        name = self.details.get("stream")
        if isinstance(name, str):
            return name
        if self.kind in _FILES:
            return "file"
        if self.kind in _STDERR:
            return "stderr"
        return "error" if self.kind == ERROR_EVENT else "stdout"

    @property
    def after_call(self) -> bool:
        """Whether the step repeats its line for this event, since the line has called functions."""
        flags = self.details.get("flags")
        return isinstance(flags, list) and "after_call" in flags

    @property
    def details(self) -> dict[str, object]:
        """What the metadata say, empty when they are no JSON object."""
        try:
            details = json.loads(self.metadata) if self.metadata.startswith("{") else None
        except (ValueError, RecursionError):
            details = None
        return details if isinstance(details, dict) else {}


class EventStream:
    """Events of the container by their number."""

    def __init__(self, container: Container) -> None:
        self._records = Records(container, "events")

    def __len__(self) -> int:
        return len(self._records)

    def event(self, index: int) -> Event:
        """Return event ``index``, which must be in range."""
        cursor = self._records.record(index)
        (kind,) = cursor.raw(1)
        return Event(index, kind, cursor.varint(), cursor.text(), cursor.blob())

    def first_at(self, step: int) -> int:
        """Return the number of the first event at ``step`` or later; events are in step order."""
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self._step(middle) < step:
                low = middle + 1
            else:
                high = middle
        return low

    def _step(self, index: int) -> int:
        cursor = self._records.record(index)
        cursor.raw(1)
        return cursor.varint()
