"""Observes a program through ``sys.monitoring``, slowly and simply, to check the recorder against.

CPython 3.11 has none; `TraceFunction` makes the same events there.

As a command it runs a program in its own process and writes what it saw with pickle::

    python observer.py OPTIONS SCRIPT [ARGS...]

OPTIONS is a JSON object: ``out`` is the file to write, ``prefixes`` say how the names of the files
begin whose code is observed, and ``preload`` lists modules to import before. The file receives a
dict from the name of a thread to the list of its events, in the forms that `Observer` describes.
Nothing of the recorder is imported, and values are read without running code of the program.
"""

from __future__ import annotations

import contextlib
import ctypes
import dis
import gc
import importlib
import json
import os
import pickle
import sys
import threading
import traceback
from collections.abc import Callable
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType
from typing import Any

# The script's own folder is what it imports from.
from clauses import Clauses  # type: ignore[import-not-found]
from trace_function import TraceFunction  # type: ignore[import-not-found]
from value_encoding import Encoded, encode  # type: ignore[import-not-found]

TOOL = 0
OPTIMIZED = 0x1
VARARGS = 0x4
VARKEYWORDS = 0x8
COROUTINE = 0x80
ASYNC_GENERATOR = 0x200

Event = tuple[Any, ...]
Mark = tuple[int, type[BaseException]]


def is_dunder(name: str) -> bool:
    """Whether a name is left out of module and class bodies."""
    return len(name) > 4 and name.startswith("__") and name.endswith("__")


def function_name(code: CodeType, module_globals: dict[str, Any]) -> str:
    """A function's qualified name; a module body by its module's name, in brackets."""
    if code.co_name == "<module>" and not code.co_flags & OPTIMIZED:
        return f"<{module_globals.get('__name__') or 'module'}>"
    return code.co_qualname


def argument_names(code: CodeType) -> tuple[str, ...]:
    """The names of the parameters, in the order of the frame's variables."""
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & VARARGS) + bool(code.co_flags & VARKEYWORDS)
    return code.co_varnames[:count]


