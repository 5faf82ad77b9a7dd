"""Events as ``sys.monitoring`` tells them, from a trace function, for CPython 3.11.

The function is set in C's way, so that it is told how a frame ends and no variables are copied for
it. All instructions of the frames that are observed are looked at.
"""

from __future__ import annotations

import ctypes
import dis
import sys
import threading
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

CALL, EXCEPTION, LINE, RETURN, OPCODE = 0, 1, 2, 3, 7
"""The numbers of ``PyTrace_...``; those between are of calls to C."""

_Function = ctypes.PYFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.py_object, ctypes.c_int, ctypes.c_void_p
)
_set_trace = ctypes.pythonapi.PyEval_SetTrace
_set_trace.argtypes = [ctypes.c_void_p, ctypes.py_object]
_set_trace.restype = None

_F_FRAME, _STACK_TOP, _VARIABLES = 24, 64, 72
"""Where a frame object points to the frame, and where that has the height of its stack, and its
variables with the stack behind them."""


class TraceFunction:
    """Calls callbacks by the name of their event, for the code that is observed."""

    def __init__(
        self, callbacks: dict[str, Callable[..., object]], is_observed: Callable[[CodeType], bool]
    ) -> None:
        self._callbacks = callbacks
        self._is_observed = is_observed
        self._function = _Function(self._receive)
        # By frame: what comes next, or was last.
        self._late: set[int] = set()
        self._thrown: set[int] = set()
        self._leaving: dict[int, BaseException] = {}
        self._handlers: dict[int, int] = {}
        self._branches: dict[int, int] = {}

    def start(self) -> None:
        """Observe this thread from the next call on, and the threads that it starts."""
        threading.settrace(self._enter_thread)
        self._set()

    def stop(self) -> None:
        """Observe no longer."""
        threading.settrace(None)
        sys.settrace(None)

    def _set(self) -> None:
        _set_trace(ctypes.cast(self._function, ctypes.c_void_p), None)

    def _enter_thread(self, frame: FrameType, _event: str, _value: object) -> None:
        """The first call of a thread: of its frame, lines come next."""
        self._set()
        if self._is_observed(frame.f_code):
            self._late.add(id(frame))

    def _tell(self, event: str, *arguments: object) -> None:
        self._callbacks[event](*arguments)

    def _receive(self, _: int, frame: FrameType, what: int, address: int) -> int:
        code = frame.f_code
        if not self._is_observed(code):
            return 0
        value: Any = ctypes.cast(address, ctypes.py_object).value if address else None
        if id(frame) in self._late:
            self._late.remove(id(frame))
            self._called(frame, code, begins=True)
        if what == CALL:
            self._called(frame, code)
        elif what == LINE:
            self._arrive(frame, code)
            if frame.f_lineno is not None:  # as for code without a table of lines
                self._tell("LINE", code, frame.f_lineno)
        elif what == EXCEPTION:
            self._raised(frame, code, value[1])
        elif what == OPCODE:
            self._reached(frame, code)
        elif what == RETURN:
            self._left(frame, code, value, is_value=bool(address))
        return 0

    def _called(self, frame: FrameType, code: CodeType, *, begins: bool = False) -> None:
        frame.f_trace_opcodes = True
        name, argument = ("RESUME", 0) if begins else _instruction(code, frame.f_lasti)
        if name != "RESUME":
            self._thrown.add(id(frame))
        else:
            self._tell("PY_START" if argument == 0 else "PY_RESUME", code, frame.f_lasti)

    def _raised(self, frame: FrameType, code: CodeType, exception: BaseException) -> None:
        name, _ = _instruction(code, frame.f_lasti)
        if name in ("FOR_ITER", "SEND") and isinstance(exception, StopIteration):
            return
        if id(frame) in self._thrown:
            self._thrown.remove(id(frame))
            self._tell("PY_THROW", code, frame.f_lasti, exception)
        self._tell("RAISE", code, frame.f_lasti, exception)
        self._goes_on(frame, code, exception)

    def _goes_on(self, frame: FrameType, code: CodeType, exception: BaseException) -> None:
        """An exception is looked up in the table of handlers."""
        for entry in dis._parse_exception_table(code):  # type: ignore[attr-defined]
            if entry.start <= frame.f_lasti < entry.end:
                self._handlers[id(frame)] = entry.target
                return
        self._leaving[id(frame)] = exception

    def _arrive(self, frame: FrameType, code: CodeType) -> None:
        """What is told of an instruction before the line that it begins."""
        branch = self._branches.pop(id(frame), None)
        if branch is not None:
            self._tell("BRANCH", code, branch, frame.f_lasti)
        if self._handlers.get(id(frame)) == frame.f_lasti:
            del self._handlers[id(frame)]
            self._tell("EXCEPTION_HANDLED", code, frame.f_lasti, _top(frame))

    def _reached(self, frame: FrameType, code: CodeType) -> None:
        self._arrive(frame, code)
        name, argument = _instruction(code, frame.f_lasti)
        if name.startswith("POP_JUMP"):
            self._branches[id(frame)] = _behind_prefixes(code, frame.f_lasti)
        exception = None
        if name == "RERAISE":
            exception = _top(frame)
        elif name == "RAISE_VARARGS" and argument == 0:
            exception = sys.exception()
        elif name == "END_ASYNC_FOR" and not isinstance(_top(frame), StopAsyncIteration):
            exception = _top(frame)
        if exception is not None:
            self._tell("RERAISE", code, frame.f_lasti, exception)
            self._goes_on(frame, code, exception)

    def _left(self, frame: FrameType, code: CodeType, value: Any, *, is_value: bool) -> None:
        name, _ = _instruction(code, frame.f_lasti)
        leaving = self._leaving.pop(id(frame), None)
        if not is_value:
            self._tell("PY_UNWIND", code, frame.f_lasti, leaving)
        else:
            event = "PY_YIELD" if name == "YIELD_VALUE" else "PY_RETURN"
            self._tell(event, code, frame.f_lasti, value)
        for known in (self._handlers, self._branches):
            known.pop(id(frame), None)
        self._thrown.discard(id(frame))


_texts: dict[int, tuple[CodeType, bytes]] = {}


def _text(code: CodeType) -> bytes:
    """The instructions of `code`, which makes them anew each time it is asked."""
    if id(code) not in _texts:
        _texts[id(code)] = code, code.co_code
    return _texts[id(code)][1]


def _behind_prefixes(code: CodeType, offset: int) -> int:
    """The instruction to which the EXTENDED_ARG at `offset` belongs, if there is one."""
    while dis.opname[_text(code)[offset]] == "EXTENDED_ARG":
        offset += 2
    return offset


def _instruction(code: CodeType, offset: int) -> tuple[str, int]:
    """The name of the instruction at `offset`, and the last byte of its argument."""
    offset = _behind_prefixes(code, offset)
    return dis.opname[_text(code)[offset]], _text(code)[offset + 1]


def _top(frame: FrameType) -> Any:
    """What lies on top of the stack of a frame."""
    at = ctypes.c_void_p.from_address(id(frame) + _F_FRAME).value or 0
    height = ctypes.c_int.from_address(at + _STACK_TOP).value
    return ctypes.py_object.from_address(at + _VARIABLES + 8 * (height - 1)).value
