"""The order of ``trace.json``: definitions, calls, steps with their variables, output, returns.

The trace gives ranges of steps to calls; where another thread runs in between, one call is several
ranges. Here each call begins and ends once, and the events of all threads stand in one stream.
"""

from __future__ import annotations

from codetracer_core.trace_json.definitions import Definitions, quoted
from codetracer_core.trace_json.values import NONE, ValueTexts, exception_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from codetracer_core.ctfs.reader import Call, Event, Step, Trace

__all__ = ["EventStream"]

_THREAD_SWITCH, _THREAD_EXIT = "thread-switch", "thread-exit"
_LINES = frozenset({"line", "column"})
_BATCH = 4096
_KEPT = 8192
_KEPT_BYTES = 1024
_UNFINISHED = '{{"kind":"String","text":"<unfinished>","type_id":{}}}'


class _Function:
    """A function that was called.

    `line` is its first line, `left_at` the line at which it was left last.
    """

    __slots__ = ("has_arguments", "left_at", "line", "number", "path_id")

    def __init__(self, number: int, path_id: int, line: int) -> None:
        self.number = number
        self.path_id = path_id
        self.line = line
        self.left_at = 0
        self.has_arguments = False


class _Frame:
    """A call that has not returned.

    `last_step` is the end of its current range, None between two. `line` is where it is, `result`
    the rendering of what it returned, once that is known.
    """

    __slots__ = ("depth", "function", "function_id", "key", "last_step", "line", "result")

    def __init__(self, call: Call, function: _Function) -> None:
        self.key = call.key
        self.function = function
        self.function_id = call.function_id
        self.depth = call.depth
        self.last_step: int | None = call.last_step
        self.line = function.line
        self.result: str | None = None


