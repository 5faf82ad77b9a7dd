"""A recorder in Python alone: ``python_recorder.py OUT PROGRAM ARGS...``.

It keeps what ours does in the same form of differences: each line with the variables that have
changed, each call with its arguments, each return with its value. Values are encoded without
running code of the program. The callbacks of ``sys.monitoring`` are Python functions.
"""

from __future__ import annotations

import marshal
import runpy
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import CodeType
    from typing import BinaryIO

_TOOL_ID = 2
_ATOMS = (type(None), bool, int, float, complex, str, bytes)
_MAX_ITEMS, _MAX_DEPTH, _MAX_TEXT = 100, 6, 1024
_BLOCK = 10_000
_MISSING = object()


def encode(value: object, depth: int = 0) -> object:
    """`value` as atoms and tuples of them; other objects as the name of their type."""
    kind = type(value)
    if kind in _ATOMS:
        return value[:_MAX_TEXT] if kind in (str, bytes) else value  # type: ignore[index]
    if depth < _MAX_DEPTH and isinstance(value, (list, tuple, set, frozenset)):
        items = list(value)[:_MAX_ITEMS]
        return (kind.__name__, *[encode(item, depth + 1) for item in items])
    if depth < _MAX_DEPTH and kind is dict:
        pairs = list(value.items())[:_MAX_ITEMS]  # type: ignore[attr-defined]
        return ("dict", *[(encode(k, depth + 1), encode(v, depth + 1)) for k, v in pairs])
    return (kind.__name__, id(value))


class Recorder:
    """Receives the events of the code of `program` and writes them to `out` in blocks."""

    def __init__(self, program: str, out: BinaryIO) -> None:
        self._program = program
        self._out = out
        self._records: list[tuple[object, ...]] = []
        self._known: list[dict[str, object]] = []

    def start(self, code: CodeType, _offset: int) -> object:
        """A call: from now on the lines of its code are watched."""
        if code.co_filename != self._program:
            return sys.monitoring.DISABLE
        events = sys.monitoring.events
        sys.monitoring.set_local_events(_TOOL_ID, code, events.LINE | events.PY_RETURN)
        self._known.append({})
        variables = sys._getframe(1).f_locals
        self._add(("call", code.co_name, *self._changes(variables)))
        return None

    def line(self, _code: CodeType, number: int) -> None:
        """A step."""
        self._add((number, *self._changes(sys._getframe(1).f_locals)))

    def leave(self, _code: CodeType, _offset: int, value: object) -> None:
        """A return."""
        self._known.pop()
        self._add(("return", encode(value)))

    def flush(self) -> None:
        """Compress and write what has been gathered."""
        self._out.write(zlib.compress(marshal.dumps(self._records), 1))
        self._records = []

    def _changes(self, variables: dict[str, object]) -> list[tuple[str, object]]:
        known = self._known[-1]
        found = []
        for name, value in variables.items():
            encoded = encode(value)
            if known.get(name, _MISSING) != encoded:
                known[name] = encoded
                found.append((name, encoded))
        return found

    def _add(self, record: tuple[object, ...]) -> None:
        self._records.append(record)
        if len(self._records) >= _BLOCK:
            self.flush()


def main() -> None:
    """Record the program."""
    _, out, program, *arguments = sys.argv
    sys.argv = [program, *arguments]
    with Path(out).open("wb") as file:
        recorder = Recorder(program, file)
        monitoring, events = sys.monitoring, sys.monitoring.events
        monitoring.use_tool_id(_TOOL_ID, "python recorder")
        monitoring.register_callback(_TOOL_ID, events.PY_START, recorder.start)
        monitoring.register_callback(_TOOL_ID, events.LINE, recorder.line)
        monitoring.register_callback(_TOOL_ID, events.PY_RETURN, recorder.leave)
        monitoring.set_events(_TOOL_ID, events.PY_START)
        try:
            runpy.run_path(program, run_name="__main__")
        finally:
            monitoring.set_events(_TOOL_ID, 0)
            monitoring.free_tool_id(_TOOL_ID)
            recorder.flush()


if __name__ == "__main__":
    main()
