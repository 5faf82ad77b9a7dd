"""Decisions about code: what a chain of filters says about a scope, and which rule says so."""

from __future__ import annotations

import os
from weakref import ref

from codetracer_filter._file_table import CompiledScopeRule, FileTable, remember
from codetracer_filter._modules import choose_module
from codetracer_filter.model import ExecDecision, ExecDirective
from codetracer_filter.resolution import ScopeContext, ScopeResolution
from codetracer_filter.selector import SelectorKind
from codetracer_filter.values import CompiledValuePattern, ValuePolicy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType

    from codetracer_filter._file_table import FileFacts
    from codetracer_filter.model import ScopeRule, TraceFilterConfig

__all__ = [
    "CompiledScopeRule",
    "CompiledValuePattern",
    "ScopeContext",
    "ScopeResolution",
    "TraceFilterEngine",
    "ValuePolicy",
]


class _Verdict:
    """What a set of matching rules adds up to."""

    __slots__ = ("deciding", "exec", "matched", "policy")

    def __init__(
        self,
        exec: ExecDecision,  # noqa: A002
        deciding: ScopeRule | None,
        matched: tuple[ScopeRule, ...],
        policy: ValuePolicy,
    ) -> None:
        self.exec = exec
        self.deciding = deciding
        self.matched = matched
        self.policy = policy


class _ModuleFacts:
    """What is the same for all code of a file under one name of its module.

    ``verdict`` holds for code that no ``obj`` rule fits.
    """

    __slots__ = ("file", "matched", "module", "verdict")

    def __init__(
        self,
        file: FileFacts,
        module: str | None,
        matched: list[CompiledScopeRule],
        verdict: _Verdict,
    ) -> None:
        self.file = file
        self.module = module
        self.matched = matched
        self.verdict = verdict


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
        rules = [CompiledScopeRule(index, rule) for index, rule in enumerate(config.rules)]
        self._module_rules = _of_kind(rules, SelectorKind.PKG)
        self._object_rules = _of_kind(rules, SelectorKind.OBJ)
        self._rules = rules
        self._files = FileTable(
            _of_kind(rules, SelectorKind.FILE),
            (source.root for source in config.sources),
            os.fspath(directory) if directory is not None else os.getcwd(),
        )
        self._modules: dict[tuple[str, str | None], _ModuleFacts] = {}
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
        """Decide about the object ``qualname`` of the file ``filename``."""
        facts = self._modules.get((filename, module))
        if facts is None:
            facts = self._module_facts(filename, module)
        name = facts.module
        dotted = qualname if name is None else f"{name}.{qualname}"
        verdict = facts.verdict
        hits = [compiled for compiled in self._object_rules if compiled.matches(dotted)]
        if hits:
            verdict = self._verdict(sorted(facts.matched + hits, key=_index))
        return ScopeResolution(
            exec=verdict.exec,
            policy=verdict.policy,
            context=ScopeContext(facts.file.path, facts.file.relative, name, dotted),
            rule=verdict.deciding,
            matched=verdict.matched,
        )

    def resolve_file(self, filename: str) -> ExecDecision | None:
        """The decision for all code of a file, whatever its module and name.

        None when a ``pkg`` or ``obj`` rule could make a difference.
        """
        matched = self._files.facts(filename).matched
        possible: set[str] = {self.config.default_exec}
        for compiled in self._rules:
            directive = compiled.rule.exec
            if directive is ExecDirective.INHERIT:
                continue
            if compiled.rule.selector.kind is not SelectorKind.FILE:
                possible.add(directive)
            elif compiled in matched:
                possible = {directive}
        return ExecDecision(possible.pop()) if len(possible) == 1 else None

    def _verdict(self, matched: list[CompiledScopeRule]) -> _Verdict:
        decision = self.config.default_exec
        deciding: ScopeRule | None = None
        for compiled in matched:
            if compiled.rule.exec is not ExecDirective.INHERIT:
                deciding = compiled.rule
        if deciding is not None:
            decision = ExecDecision(deciding.exec)
        rules = tuple(compiled.rule for compiled in matched)
        return _Verdict(decision, deciding, rules, self._policy(matched))

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
            default, default_rule = self.config.default_value_action, None
            patterns: list[CompiledValuePattern] = []
            for rule in (compiled.rule for compiled in relevant):
                if rule.value_default is not None:
                    default, default_rule = rule.value_default, rule
                patterns[:0] = [
                    CompiledValuePattern(pattern, rule) for pattern in rule.value_patterns
                ]
            policy = self._policies[key] = ValuePolicy(patterns, default, default_rule)
        return policy

    def _module_facts(self, filename: str, hint: str | None) -> _ModuleFacts:
        file = self._files.facts(filename)
        module = choose_module(hint, file.relative, file.path)
        matched = file.matched
        if module is not None and self._module_rules:
            fitting = [compiled for compiled in self._module_rules if compiled.matches(module)]
            matched = sorted(matched + fitting, key=_index)
        facts = _ModuleFacts(file, module, matched, self._verdict(matched))
        remember(self._modules, (filename, hint), facts)
        return facts


def _of_kind(rules: Iterable[CompiledScopeRule], kind: SelectorKind) -> list[CompiledScopeRule]:
    return [compiled for compiled in rules if compiled.rule.selector.kind is kind]


def _index(compiled: CompiledScopeRule) -> int:
    return compiled.index


def _forget(reference: ref[CodeType]) -> None:
    """Drop the answer for a code object that is gone; its address may be used again."""
    if isinstance(reference, _CodeRef):
        engine = reference.engine()
        if engine is not None and engine._cache.get(reference.key, (None,))[0] is reference:
            del engine._cache[reference.key]