def mentioned_names(code: CodeType) -> set[str]:
    """The names that code, and the code inside it, may look up in its module."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= mentioned_names(constant)
    return names


def _is_shown_global(value: Any) -> bool:
    return not (
        type(value) is FunctionType
        or issubclass(type(value), (BuiltinFunctionType, type, ModuleType))
    )


class _Activation:
    """A frame from its start or resumption to its return or yield."""

    __slots__ = ("arriving", "catching", "frame", "namespace", "place", "shown", "stepped")

    def __init__(self, frame: FrameType, namespace: dict[str, Any] | None) -> None:
        self.frame = id(frame)
        self.namespace = namespace
        self.stepped = False
        # Where the last step was, and what it showed.
        self.place = (frame.f_code.co_filename, frame.f_lineno)
        self.shown: dict[str, Encoded] = {}
        # An exception that is recorded already comes from elsewhere.
        self.arriving: Mark | None = None
        # The line of the step at which something is caught.
        self.catching: int | None = None


def _mark(exception: BaseException) -> Mark:
    """What tells an exception from others, also from one that takes its place in memory later, as
    far as can be told without keeping it alive."""
    return id(exception), type(exception)


def _is_asynchronous(frame: FrameType | None) -> bool:
    return frame is not None and bool(frame.f_code.co_flags & (COROUTINE | ASYNC_GENERATOR))


class Observer:
    """Collects the events of all threads.

    ``("call", function, arguments)``, ``("step", path, line, variables)``,
    ``("return" | "yield" | "unwind", function, value)``, ``("resume", function, line)`` and
    ``("throw", function, line, exception)``. A call is followed by the step of its entry, which
    stands at the function's first line and has the arguments as variables. A resumed frame that
    ends before a line of it runs has one step, at the line where it stands. ``("task", name)``
    precedes a coroutine that goes on in another task than the thread's last one, "" for none.

    ``("raise" | "catch", path, line, exception, variables)`` stand at the last step of the frame in
    which an exception is raised, or in whose ``except`` body or ``with`` it is caught.
    """

    def __init__(self, prefixes: tuple[str, ...]) -> None:
        self.events: dict[str, list[Event]] = {}
        self._prefixes = prefixes
        self._stacks: dict[int, list[_Activation]] = {}
        self._gone: dict[int, Mark] = {}
        # By identity, with the code to keep it alive: its hash takes all of it into account.
        self._mentioned: dict[int, tuple[CodeType, list[str]]] = {}
        self._tasks: dict[int, tuple[int, str]] = {}
        self._clauses: dict[int, tuple[CodeType, Clauses]] = {}
        # By frame: the last exception in it, and whether it was caught there.
        self._known: dict[int, tuple[int, bool]] = {}

    def _is_observed(self, code: CodeType) -> bool:
        return code.co_filename.startswith(self._prefixes)

    def start(self) -> None:
        """Observe from here on, in all threads."""
        callbacks: dict[str, Callable[..., object]] = {
            "PY_START": self._on_start,
            "PY_RESUME": self._on_resume,
            "PY_THROW": self._on_throw,
            "LINE": self._on_line,
            "PY_RETURN": self._on_return,
            "PY_YIELD": self._on_yield,
            "PY_UNWIND": self._on_unwind,
            "RAISE": self._on_raise,
            "RERAISE": self._on_reraise,
            "EXCEPTION_HANDLED": self._on_handled,
            "BRANCH": self._on_branch,
        }
        guarded = {name: self._guarded(callback) for name, callback in callbacks.items()}
        if sys.version_info < (3, 12):
            self._function = TraceFunction(guarded, self._is_observed)
            self._function.start()
            return
        monitoring = sys.monitoring
        monitoring.use_tool_id(TOOL, "observer")
        events = {getattr(monitoring.events, name): guarded[name] for name in guarded}
        for event, callback in events.items():
            monitoring.register_callback(TOOL, event, callback)
        monitoring.set_events(TOOL, sum(events))

    def stop(self) -> None:
        """Observe no longer."""
        if sys.version_info < (3, 12):
            self._function.stop()
            return
        sys.monitoring.set_events(TOOL, 0)
        sys.monitoring.free_tool_id(TOOL)

    def _guarded(self, callback: Callable[..., object]) -> Callable[..., object]:
        """A callback that ends the process when it fails: it must not raise into the program."""

        def guarded(*arguments: object) -> object:
            try:
                return callback(*arguments)
            except BaseException:  # noqa: BLE001 - of whatever kind
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(70)

        return guarded

    # -- where events go

    def _emit(self, *event: Any) -> None:
        self.events.setdefault(self._thread_name(), []).append(event)

    @staticmethod
    def _thread_name() -> str:
        ident = threading.get_ident()
        thread = threading._active.get(ident)  # type: ignore[attr-defined]
        return thread.name if thread is not None else f"Thread-{ident}"

    def _stack(self) -> list[_Activation]:
        return self._stacks.setdefault(threading.get_ident(), [])

    # -- reading frames

    def _variables(self, frame: FrameType, activation: _Activation) -> dict[str, Encoded]:
        """What a step shows: the frame's variables and the globals that its code mentions."""
        code = frame.f_code
        found: dict[str, Encoded]
        if code.co_flags & OPTIMIZED:
            found = self._fast_variables(frame)
        else:
            found = self._namespace_variables(frame, activation)
        if code.co_name != "<module>" or code.co_flags & OPTIMIZED:
            self._add_globals(found, frame)
        return found

    def _fast_variables(self, frame: FrameType) -> dict[str, Encoded]:
        variables = frame.f_locals
        found = {name: encode(value) for name, value in variables.items()}
        if type(variables) is dict:
            # CPython 3.12 keeps this dict with the frame, and with it every value alive.
            variables.clear()
        return found

    def _namespace_variables(self, frame: FrameType, activation: _Activation) -> dict[str, Encoded]:
        shown: dict[str, Any] = {}
        for name in frame.f_code.co_freevars:
            shown.update(_enclosing(frame, name))
        namespace = activation.namespace
        if namespace is not None:
            shown.update(dict.items(namespace))
        # While an inlined comprehension runs, its variables hide those of the namespace.
        if sys.version_info >= (3, 12):
            for name in (*frame.f_code.co_varnames, *frame.f_code.co_cellvars):
                with contextlib.suppress(NameError):
                    shown[name] = _frame_variable(frame, name)
        return {
            name: encode(value)
            for name, value in shown.items()
            if type(name) is str and not is_dunder(name)
        }

    def _add_globals(self, found: dict[str, Encoded], frame: FrameType) -> None:
        module_globals = frame.f_globals
        for name in self._globals_of(frame.f_code):
            if name not in found:
                value = dict.get(module_globals, name, _ABSENT)
                if value is not _ABSENT and _is_shown_global(value):
                    found[name] = encode(value)

    def _globals_of(self, code: CodeType) -> list[str]:
        """The names in `code` that may be globals."""
        if id(code) not in self._mentioned:
            own = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
            # What only a comprehension in the code calls so is a global outside of it.
            own -= {
                instruction.argval
                for instruction in dis.get_instructions(code)
                if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME")
            }
            names = sorted(mentioned_names(code) - own)
            self._mentioned[id(code)] = code, [name for name in names if not is_dunder(name)]
        return self._mentioned[id(code)][1]

    # -- callbacks

    def _tell_task(self, frame: FrameType) -> None:
        stack, caller = self._stack(), frame.f_back
        inside = caller is not None and bool(stack) and stack[-1].frame == id(caller)
        if not _is_asynchronous(frame) or (inside and _is_asynchronous(caller)):
            return
        asyncio: Any = sys.modules.get("asyncio")
        told = 0, ""
        with contextlib.suppress(RuntimeError, AttributeError):
            task = asyncio.current_task()
            told = (0, "") if task is None else (id(task), asyncio.Task.get_name(task)[:200])
        if self._tasks.get(threading.get_ident(), (0, "")) != told:
            self._tasks[threading.get_ident()] = told
            self._emit("task", told[1])

    def _enter(self, frame: FrameType) -> _Activation:
        self._tell_task(frame)
        namespace = None
        if not frame.f_code.co_flags & OPTIMIZED and isinstance(frame.f_locals, dict):
            namespace = frame.f_locals
        activation = _Activation(frame, namespace)
        self._stack().append(activation)
        return activation

    def _on_start(self, code: CodeType, offset: int) -> object:
        if not self._is_observed(code):
            return _DISABLE
        frame = _program_frame()
        activation = self._enter(frame)
        variables = self._fast_variables(frame) if code.co_flags & OPTIMIZED else {}
        arguments = {name: variables[name] for name in argument_names(code)}
        self._emit("call", function_name(code, frame.f_globals), arguments)
        shown = dict(arguments)
        if code.co_name != "<module>" or code.co_flags & OPTIMIZED:
            self._add_globals(shown, frame)
        self._step(activation, max(code.co_firstlineno, 1), shown)
        return None

    def _on_resume(self, code: CodeType, offset: int) -> object:
        if not self._is_observed(code):
            return _DISABLE
        frame = _program_frame()
        self._enter(frame)
        self._emit("resume", function_name(code, frame.f_globals), frame.f_lineno)
        return None

    def _on_throw(self, code: CodeType, offset: int, exception: BaseException) -> None:
        if not self._is_observed(code):
            return
        frame = _program_frame()
        activation = self._enter(frame)
        name = function_name(code, frame.f_globals)
        self._emit("throw", name, frame.f_lineno, encode(exception))
        if isinstance(exception, GeneratorExit) or self._left() == _mark(exception):
            activation.arriving = _mark(exception)

    def _on_line(self, code: CodeType, line: int) -> object:
        if not self._is_observed(code):
            return _DISABLE
        frame = _program_frame()
        activation = self._top(frame)
        self._step(activation, line, self._variables(frame, activation))
        if activation.catching == line:
            activation.catching = None
            self._caught(frame)
        return None

    def _step(self, activation: _Activation, line: int, variables: dict[str, Encoded]) -> None:
        activation.stepped = True
        activation.arriving = None
        self._gone.pop(threading.get_ident(), None)
        activation.place = (activation.place[0], line)
        activation.shown = variables
        self._emit("step", *activation.place, variables)

    def _top(self, frame: FrameType) -> _Activation:
        activation = self._stack()[-1]
        assert activation.frame == id(frame), f"events of {frame} are not nested"
        return activation

    def _end(self, kind: str, frame: FrameType, value: Any) -> None:
        activation = self._top(frame)
        code = frame.f_code
        if not activation.stepped:
            self._step(activation, frame.f_lineno, self._variables(frame, activation))
        self._emit(kind, function_name(code, frame.f_globals), encode(value))
        self._stack().pop()

    def _on_return(self, code: CodeType, offset: int, value: Any) -> object:
        if not self._is_observed(code):
            return _DISABLE
        self._end("return", _program_frame(), value)
        return None

    def _on_yield(self, code: CodeType, offset: int, value: Any) -> object:
        if not self._is_observed(code):
            return _DISABLE
        if type(value).__name__ == "async_generator_wrapped_value":
            (value,) = gc.get_referents(value)
        self._end("yield", _program_frame(), value)
        return None

    def _on_unwind(self, code: CodeType, offset: int, exception: BaseException) -> None:
        if self._is_observed(code):
            self._end("unwind", _program_frame(), exception)
            self._gone[threading.get_ident()] = _mark(exception)
            if self._stack():
                self._stack()[-1].arriving = _mark(exception)

    # -- exceptions

    def _left(self) -> Mark | None:
        """The exception that has just ended a frame of this thread."""
        return self._gone.get(threading.get_ident())

    def _clauses_of(self, code: CodeType) -> Clauses:
        if id(code) not in self._clauses:
            self._clauses[id(code)] = code, Clauses(code)
        return self._clauses[id(code)][1]

    def _on_raise(self, code: CodeType, offset: int, exception: BaseException) -> None:
        if not self._is_observed(code):
            return
        clauses = self._clauses_of(code)
        is_stop = isinstance(exception, StopIteration | StopAsyncIteration)
        if is_stop and clauses.at(offset).name in ("FOR_ITER", "SEND"):
            return
        if is_stop and clauses.handler(offset) in ("END_ASYNC_FOR", "CLEANUP_THROW"):
            return
        frame = _program_frame()
        activation = self._top(frame)
        self._known[id(frame)] = (id(exception), False)
        ends = {"__next__": StopIteration, "__anext__": StopAsyncIteration}.get(code.co_name)
        if activation.arriving == _mark(exception) or (ends and isinstance(exception, ends)):
            return
        self._emit_exception("raise", frame, exception)

    def _on_reraise(self, code: CodeType, offset: int, exception: BaseException) -> None:
        if not self._is_observed(code):
            return
        frame = _program_frame()
        known, caught = self._known.get(id(frame), (None, False))
        if known == id(exception) and not caught:
            return
        self._known[id(frame)] = (id(exception), False)
        self._emit_exception("raise", frame, exception)

    def _emit_exception(self, kind: str, frame: FrameType, exception: BaseException) -> None:
        activation = self._top(frame)
        if not activation.stepped:
            variables = self._variables(frame, activation)
            self._step(activation, activation.place[1], variables)
        self._emit(kind, *activation.place, encode(exception), activation.shown)

    def _on_handled(self, code: CodeType, offset: int, exception: BaseException) -> None:
        if self._is_observed(code):
            self._catch(_program_frame(), self._clauses_of(code).body_of_handler(offset))

    def _on_branch(self, code: CodeType, offset: int, target: int) -> object:
        if not self._is_observed(code):
            return _DISABLE
        self._catch(_program_frame(), self._clauses_of(code).body_of_branch(offset, target))
        return None

    def _catch(self, frame: FrameType, line: int | None) -> None:
        if line:
            self._top(frame).catching = line
        elif line == 0:
            self._caught(frame)

    def _caught(self, frame: FrameType) -> None:
        exception = sys.exception()
        assert exception is not None
        known, _ = self._known.get(id(frame), (0, False))
        self._known[id(frame)] = (known, True)
        self._emit_exception("catch", frame, exception)


