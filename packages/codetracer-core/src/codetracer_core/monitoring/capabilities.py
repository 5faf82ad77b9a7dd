"""What this interpreter offers to the recorder, and why others are refused.

The build of the C part loads this file by itself, so it imports nothing of the recorder on
its own, and it is written in a language that those Pythons understand which it refuses.
"""

from __future__ import annotations

import sys

__all__ = [
    "BRANCH_HAS_SIDES",
    "DISABLE",
    "ENGINE",
    "FILE_STAYS_AT_EXIT",
    "HAS_MONITORING",
    "SHA2",
    "SUPPORTED_VERSIONS",
    "TOOL_IDS",
    "Interpreter",
    "is_subinterpreter",
    "refusal",
    "report_refusal",
    "require_main_interpreter",
    "require_supported",
]

SUPPORTED_VERSIONS = ((3, 11), (3, 12), (3, 13), (3, 14))
"""The versions of CPython whose frames, objects and events the C part knows, oldest first."""

HAS_MONITORING = hasattr(sys, "monitoring")
"""Whether there is ``sys.monitoring`` (from CPython 3.12 on)."""

ENGINE = "sys.monitoring" if HAS_MONITORING else "PyEval_SetTrace"
"""Where the events of a recording come from."""

DISABLE: object = sys.monitoring.DISABLE if HAS_MONITORING else object()
"""What a handler returns for an event of which it wants no more.

Without ``sys.monitoring`` that counts for code that starts or goes on: no lines of its frame come.
"""

BRANCH_HAS_SIDES = hasattr(getattr(getattr(sys, "monitoring", None), "events", None), "BRANCH_LEFT")
"""Whether the two ways of a branch are two events (from CPython 3.14 on)."""

FILE_STAYS_AT_EXIT = sys.version_info < (3, 14)
"""Whether ``__main__.__file__`` is still there in exit handlers of a program that ends by
``SystemExit``; after any other end the interpreter has taken it away."""

SHA2 = "_sha2" if sys.version_info >= (3, 12) else "_sha256"
"""The module behind ``hashlib``, which would load OpenSSL."""

TOOL_IDS = (5, 4, 3)
"""The tool ids of ``sys.monitoring`` that are tried, in this order.

0, 1 and 2 belong to debuggers, coverage and profilers.
"""

_NAMES = {"pypy": "PyPy", "graalpy": "GraalPy", "ironpython": "IronPython", "jython": "Jython"}


class Interpreter:
    """What decides whether an interpreter is supported."""

    __slots__ = ("has_gil", "implementation", "version")

    def __init__(self, implementation: str, version: tuple[int, int], *, has_gil: bool) -> None:
        self.implementation = implementation
        """Its name, as ``sys.implementation.name`` has it."""
        self.version = version
        """Major and minor version."""
        self.has_gil = has_gil
        """False for a free-threaded build, also where its GIL is switched on."""

    @classmethod
    def running(cls) -> Interpreter:
        """The one that runs this code."""
        is_gil_enabled = getattr(sys, "_is_gil_enabled", None)
        return cls(
            sys.implementation.name,
            (sys.version_info[0], sys.version_info[1]),
            has_gil="t" not in getattr(sys, "abiflags", "")
            and (is_gil_enabled is None or is_gil_enabled()),
        )


def refusal(interpreter: Interpreter) -> str | None:
    """Why programs cannot be recorded on `interpreter`, and what to do; None when they can."""
    first, newest = ("{}.{}".format(*SUPPORTED_VERSIONS[i]) for i in (0, -1))
    remedy = f"run them with CPython {first} to {newest}"
    version = "{}.{}".format(*interpreter.version)
    if interpreter.implementation != "cpython":
        name = _NAMES.get(interpreter.implementation, interpreter.implementation)
        return (
            f"programs cannot be recorded on {name}, which has neither the frames nor the events"
            f" of CPython: {remedy}"
        )
    if interpreter.version < SUPPORTED_VERSIONS[0]:
        return f"programs cannot be recorded on CPython {version}, which is too old: {remedy}"
    if interpreter.version not in SUPPORTED_VERSIONS:
        return (
            f"programs cannot be recorded on CPython {version}, whose frames the recorder does not"
            f" know yet: {remedy}"
        )
    if not interpreter.has_gil:
        return (
            "programs cannot be recorded on a free-threaded build of CPython, because the recorder"
            f" relies on the GIL: run them with the build that has it, python{version}"
        )
    return None


def report_refusal() -> bool:
    """Say in a line on standard error why this interpreter is refused, if so; whether it is.

    For what runs before modules are loaded that an old interpreter cannot read.
    """
    reason = refusal(Interpreter.running())
    if reason is not None:
        print(f"codetracer-core: error: [ERR_UNSUPPORTED_INTERPRETER] {reason}", file=sys.stderr)
    return reason is not None


def require_supported() -> None:
    """Raise an error that says why programs of this interpreter cannot be recorded, if so.

    It is an EnvironmentError with the code ``ERR_UNSUPPORTED_INTERPRETER``.
    """
    reason = refusal(Interpreter.running())
    if reason is not None:
        from codetracer_core.errors import EnvironmentError_

        raise EnvironmentError_("ERR_UNSUPPORTED_INTERPRETER", reason)


def is_subinterpreter() -> bool:
    """Whether the program has made this interpreter beside the first one of the process."""
    try:
        interpreters = __import__(
            "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
        )
    except ImportError:
        return False
    # From CPython 3.13 on, these tell where an interpreter comes from, too.
    current, main = interpreters.get_current(), interpreters.get_main()
    return bool(current[0] != main[0] if isinstance(main, tuple) else current != main)


def require_main_interpreter() -> None:
    """Raise an error that says what to do where a subinterpreter wants to be recorded.

    It is an EnvironmentError with the code ``ERR_UNSUPPORTED_INTERPRETER``.
    """
    if is_subinterpreter():
        from codetracer_core.errors import EnvironmentError_

        raise EnvironmentError_(
            "ERR_UNSUPPORTED_INTERPRETER",
            "code in a subinterpreter cannot be recorded, because the recorder and its events"
            " belong to the main interpreter: run it there, or in a process of its own",
        )
