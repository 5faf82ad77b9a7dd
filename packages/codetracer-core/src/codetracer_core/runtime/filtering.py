"""Asks the filters once for each code object and turns their answer into a plan for the C part."""

from __future__ import annotations

import importlib.machinery as machinery
import os

from codetracer_core.runtime.shadowed import shadowed_globals
from codetracer_core.runtime.sources import SourceBook
from codetracer_filter import ExecDecision, ValueAction, ValueKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import CodeType, EllipsisType
    from typing import Final, TypeAlias

    from codetracer_filter import ScopeResolution, TraceFilterEngine, ValuePolicy

    PlanHead: TypeAlias = tuple[
        str,
        str,
        int,
        int,
        int,
        bytes,
        bytes,
        tuple[str, ...],
        bytes,
        int,
        int,
        int,
        int,
        object,
        object,
    ]
    Plan: TypeAlias = tuple[*PlanHead, object]

__all__ = ["FilterCoordinator"]

_OWN_PACKAGES: Final = (
    "codetracer_core",
    "codetracer_filter",
    "codetracer_log",
    "codetracer_policy",
)

# Flags of code objects (the module inspect, which names them, is slow to import).
_OPTIMIZED: Final = 0x1
_VARARGS: Final = 0x4
_VARKEYWORDS: Final = 0x8
_GENERATOR: Final = 0x20
_COROUTINE: Final = 0x80
_ASYNC_GENERATOR: Final = 0x200

# Of a variable (CO_FAST_HIDDEN of CPython): one of a comprehension that was compiled into the code.
_FAST_HIDDEN: Final = 0x10

# Flags of a function in the journal (csrc/journal_format.h).
_FN_NAMESPACE: Final = 0x01
_FN_MODULE: Final = 0x02
_FN_GENERATOR: Final = 0x04
_FN_COROUTINE: Final = 0x08
_FN_ASYNC_GENERATOR: Final = 0x10

_ACTIONS: Final[Mapping[ValueAction, int]] = {
    ValueAction.ALLOW: 0,
    ValueAction.REDACT: 1,
    ValueAction.DROP: 2,
}
_DROP: Final = 2

_YIELD: Final = "<yield>"
_UNWIND: Final = "<unwind>"
"""What `ret` patterns call the value of a yield, and an exception."""

_THROWN: Final = "exception"
"""What `arg` patterns call the exception that is thrown into a generator."""


class FilterCoordinator:
    """Decides, for the C part, what is recorded of a code object.

    The C part asks once for each code object and keeps the answer with it.
    """

    def __init__(
        self,
        engine: TraceFilterEngine,
        *,
        main_script: str | None,
        module_name_from_globals: bool = True,
        sources: SourceBook | None = None,
    ) -> None:
        """`main_script` is the absolute path of the program, None when it has no file.

        Without `module_name_from_globals` a module's body is named by what filters call the module,
        and not by whatever its ``__name__`` says. `sources` is what is known of sources already.
        """
        self._engine = engine
        self._main_script = main_script
        self._module_name_from_globals = module_name_from_globals
        self._own_folders = _own_folders()
        self.sources = sources or SourceBook()
        self._skipped_main: ScopeResolution | None = None
        self._counts: dict[str, object] = {}
        self._attribute_deciders: dict[ValuePolicy, Callable[[str], int] | None] = {}

    @property
    def skipped_main(self) -> ScopeResolution | None:
        """Why the main script is not recorded; None when it is, or has not been met."""
        return self._skipped_main

    def resolve(
        self, code: CodeType, names: tuple[str, ...], kinds: bytes, module: str | None
    ) -> Plan | bool | EllipsisType | None:
        """The plan for `code`, whose variables are `names` and whose globals call it `module`.

        None: skip it. True: skip it and every other code object of its file. Ellipsis: no answer
        could be found this time, because the program is at the limit of its recursion or memory.
        """
        try:
            return self._resolve(code, names, kinds, module)
        except (RecursionError, MemoryError):
            return ...

    def _resolve(
        self, code: CodeType, names: tuple[str, ...], kinds: bytes, module: str | None
    ) -> Plan | bool | None:
        filename = code.co_filename
        if filename.startswith(self._own_folders):
            return True
        in_file = not filename.startswith("<")
        if not in_file and not self.sources.has_text(code):
            # Other code of the name may have a text; no code of frozen modules has.
            return True if filename.startswith("<frozen ") else None
        resolution = self._engine.resolve_query(filename, code.co_qualname, module)
        if resolution.exec is ExecDecision.SKIP:
            if resolution.path == self._main_script and code.co_name == "<module>":
                self._skipped_main = resolution
            is_all = in_file and self._engine.resolve_file(filename) is ExecDecision.SKIP
            return True if is_all else None
        hint = module if self._module_name_from_globals else None
        module = hint or resolution.module or "module"
        path = resolution.path if in_file else filename
        if in_file:
            self.sources.see_file(path)
        return (
            *_plan(code, names, kinds, module, path, resolution),
            self._attribute_decider(resolution.policy),
        )

    def _attribute_decider(self, policy: ValuePolicy) -> Callable[[str], int] | None:
        """What says for names inside values whether they may be shown; None when all may.

        It is one object for each policy: the C part keeps the answers by it.
        """
        if policy not in self._attribute_deciders:
            allowed = policy.allows_all(ValueKind.ATTR)

            def decide(name: str) -> int:
                return _ACTIONS[policy.decide(ValueKind.ATTR, name)]

            self._attribute_deciders[policy] = None if allowed else decide
        return self._attribute_deciders[policy]

    def stats(self) -> dict[str, object]:
        """What the trace's metadata says of the filters' work, as :meth:`count` was told."""
        return self._counts

    def count(
        self, scopes_skipped: int, redacted: Mapping[str, int], dropped: Mapping[str, int]
    ) -> None:
        """Take over what the C part has counted: code objects, and values by their kind."""
        self._counts = {
            "scopes_skipped": scopes_skipped,
            "value_redactions": dict(redacted),
            "value_drops": dict(dropped),
        }


