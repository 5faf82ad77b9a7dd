"""The order of ``trace.json``: definitions, calls, steps with their variables, output, returns."""

from __future__ import annotations

from codetracer_core.trace_json.calls import LINES, Calls
from codetracer_core.trace_json.definitions import Definitions, quoted
from codetracer_core.trace_json.values import ValueTexts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from codetracer_core.ctfs.reader import Event, Step, Trace

__all__ = ["EventStream"]

_BATCH = 4096
_KEPT = 8192
_KEPT_BYTES = 1024
_KINDS = {"stdout": 0, "stderr": 2, "stdin": 3}
"""The numbers by which readers of the array know streams."""
_UNFINISHED = "<unfinished>"


class EventStream:
    """The records of `trace` in their order, each as JSON text."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._batch: list[str] = []
        self._emit = self._batch.append
        self._definitions = Definitions(iter(trace.paths), self._emit)
        self._values = ValueTexts(self._definitions)
        self._calls = Calls(trace, self._definitions, self._values, self._emit)
        self._kept: dict[bytes, str] = {}

    def batches(self) -> Iterator[list[str]]:
        """Yield all records, some thousands at a time; a list is valid until the next one."""
        trace, batch, calls = self._trace, self._batch, self._calls
        root = self._definitions.function("<toplevel>", 0, 1)
        self._emit(f'{{"Call":{{"function_id":{root},"args":[]}}}}')
        self._definitions.none_type()
        output = iter(trace.events())
        pending = next(output, None)
        for step in trace.steps():
            if len(batch) >= _BATCH:
                yield batch
                batch.clear()
            while pending is not None and pending.step < step.index:
                self._put_output(pending)
                pending = next(output, None)
            repeated = pending is not None and pending.step == step.index and pending.after_call
            calls.leave(step.index)
            known = calls.enter(step) or step.kind not in LINES
            if not known and calls.run_line(step, repeated=repeated):
                self._put_step(step)
            if step.thread is not None and step.kind == "thread-switch":
                calls.switch_thread(step.thread, step.index)
            elif step.thread is not None and step.kind == "thread-exit":
                calls.end_thread(step.thread)
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

    def _put_step(self, step: Step) -> None:
        """A line that runs, with every variable that is visible there."""
        self._emit(self._definitions.step(max(step.path_id, 0), step.line))
        emit, kept = self._emit, self._kept
        for record in self._trace.variable_records(step.index):
            emit(kept.get(record) or self._variable(record))

    def _variable(self, record: bytes) -> str:
        """The text of a variable. Small ones are kept: most steps repeat those of the last one."""
        variable = self._trace.decode_variable(record)
        value = self._values.of(variable.value)
        number = self._definitions.name(variable.name)
        text = f'{{"Value":{{"variable_id":{number},"value":{value}}}}}'
        if len(record) <= _KEPT_BYTES:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[record] = text
        return text
