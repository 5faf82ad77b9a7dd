"""Decisions: what a chain of filters says about a piece of code and about the values in it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from weakref import ref

from codetracer_filter._files import absolute_name, relative_to
from codetracer_filter._modules import choose_module
from codetracer_filter.model import (
    ExecDecision,
    ExecDirective,
    ValueAction,
    ValueKind,
    ValuePattern,
)
from codetracer_filter.selector import SelectorKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType

    from codetracer_filter.model import ScopeRule, TraceFilterConfig

__all__ = ["ScopeContext", "ScopeResolution", "TraceFilterEngine", "ValuePolicy"]

_MEMO_LIMIT = 8_192
_FILES_LIMIT = 4_096


class ValuePolicy:
    """What may be kept of the values of one scope, by kind and name.

    Scopes for which the same rules matched share one policy.
    """

    __slots__ = ("_memo", "_patterns", "default")

    def __init__(self, patterns: Iterable[ValuePattern], default: ValueAction) -> None:
        """``patterns`` in the order they are tried; ``default`` for names none of them fits."""
        self.default = default
        self._patterns: dict[str, list[ValuePattern]] = {kind.value: [] for kind in ValueKind}
        for pattern in patterns:
            self._patterns[pattern.selector.kind.value].append(pattern)
        self._memo: dict[str, dict[str, ValueAction]] = {kind.value: {} for kind in ValueKind}

    def decide(self, kind: ValueKind, name: str) -> ValueAction:
        """The action for the value called ``name``.

        For `ValueKind.RETURN` the name is the object that returns, such as ``pkg.mod.func``;
        for `ValueKind.ATTR` it is an attribute or the text key of a mapping.
        """
        memo = self._memo[kind]
        action = memo.get(name)
        if action is None:
            pattern = self.deciding_pattern(kind, name)
            action = self.default if pattern is None else pattern.action
            # Keys of mappings come without end, so what is remembered is bounded.
            if len(memo) >= _MEMO_LIMIT:
                memo.clear()
            memo[name] = action
        return action

    def decide_module_level(self, name: str) -> ValueAction:
        """The action for a variable at module level, which is a local and a global at once.

        The stricter of both answers holds.
        """
        as_local = self.decide(ValueKind.LOCAL, name)
        as_global = self.decide(ValueKind.GLOBAL, name)
        return as_local if as_local.strictness >= as_global.strictness else as_global

    def deciding_pattern(self, kind: ValueKind, name: str) -> ValuePattern | None:
        """The pattern that decides about ``name``, None when the default does."""
        for pattern in self._patterns[kind]:
            if pattern.selector.matches(name):
                return pattern
        return None


@dataclass(frozen=True, slots=True)
class ScopeContext:
    """What selectors are compared with for one piece of code.

    ``path`` is absolute with forward slashes, or a name such as ``<string>``. ``module`` is None
    when no dotted name could be found; ``object`` is then the bare qualified name.
    """

    path: str
    module: str | None
    object: str


@dataclass(frozen=True, slots=True)
class ScopeResolution:
    """What the chain says about one piece of code.

    ``rule`` is the last rule that said trace or skip, None when the default decided. ``matched``
    are all rules whose selector fits, in chain order.
    """

    exec: ExecDecision
    policy: ValuePolicy = field(repr=False)
    context: ScopeContext
    rule: ScopeRule | None
    matched: tuple[ScopeRule, ...] = field(repr=False)

    @property
    def module(self) -> str | None:
        """The module that ``pkg`` selectors were compared with."""
        return self.context.module

    @property
    def object(self) -> str:
        """The dotted name that ``obj`` selectors were compared with."""
        return self.context.object

    @property
    def path(self) -> str:
        """The absolute path that ``file`` selectors were compared with."""
        return self.context.path


class CompiledScopeRule:
    """A rule as the engine walks it: ``file`` rules are answered once per file."""

    __slots__ = ("index", "is_file", "rule", "sees_object")

    def __init__(self, index: int, rule: ScopeRule) -> None:
        self.index = index
        self.rule = rule
        self.is_file = rule.selector.kind is SelectorKind.FILE
        self.sees_object = rule.selector.kind is SelectorKind.OBJ


class _FileFacts:
    """What is the same for all code of a file."""

    __slots__ = ("matched", "path", "relative")

    def __init__(self, path: str, relative: str | None, matched: frozenset[int]) -> None:
        self.path = path
        self.relative = relative
        self.matched = matched


class _CodeRef(ref["CodeType"]):
    """A weak reference that knows its entry in an engine's cache."""

    __slots__ = ("engine", "key")

    key: int
    engine: ref[TraceFilterEngine]


