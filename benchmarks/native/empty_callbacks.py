"""The floor that the recorder is measured against: C callbacks that return at once."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from benchmarks.native.loading import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

__all__ = ["EmptyCallbacks"]

_TOOL_ID = 2


class EmptyCallbacks:
    """A tool that gets the events of lines, of starts and of returns, and ignores them.

    It is one of ``sys.monitoring``; on CPython 3.11, which has none, a trace function of C, of the
    calling thread and of those that `threading` starts.
    """

    def __init__(self, build_folder: Path) -> None:
        """Load the C module, compiled into `build_folder` where that has not been done yet."""
        module = load("empty", build_folder)
        self._tool = _Monitoring(module) if hasattr(sys, "monitoring") else _TraceFunction(module)

    def install(self) -> None:
        """Begin to receive the events of all code of this process."""
        self._tool.install()

    def uninstall(self) -> None:
        """Undo `install`."""
        self._tool.uninstall()


class _TraceFunction:
    def __init__(self, module: ModuleType) -> None:
        self._lib = module.lib

    def install(self) -> None:
        # The first event of a thread puts the function of C in the place of this one.
        threading.settrace(lambda *_: self._lib.empty_trace(1))
        self._lib.empty_trace(1)

    def uninstall(self) -> None:
        self._lib.empty_trace(0)
        threading.settrace(None)


class _Monitoring:
    def __init__(self, module: ModuleType) -> None:
        made: list[Callable[..., object]] = []
        events = sys.monitoring.events
        self._events = (events.LINE, events.PY_START, events.PY_RETURN)
        for _ in self._events:
            if module.lib.empty_callback(id(made)) != 0:
                raise MemoryError("no callback could be made")
        self._callbacks = tuple(made)

    def install(self) -> None:
        sys.monitoring.use_tool_id(_TOOL_ID, "empty callbacks")
        for event, callback in zip(self._events, self._callbacks, strict=True):
            sys.monitoring.register_callback(_TOOL_ID, event, callback)
        sys.monitoring.set_events(_TOOL_ID, sum(self._events))

    def uninstall(self) -> None:
        sys.monitoring.set_events(_TOOL_ID, 0)
        for event in self._events:
            sys.monitoring.register_callback(_TOOL_ID, event, None)
        sys.monitoring.free_tool_id(_TOOL_ID)
