"""Calls and returns in the order of ``trace.json``, told from the ranges of steps in a trace.

Where another thread runs in between, one call is several ranges; here it begins and ends once, and
the calls of all threads stand in one stream.
"""

from __future__ import annotations

from codetracer_core.trace_json.values import NONE, exception_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codetracer_core.ctfs.reader import Call, Step, Trace
    from codetracer_core.trace_json.definitions import Definitions
    from codetracer_core.trace_json.values import ValueTexts

__all__ = ["LINES", "Calls"]

LINES = frozenset({"line", "column"})
"""The kinds of steps that are lines about to run."""


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


class Calls:
    """Writes the records of the calls of `trace` to `emit`, as its steps come by."""

    def __init__(
        self,
        trace: Trace,
        definitions: Definitions,
        values: ValueTexts,
        emit: Callable[[str], None],
    ) -> None:
        self._trace = trace
        self._definitions = definitions
        self._values = values
        self._emit = emit
        self._functions: dict[int, _Function] = {}
        self._thread = 0
        self._stack: list[_Frame] = []
        self._stacks = {0: self._stack}
        self._next_key = 1
        self._unwound: tuple[int, int, str] | None = None
        """Depth, last step and exception of the call that an exception ended last."""

    def enter(self, step: Step) -> bool:
        """Write the calls that begin at `step`; whether that says all there is about `step`.

        A function that starts makes a step at its first line, which is its entry. A generator that
        goes on makes none, but readers of ``trace.json`` expect one.
        """
        new: list[Call] = []
        while self._next_key < self._trace.call_count:
            call = self._trace.call(self._next_key)
            if call.first_step > step.index:
                break
            self._next_key += 1
            if not self._is_thread_root(call) and (new or not self._continues(call)):
                new.append(call)
        if not new:
            return False
        inner = new[-1]
        own = step.kind in LINES
        starts = own and self._starts(inner, step)
        thrown = self._thrown(inner, step) if own and not starts else None
        passed_on = self._passed_on(inner, step) if own and not starts else None
        for call in new:
            self._begin(call, step, thrown or passed_on)
        # A generator that runs no line leaves one where it was, which is its only step.
        only = own and inner.first_step == inner.last_step and step.line == self._stack[-1].line
        return starts or thrown is not None or only

    def leave(self, step: int) -> None:
        """Write the returns of the current thread's calls whose last step is before `step`."""
        stack = self._stack
        for frame in reversed(stack):
            if frame.last_step is None:
                continue
            if frame.last_step >= step:
                break
            frame.last_step = None
            frame.result = self._result(self._trace.call(frame.key))
        while stack and stack[-1].result is not None:
            self._return(stack)

    def run_line(self, step: Step) -> bool:
        """Note that a line of the current thread's innermost call runs; whether it is news.

        Before an exception the trace repeats the line of its call.
        """
        stack = self._stack
        while stack and stack[-1].last_step is None:
            # The calls above did not end in a way that was recorded, but they are over.
            self._return(stack)
        if not stack:
            return True
        known = stack[-1].line == step.line
        stack[-1].line = step.line
        return not known or not self._raised_at(step)

    def switch_thread(self, thread: int, step: int) -> None:
        """Go on with `thread` after `step`."""
        self.leave(step + 1)
        self._thread = thread
        self._stack = self._stacks.setdefault(thread, [])

    def end_thread(self, thread: int) -> None:
        """Write the returns of what `thread` left open at its exit."""
        self._unwind(self._stacks.get(thread, []))

    def end(self) -> None:
        """Write the returns of everything that is left open."""
        for stack in self._stacks.values():
            self._unwind(stack)

    def _is_thread_root(self, call: Call) -> bool:
        """Whether `call` stands for a whole thread, not for a function."""
        return self._thread != 0 and call.depth == 1

    def _continues(self, call: Call) -> bool:
        """Whether `call` goes on with a call that other threads interrupted."""
        stack = self._stack
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

    def _starts(self, call: Call, step: Step) -> bool:
        """Whether `step`, the first line of `call`, is its entry."""
        function = self._functions.get(call.function_id)
        if function is None:
            return True
        complete = bool(call.arguments) or not function.has_arguments
        return complete and step.line == function.line

    def _thrown(self, call: Call, step: Step) -> str | None:
        """The exception that was thrown into the generator `call`, if any.

        The trace then repeats the line where the generator was, and the exception is raised there.
        """
        if step.line != self._functions[call.function_id].left_at:
            return None
        raised = self._raised_at(step) if call.first_step < call.last_step else None
        if raised is not None:
            return self._values.raw(raised.message)
        if call.exception is not None and call.first_step == call.last_step:
            return self._values.raw(exception_message(call.exception))
        return None

    def _passed_on(self, call: Call, step: Step) -> str | None:
        """The exception that has just ended the generator that `call` waits for, if any."""
        if self._unwound is None or self._unwound[:2] != (call.depth, step.index - 1):
            return None
        return self._unwound[2]

    def _raised_at(self, step: Step) -> Step | None:
        """The step after `step`, when an exception is raised there on the same line."""
        if step.index + 1 >= len(self._trace):
            return None
        following = self._trace.step(step.index + 1)
        same_line = (following.path_id, following.line) == (step.path_id, step.line)
        return following if following.kind == "raise" and same_line else None

    def _begin(self, call: Call, step: Step, thrown: str | None) -> None:
        """Write the entry of `call`, with what was `thrown` into it as its argument."""
        pairs = [(item.name, self._values.of(item.value)) for item in call.arguments]
        if thrown is not None:
            pairs.append(("exception", thrown))
        bound = [
            f'{{"variable_id":{self._definitions.name(name)},"value":{value}}}'
            for name, value in pairs
        ]
        function = self._functions.get(call.function_id)
        if function is None:
            place = max(step.path_id, 0), step.line
            function = _Function(self._definitions.function(call.function, *place), *place)
            self._functions[call.function_id] = function
        function.has_arguments |= bool(call.arguments)
        for binding in bound:
            self._emit(f'{{"Value":{binding}}}')
        self._emit(self._definitions.step(function.path_id, function.line))
        self._emit(f'{{"Call":{{"function_id":{function.number},"args":[{",".join(bound)}]}}}}')
        self._stack.append(_Frame(call, function))

    def _result(self, call: Call) -> str | None:
        """What `call` returned or raised; None when its range ended and it did not."""
        if call.exception is not None:
            raised = self._values.raw(exception_message(call.exception))
            self._unwound = call.depth, call.last_step, raised
            return raised
        return None if call.return_value.kind == "Void" else self._values.of(call.return_value)

    def _return(self, stack: list[_Frame]) -> None:
        frame = stack.pop()
        frame.function.left_at = frame.line
        self._emit(f'{{"Return":{{"return_value":{frame.result or NONE}}}}}')

    def _unwind(self, stack: list[_Frame]) -> None:
        while stack:
            self._return(stack)
