"""The floor that the recorder is measured against: C callbacks that return None at once."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

__all__ = ["EmptyCallbacks"]

_SOURCES = Path(__file__).parent
_MODULE = "_empty_callbacks"
_TOOL_ID = 2


class EmptyCallbacks:
    """A tool of ``sys.monitoring`` that gets LINE, PY_START and PY_RETURN and ignores them."""

    def __init__(self, build_folder: Path) -> None:
        """Load the C module, compiled into `build_folder` where that has not been done yet."""
        module = _load(build_folder)
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


def _load(build_folder: Path) -> ModuleType:
    folder = build_folder / sys.implementation.cache_tag
    sources = [_SOURCES / "empty.c", _SOURCES / "empty.cdef.txt"]
    built = next(folder.glob(f"{_MODULE}.*.so"), None)
    if built is None or built.stat().st_mtime < max(file.stat().st_mtime for file in sources):
        built = _compile(folder)
    spec = importlib.util.spec_from_file_location(_MODULE, built)
    if spec is None or spec.loader is None:
        raise ImportError(f"{built} is no extension module", name=_MODULE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _compile(folder: Path) -> Path:
    from cffi import FFI

    ffi = FFI()
    ffi.cdef((_SOURCES / "empty.cdef.txt").read_text(encoding="utf-8"))
    ffi.set_source(
        _MODULE,
        (_SOURCES / "empty.cdef.txt").read_text(encoding="utf-8"),
        sources=[str(_SOURCES / "empty.c")],
        py_limited_api=False,
        extra_compile_args=["-O3"],
    )
    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as scratch:
        built = Path(ffi.compile(tmpdir=scratch))
        folder.mkdir(parents=True, exist_ok=True)
        incoming = folder / f"{built.name}.{os.getpid()}"
        shutil.copy2(built, incoming)
    return incoming.replace(folder / built.name)
