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

_GOES_ON = frozenset({"resume", "throw"})


class _Function:
    """A function that was called: its number, where it begins, and where it yielded last."""

    __slots__ = ("line", "number", "path_id", "yielded_at")

    def __init__(self, number: int, path_id: int, line: int) -> None:
        self.number = number
        self.path_id = path_id
        self.line = line
        self.yielded_at = 0


class _Frame:
    """A call that has not returned.

    `last_step` is the end of its current range, None between two. `line` is where it is, 0 before
    its first line, and `result` the rendering of what it returned, once that is known.
    """

    __slots__ = ("depth", "entry", "exit", "function", "key", "last_step", "line", "result")

    def __init__(self, call: Call, function: _Function) -> None:
        self.key = call.key
        self.function = function
        self.depth = call.depth
        self.last_step: int | None = call.last_step
        self.entry = call.entry
        self.exit = call.exit
        self.line = 0
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
        self._raised = ""
        """What ended the last call that ended by an exception."""

    def enter(self, step: Step) -> bool:
        """Write the calls that begin at `step`; whether it is the entry of the last of them.

        A function that starts makes a step at its first line, which is its entry. A generator that
        goes on makes none, but readers of ``trace.json`` expect one.
        """
        entry = False
        while self._next_key < self._trace.call_count:
            call = self._trace.call(self._next_key)
            if call.first_step > step.index:
                break
            self._next_key += 1
            if self._is_thread_root(call) or self._is_passage(call):
                continue
            if call.entry == "switch":
                self._continue(call)
            else:
                self._begin(call, step)
                entry = call.entry == "call"
        return entry

    def leave(self, step: int) -> None:
        """Write the returns of the current thread's calls whose last step is before `step`."""
        stack = self._stack
        for frame in reversed(stack):
            if frame.last_step is None:
                continue
            if frame.last_step >= step:
                break
            frame.last_step = None
            if frame.exit != "switch":
                frame.result = self._result(self._trace.call(frame.key))
        while stack and stack[-1].result is not None:
            self._return(stack)

    def run_line(self, step: Step, *, repeated: bool = False) -> bool:
        """Note that a line of the current thread's innermost call runs; whether it is news.

        The trace repeats the line of a call where an exception is raised or caught, where a
        generator went on and left again without running a line, and, `repeated`, where a line
        writes something after it has called functions.
        """
        stack = self._stack
        while stack and stack[-1].last_step is None:
            # The calls above ended unseen.
            self._return(stack)
        if not stack:
            return True
        frame = stack[-1]
        if repeated:
            return False
        first = frame.line == 0 and frame.entry in _GOES_ON
        known = frame.function.yielded_at if first else frame.line
        frame.line = step.line
        if step.line != known:
            return True
        return not (first and frame.last_step == step.index) and self._mark(step) is None

    def quiet_until(self) -> int:
        """The step up to which, not included, no call begins or ends."""
        trace, key = self._trace, self._next_key
        quiet = trace.call(key).first_step if key < trace.call_count else len(trace)
        for frame in reversed(self._stack):
            if frame.last_step is not None:
                return min(quiet, frame.last_step + 1)
        return quiet

    def move(self, line: int) -> bool:
        """Move the innermost call from the line where it is to another one; whether it did.

        If not, :meth:`run_line` has to look closer.
        """
        frame = self._stack[-1] if self._stack else None
        if frame is None or frame.last_step is None or frame.line in (0, line):
            return False
        frame.line = line
        return True

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

    def _is_passage(self, call: Call) -> bool:
        """Whether `call` was only seen below another one, as what waits for a generator is.

        It goes on after that one by a call of its own.
        """
        if (call.entry, call.exit, call.child_count) != ("found", "lost", 1):
            return False
        callee = self._trace.call(next(self._trace.children(call.key)))
        return (callee.first_step, callee.last_step) == (call.first_step, call.last_step)

    def _continue(self, call: Call) -> None:
        """Go on with the frame of which `call` is a further range."""
        stack = self._stack
        while stack and stack[-1].depth > call.depth:
            self._return(stack)
        if stack and stack[-1].depth == call.depth:
            frame = stack[-1]
            frame.key, frame.last_step, frame.exit = call.key, call.last_step, call.exit

    def _begin(self, call: Call, step: Step) -> None:
        """Write the entry of `call`, with what was thrown into it as its argument."""
        stack = self._stack
        while stack and stack[-1].depth >= call.depth:
            self._return(stack)
        pairs = [(item.name, self._values.of(item.value)) for item in call.arguments]
        if call.entry == "throw":
            pairs.append(("exception", self._thrown(call, step)))
        bound = [
            f'{{"variable_id":{self._definitions.name(name)},"value":{value}}}'
            for name, value in pairs
        ]
        function = self._functions.get(call.function_id)
        if function is None:
            place = max(step.path_id, 0), step.line
            function = _Function(self._definitions.function(call.function, *place), *place)
            self._functions[call.function_id] = function
        for binding in bound:
            self._emit(f'{{"Value":{binding}}}')
        self._emit(self._definitions.step(function.path_id, function.line))
        self._emit(f'{{"Call":{{"function_id":{function.number},"args":[{",".join(bound)}]}}}}')
        stack.append(_Frame(call, function))

    def _thrown(self, call: Call, step: Step) -> str:
        """The exception that the generator `call` goes on with.

        It is raised at its first step, ends it at once, or has ended the generator that it waited
        for.
        """
        mark = self._mark(step)
        if mark is not None and mark.kind == "raise":
            return self._values.raw(mark.message)
        if call.exception is not None and call.first_step == call.last_step:
            return self._values.raw(exception_message(call.exception))
        return self._raised or self._values.raw("")

    def _mark(self, step: Step) -> Step | None:
        """The step after `step`, when it says that an exception is raised or caught there."""
        if step.index + 1 >= len(self._trace):
            return None
        following = self._trace.step(step.index + 1)
        same_line = (following.path_id, following.line) == (step.path_id, step.line)
        return following if following.kind in ("raise", "catch") and same_line else None

    def _result(self, call: Call) -> str:
        """What `call` returned or raised."""
        if call.exception is not None:
            self._raised = self._values.raw(exception_message(call.exception))
            return self._raised
        return self._values.of(call.return_value)

    def _return(self, stack: list[_Frame]) -> None:
        frame = stack.pop()
        if frame.exit == "yield":
            frame.function.yielded_at = frame.line or frame.function.yielded_at
        self._emit(f'{{"Return":{{"return_value":{frame.result or NONE}}}}}')

    def _unwind(self, stack: list[_Frame]) -> None:
        while stack:
            self._return(stack)
