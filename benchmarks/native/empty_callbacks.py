"""The floor that the recorder is measured against: C callbacks that return None at once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from benchmarks.native.loading import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["EmptyCallbacks"]

_TOOL_ID = 2


class EmptyCallbacks:
    """A tool of ``sys.monitoring`` that gets LINE, PY_START and PY_RETURN and ignores them."""

    def __init__(self, build_folder: Path) -> None:
        """Load the C module, compiled into `build_folder` where that has not been done yet."""
        module = load("empty", build_folder)
        made: list[Callable[..., object]] = []
        events = sys.monitoring.events
        self._events = (events.LINE, events.PY_START, events.PY_RETURN)
        for _ in self._events:
            if module.lib.empty_callback(id(made)) != 0:
                raise MemoryError("no callback could be made")
        self._callbacks = tuple(made)

    def install(self) -> None:
        """Begin to receive the events of all code of this process."""
        sys.monitoring.use_tool_id(_TOOL_ID, "empty callbacks")
        for event, callback in zip(self._events, self._callbacks, strict=True):
            sys.monitoring.register_callback(_TOOL_ID, event, callback)
        sys.monitoring.set_events(_TOOL_ID, sum(self._events))

    def uninstall(self) -> None:
        """Undo `install`."""
        sys.monitoring.set_events(_TOOL_ID, 0)
        for event in self._events:
            sys.monitoring.register_callback(_TOOL_ID, event, None)
        sys.monitoring.free_tool_id(_TOOL_ID)