class TraceFilterEngine:
    """Answers what a configuration says about code objects.

    Answers are remembered per code object, by identity: code objects of two files with the same
    text are equal to each other and yet two scopes. The engine holds no code object alive, and
    an answer is forgotten with its code.
    """

    def __init__(
        self,
        config: TraceFilterConfig,
        *,
        directory: str | os.PathLike[str] | None = None,
    ) -> None:
        """``directory`` is where relative file names start; by default the working directory."""
        self.config = config
        self._directory = os.fspath(directory) if directory is not None else os.getcwd()
        self._rules = tuple(
            CompiledScopeRule(index, rule) for index, rule in enumerate(config.rules)
        )
        roots = {source.root for source in config.sources if source.root is not None}
        # The innermost root first: it names modules, and most files lie in it.
        self._roots = tuple(sorted(roots, key=len, reverse=True))
        self._files: dict[str, _FileFacts] = {}
        self._policies: dict[tuple[int, ...], ValuePolicy] = {}
        self._cache: dict[int, tuple[_CodeRef, str | None, ScopeResolution]] = {}
        self._self = ref(self)

    def resolve(self, code: CodeType, module: str | None = None) -> ScopeResolution:
        """Decide about ``code``; ``module`` is the ``__name__`` of its globals, if known."""
        key = id(code)
        entry = self._cache.get(key)
        if entry is not None and entry[0]() is code and entry[1] == module:
            return entry[2]
        resolution = self.resolve_query(code.co_filename, code.co_qualname, module)
        reference = _CodeRef(code, _forget)
        reference.key = key
        reference.engine = self._self
        self._cache[key] = (reference, module, resolution)
        return resolution

    def resolve_query(
        self, filename: str, qualname: str, module: str | None = None
    ) -> ScopeResolution:
        """Decide about the object ``qualname`` of the file ``filename``, without remembering."""
        facts = self._facts(filename)
        name = choose_module(module, facts.relative, facts.path)
        dotted = qualname if name is None else f"{name}.{qualname}"
        decision = self.config.default_exec
        deciding: ScopeRule | None = None
        matched: list[CompiledScopeRule] = []
        for compiled in self._rules:
            if compiled.is_file:
                fits = compiled.index in facts.matched
            elif compiled.sees_object:
                fits = compiled.rule.selector.matches(dotted)
            else:
                fits = name is not None and compiled.rule.selector.matches(name)
            if not fits:
                continue
            matched.append(compiled)
            if compiled.rule.exec is not ExecDirective.INHERIT:
                decision, deciding = ExecDecision(compiled.rule.exec), compiled.rule
        return ScopeResolution(
            exec=decision,
            policy=self._policy(matched),
            context=ScopeContext(facts.path, name, dotted),
            rule=deciding,
            matched=tuple(compiled.rule for compiled in matched),
        )

    def resolve_file(self, filename: str) -> ExecDecision | None:
        """The decision for all code of a file, whatever its module and name.

        None when a ``pkg`` or ``obj`` rule could make a difference.
        """
        facts = self._facts(filename)
        possible: set[str] = {self.config.default_exec}
        for compiled in self._rules:
            directive = compiled.rule.exec
            if directive is ExecDirective.INHERIT:
                continue
            if not compiled.is_file:
                possible.add(directive)
            elif compiled.index in facts.matched:
                possible = {directive}
        return ExecDecision(possible.pop()) if len(possible) == 1 else None

    def _policy(self, matched: list[CompiledScopeRule]) -> ValuePolicy:
        """The policy of the matching rules; the patterns of later ones come first."""
        relevant = [
            compiled
            for compiled in matched
            if compiled.rule.value_patterns or compiled.rule.value_default is not None
        ]
        key = tuple(compiled.index for compiled in relevant)
        policy = self._policies.get(key)
        if policy is None:
            default = self.config.default_value_action
            patterns: list[ValuePattern] = []
            for compiled in relevant:
                default = compiled.rule.value_default or default
                patterns[:0] = compiled.rule.value_patterns
            policy = self._policies[key] = ValuePolicy(patterns, default)
        return policy

    def _facts(self, filename: str) -> _FileFacts:
        facts = self._files.get(filename)
        if facts is None:
            # Programs that compile text under ever new names must not fill the memory.
            if len(self._files) >= _FILES_LIMIT:
                self._files.clear()
            facts = self._files[filename] = self._look_at(filename)
        return facts

    def _look_at(self, filename: str) -> _FileFacts:
        path = absolute_name(filename, self._directory)
        below = self._below_roots(path)
        matched = frozenset(
            compiled.index
            for compiled in self._rules
            if compiled.is_file
            and compiled.rule.selector.matches_path(path, below.get(compiled.rule.selector.root))
        )
        closest = next((below[root] for root in self._roots if root in below), None)
        return _FileFacts(path, closest, matched)

    def _below_roots(self, path: str) -> dict[str | None, str]:
        """The path relative to each root that holds it.

        Roots are free of symbolic links; a path that goes through one is tried as it is first.
        """
        if not self._roots or path.startswith("<"):
            return {}
        below: dict[str | None, str] = {}
        real: str | None = None
        for root in self._roots:
            relative = relative_to(path, root)
            if relative is None:
                real = real or os.path.realpath(path).replace(os.sep, "/")
                relative = relative_to(real, root)
            if relative is not None:
                below[root] = relative
        return below


def _forget(reference: ref[CodeType]) -> None:
    """Drop the answer for a code object that is gone; its address may be used again."""
    if isinstance(reference, _CodeRef):
        engine = reference.engine()
        if engine is not None and engine._cache.get(reference.key, (None,))[0] is reference:
            del engine._cache[reference.key]