def _own_folders() -> tuple[str, ...]:
    """The folders of the recorder's packages, whose code is never recorded.

    They are looked for, not imported: the log package is only imported when something is logged.
    """
    specs = [machinery.PathFinder.find_spec(name) for name in _OWN_PACKAGES]
    return tuple(
        os.path.dirname(os.path.abspath(spec.origin)) + os.sep
        for spec in specs
        if spec is not None and spec.origin is not None
    )


def _plan(
    code: CodeType,
    names: tuple[str, ...],
    kinds: bytes,
    module: str,
    path: str,
    resolution: ScopeResolution,
) -> PlanHead:
    """The plan for `code` of the file `path`, whose module is shown as `module`, but for names
    inside values."""
    flags = code.co_flags
    policy = resolution.policy
    is_module = code.co_name == "<module>" and not flags & _OPTIMIZED
    arguments = (
        code.co_argcount
        + code.co_kwonlyargcount
        + bool(flags & _VARARGS)
        + bool(flags & _VARKEYWORDS)
    )
    decide: Callable[[str], int] | None = None
    decided: dict[str, int] | None = None
    if not flags & _OPTIMIZED:
        # Any name can come up in a module or class body; those that the code mentions are known.
        decide = _decider(policy, is_module)
        decided = {name: decide(name) for name in code.co_names}
        slots = bytes(_DROP if _is_dunder(name) else decide(name) for name in names)
    else:
        slots = bytes(_ACTIONS[policy.decide(ValueKind.LOCAL, name)] for name in names)
    returned = _ACTIONS[policy.decide(ValueKind.RETURN, resolution.object)]
    # What only a comprehension in the code calls so is a global outside of it.
    own = {name for name, kind in zip(names, kinds, strict=True) if not kind & _FAST_HIDDEN}
    own -= shadowed_globals(code, names, arguments)
    globals_ = () if is_module else tuple(_global_names(code, own))
    return (
        path,
        f"<{module}>" if is_module else code.co_qualname,
        max(code.co_firstlineno, 1),
        _function_flags(flags, is_module),
        arguments,
        slots,
        bytes(_ACTIONS[policy.decide(ValueKind.ARG, name)] for name in names[:arguments]),
        globals_,
        bytes(_ACTIONS[policy.decide(ValueKind.GLOBAL, name)] for name in globals_),
        returned,
        # Yielded values and exceptions have names of their own, too; the stricter answer counts.
        max(returned, _ACTIONS[policy.decide(ValueKind.RETURN, _YIELD)]),
        max(returned, _ACTIONS[policy.decide(ValueKind.RETURN, _UNWIND)]),
        _ACTIONS[policy.decide(ValueKind.ARG, _THROWN)],
        decide,
        decided,
    )


def _function_flags(flags: int, is_module: bool) -> int:
    return (
        (0 if flags & _OPTIMIZED else _FN_NAMESPACE)
        | (_FN_MODULE if is_module else 0)
        | (_FN_GENERATOR if flags & _GENERATOR else 0)
        | (_FN_COROUTINE if flags & _COROUTINE else 0)
        | (_FN_ASYNC_GENERATOR if flags & _ASYNC_GENERATOR else 0)
    )


def _decider(policy: ValuePolicy, is_module: bool) -> Callable[[str], int]:
    def decide(name: str) -> int:
        if is_module:
            return _ACTIONS[policy.decide_module_level(name)]
        return _ACTIONS[policy.decide(ValueKind.LOCAL, name)]

    return decide


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _global_names(code: CodeType, seen: set[str]) -> Iterator[str]:
    """The names that `code` and the code inside it may find in their module, each once."""
    for name in code.co_names:
        if type(name) is str and name not in seen and not _is_dunder(name):
            seen.add(name)
            yield name
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            yield from _global_names(constant, seen)
