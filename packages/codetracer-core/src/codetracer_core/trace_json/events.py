"""The order of ``trace.json``: definitions, calls, steps with their variables, output, returns."""

from __future__ import annotations

from codetracer_core.ctfs.steps import KINDS
from codetracer_core.ctfs.varint import Cursor
from codetracer_core.trace_json.calls import LINES, Calls
from codetracer_core.trace_json.definitions import Definitions, quoted
from codetracer_core.trace_json.encoded import EncodedTexts
from codetracer_core.trace_json.values import ValueTexts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from codetracer_core.ctfs.reader import Event, Trace

__all__ = ["EventStream"]

_BATCH = 4096
_KEPT = 8192
_KEPT_BYTES = 1024
_KINDS = {"stdout": 0, "stderr": 2, "stdin": 3}
"""The numbers by which readers of the array know streams."""
_UNFINISHED = "<unfinished>"
_LINE_TAGS = frozenset(tag for tag, kind in enumerate(KINDS) if kind in LINES)


class EventStream:
    """The records of `trace` in their order, each as JSON text."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._batch: list[str] = []
        self._emit = self._batch.append
        self._definitions = Definitions(iter(trace.paths), self._emit)
        self._values = ValueTexts(self._definitions)
        self._calls = Calls(trace, self._definitions, self._values, self._emit)
        self._encoded = EncodedTexts(self._values, trace.types.__getitem__)
        self._kept: dict[bytes, str] = {}
        self._lines: dict[int, tuple[int, str]] = {}
        self._last_block: bytes | None = None
        self._last_texts: list[str] = []

    def batches(self) -> Iterator[list[str]]:
        """Yield all records, some thousands at a time; a list is valid until the next one."""
        trace, batch, calls = self._trace, self._batch, self._calls
        root = self._definitions.function("<toplevel>", 0, 1)
        self._emit(f'{{"Call":{{"function_id":{root},"args":[]}}}}')
        self._definitions.none_type()
        output = iter(trace.events())
        pending = next(output, None)
        lines = self._lines
        # Up to this step there are only lines of one call.
        quiet = 0
        for index, ((tag, position), variables) in enumerate(trace.rows()):
            if len(batch) >= _BATCH:
                yield batch
                batch.clear()
            if index < quiet and tag in _LINE_TAGS:
                line = lines.get(position) or self._line(position)
                if calls.move(line[0]):
                    self._put_line(line[1], variables)
                    continue
            step = trace.step(index)
            while pending is not None and pending.step < index:
                self._put_output(pending)
                pending = next(output, None)
            repeated = pending is not None and pending.step == index and pending.after_call
            calls.leave(index)
            known = calls.enter(step) or step.kind not in LINES
            if not known and calls.run_line(step, repeated=repeated):
                self._put_line(self._line(position)[1], variables)
            if step.thread is not None and step.kind == "thread-switch":
                calls.switch_thread(step.thread, index)
            elif step.thread is not None and step.kind == "thread-exit":
                calls.end_thread(step.thread)
            quiet = calls.quiet_until()
            if pending is not None:
                quiet = min(quiet, pending.step)
        while pending is not None:
            self._put_output(pending)
            pending = next(output, None)
        calls.leave(len(trace))
        calls.end()
        self._emit(f'{{"Return":{{"return_value":{self._exit_value()}}}}}')
        yield batch

    def _exit_value(self) -> str:
        if self._trace.call_count:
            value = self._trace.call(0).return_value
            if value.kind != "Void":
                return self._values.of(value)
        return self._values.string(_UNFINISHED)

    def _put_output(self, event: Event) -> None:
        content = event.content.decode("utf-8", "replace")
        kind = _KINDS.get(event.stream, event.kind)
        self._emit(
            f'{{"Event":{{"kind":{kind},"metadata":{quoted(event.metadata)},'
            f'"content":{quoted(content)}}}}}'
        )

    def _line(self, position: int) -> tuple[int, str]:
        """The line at `position`, and the record of a step there."""
        path_id, line, _ = self._trace.locate(position)
        found = line, self._definitions.step(max(path_id, 0), line)
        if len(self._lines) >= _KEPT:
            self._lines.clear()
        self._lines[position] = found
        return found

    def _put_line(self, step: str, variables: bytes) -> None:
        """A line that runs, with every variable that is visible there."""
        self._emit(step)
        if variables != self._last_block:
            get, variable = self._kept.get, self._variable
            records = self._trace.split_variables(variables)
            self._last_texts = [get(record) or variable(record) for record in records]
            self._last_block = variables
        self._batch += self._last_texts

    def _variable(self, record: bytes) -> str:
        """The text of a variable. Small ones are kept: most steps repeat those of the last one."""
        cursor = Cursor(record)
        name = self._trace.variable_names[cursor.varint()]
        value = self._encoded.of(cursor.blob())
        text = f'{{"Value":{{"variable_id":{self._definitions.name(name)},"value":{value}}}}}'
        if len(record) <= _KEPT_BYTES:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[record] = text
        return text