_ABSENT = object()

_DISABLE = sys.monitoring.DISABLE if sys.version_info >= (3, 12) else None
_OWN_FILES = {__file__, sys.modules["trace_function"].__file__}


def _program_frame() -> FrameType:
    """The frame of the event."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename in _OWN_FILES:
        frame = frame.f_back
    assert frame is not None
    return frame


# ``frame.f_locals`` of a module body crashes CPython 3.13.0 while a comprehension runs in it.  In
# CPython 3.11 comprehensions have frames of their own, and their variables hide nothing.
if sys.version_info >= (3, 12):
    _frame_variable = ctypes.pythonapi.PyFrame_GetVar
    _frame_variable.argtypes = [ctypes.py_object, ctypes.py_object]
    _frame_variable.restype = ctypes.py_object


def _enclosing(frame: FrameType, name: str) -> dict[str, Any]:
    """A free variable of a class body, whose own frame does not show it: it is in the function
    around."""
    outer = frame.f_back
    while outer is not None:
        code = outer.f_code
        if code.co_flags & OPTIMIZED and name in (*code.co_cellvars, *code.co_freevars):
            variables = outer.f_locals
            found = {name: variables[name]} if name in variables else {}
            if type(variables) is dict:
                variables.clear()
            return found
        outer = outer.f_back
    return {}


def main(arguments: list[str]) -> None:
    """The command."""
    text, script, *rest = arguments
    options = json.loads(text)
    for name in options["preload"]:
        importlib.import_module(name)
    observer = Observer(tuple(options["prefixes"]))
    sys.argv = [script, *rest]
    sys.path[0] = os.path.dirname(script)
    with open(script, encoding="utf-8") as file:
        code = compile(file.read(), script, "exec")
    module = ModuleType("__main__")
    module.__dict__.update({"__file__": script, "__builtins__": __builtins__})
    sys.modules["__main__"] = module
    observer.start()
    try:
        exec(code, module.__dict__)
    except BaseException as error:  # noqa: BLE001 - how the program ends is its own business
        print(f"{type(error).__name__}: {error}")
    finally:
        observer.stop()
    sys.stdout.flush()
    with open(options["out"], "wb") as sink:
        pickle.dump(observer.events, sink)


if __name__ == "__main__":
    main(sys.argv[1:])