class EventStream:
    """The records of `trace` in their order, each as JSON text."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._batch: list[str] = []
        self._emit = self._batch.append
        self._definitions = Definitions(iter(trace.paths), self._emit)
        self._values = ValueTexts(self._definitions)
        self._kept: dict[bytes, str] = {}
        self._functions: dict[int, _Function] = {}
        self._thread = 0
        self._stacks: dict[int, list[_Frame]] = {0: []}
        self._next_key = 1

    def batches(self) -> Iterator[list[str]]:
        """Yield all records, some thousands at a time; a list is valid until the next one."""
        trace, batch = self._trace, self._batch
        number = self._definitions.function("<toplevel>", 0, 1)
        self._emit(f'{{"Call":{{"function_id":{number},"args":[]}}}}')
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
            self._leave(step.index)
            if not self._enter(step) and step.kind in _LINES:
                self._put_step(step)
            if step.thread is not None:
                self._follow_threads(step)
        while pending is not None:
            self._put_output(pending)
            pending = next(output, None)
        self._leave(len(trace))
        for stack in self._stacks.values():
            self._unwind(stack)
        self._emit(f'{{"Return":{{"return_value":{self._exit_value()}}}}}')
        yield batch

    def _exit_value(self) -> str:
        if self._trace.call_count:
            root = self._trace.call(0).return_value
            if root.kind != "Void":
                return self._values.of(root)
        return _UNFINISHED.format(self._definitions.type("String", 9))

    def _put_output(self, event: Event) -> None:
        content = event.content.decode("utf-8", "replace")
        self._emit(
            f'{{"Event":{{"kind":{event.kind},"metadata":{quoted(event.metadata)},'
            f'"content":{quoted(content)}}}}}'
        )

    def _put_step(self, step: Step) -> None:
        """A line that runs, with every variable that is visible there."""
        stack = self._stacks[self._thread]
        while stack and stack[-1].last_step is None:
            # The frame of this line is further out, so the ones above are over.
            self._return(stack)
        if stack:
            stack[-1].line = step.line
        self._emit(self._place(step.path_id, step.line))
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

    def _place(self, path_id: int, line: int) -> str:
        return f'{{"Step":{{"path_id":{self._definitions.path(max(path_id, 0))},"line":{line}}}}}'

    # --- calls --------------------------------------------------------------------------------

    def _enter(self, step: Step) -> bool:
        """Begin the calls that begin at `step`; whether it is the entry step of the last one."""
        is_entry = False
        while self._next_key < self._trace.call_count:
            call = self._trace.call(self._next_key)
            if call.first_step > step.index:
                break
            self._next_key += 1
            if not self._is_thread_root(call) and not self._continues(call):
                innermost = (
                    self._next_key == self._trace.call_count
                    or self._trace.call(self._next_key).first_step > step.index
                )
                is_entry = self._begin(call, step, own=innermost and step.kind in _LINES)
        return is_entry

    def _is_thread_root(self, call: Call) -> bool:
        """Whether `call` stands for a whole thread, not for a function."""
        return self._thread != 0 and call.depth == 1

    def _continues(self, call: Call) -> bool:
        """Whether `call` goes on with a call that other threads interrupted."""
        stack = self._stacks[self._thread]
        while stack and stack[-1].depth > call.depth:
            self._return(stack)
        if not stack or stack[-1].depth < call.depth:
            return False
        frame = stack[-1]
        same = frame.function_id == call.function_id and not call.arguments
        if same and frame.result is None:
            frame.key, frame.last_step = call.key, call.last_step
            return True
        self._return(stack)
        return False

    def _begin(self, call: Call, step: Step, *, own: bool) -> bool:
        """Write the entry of `call`; whether that is all there is to write about `step`.

        A function that starts makes a step at its first line, which is the entry when it is its
        `own`. A generator that goes on makes none, but readers of trace.json expect one. If it
        runs no line, the trace has a step where it was, which they do not expect.
        """
        arguments = []
        for argument in call.arguments:
            value = self._values.of(argument.value)
            arguments.append((self._definitions.name(argument.name), value))
        function = self._functions.get(call.function_id)
        starts = own
        if function is None:
            number = self._definitions.function(call.function, max(step.path_id, 0), step.line)
            function = _Function(number, step.path_id, step.line)
            self._functions[call.function_id] = function
        elif not arguments and function.has_arguments:
            starts = False
        elif own:
            starts = step.line == function.line
        function.has_arguments |= bool(arguments)
        bound = [f'{{"variable_id":{name},"value":{value}}}' for name, value in arguments]
        for binding in bound:
            self._emit(f'{{"Value":{binding}}}')
        self._emit(self._place(function.path_id, function.line))
        self._emit(f'{{"Call":{{"function_id":{function.number},"args":[{",".join(bound)}]}}}}')
        self._stacks[self._thread].append(_Frame(call, function))
        waits = own and call.first_step == call.last_step and step.line == function.left_at
        return starts or waits

    def _leave(self, step: int) -> None:
        """End what the current thread's calls do before `step`."""
        stack = self._stacks[self._thread]
        for frame in reversed(stack):
            if frame.last_step is None:
                continue
            if frame.last_step >= step:
                break
            frame.last_step = None
            frame.result = self._result(self._trace.call(frame.key))
        while stack and stack[-1].result is not None:
            self._return(stack)

    def _result(self, call: Call) -> str | None:
        """What `call` returned or raised; None when its range ended and it did not."""
        if call.exception is not None:
            return self._values.raw(exception_message(call.exception))
        return None if call.return_value.kind == "Void" else self._values.of(call.return_value)

    def _return(self, stack: list[_Frame]) -> None:
        frame = stack.pop()
        frame.function.left_at = frame.line
        self._emit(f'{{"Return":{{"return_value":{frame.result or NONE}}}}}')

    def _unwind(self, stack: list[_Frame]) -> None:
        while stack:
            self._return(stack)

    def _follow_threads(self, step: Step) -> None:
        """Go on with the thread that `step` switches to, or end the calls of one that exits."""
        if step.kind == _THREAD_SWITCH and step.thread is not None:
            self._leave(step.index + 1)
            self._thread = step.thread
            self._stacks.setdefault(step.thread, [])
        elif step.kind == _THREAD_EXIT and step.thread is not None:
            self._unwind(self._stacks.pop(step.thread, []))
            self._stacks.setdefault(self._thread, [])
