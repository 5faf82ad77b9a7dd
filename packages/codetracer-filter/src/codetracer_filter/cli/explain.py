"""Why code is traced or skipped, and why its values are kept or hidden."""

from __future__ import annotations

from dataclasses import dataclass

from codetracer_filter._messages import display, nearest
from codetracer_filter.cli.errors import ERR_FILTER_COMMAND_LINE, CommandError
from codetracer_filter.cli.places import (
    Place,
    default_place,
    pattern_entry,
    rule_entry,
    rule_place,
)
from codetracer_filter.cli.scopes import parse_scope
from codetracer_filter.model import ExecDecision, ExecDirective, ValueAction, ValueKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from codetracer_filter.cli.scopes import ScopeQuery
    from codetracer_filter.engine import TraceFilterEngine
    from codetracer_filter.model import TraceFilterConfig
    from codetracer_filter.resolution import ScopeResolution
    from codetracer_filter.values import CompiledValuePattern, ValuePolicy

__all__ = ["Explanation", "ValueExplanation", "explain"]

_DONE = {ExecDecision.TRACE: "traced", ExecDecision.SKIP: "skipped"}
_KEPT = {ValueAction.ALLOW: "kept", ValueAction.REDACT: "redacted", ValueAction.DROP: "dropped"}


@dataclass(frozen=True, slots=True)
class ValueExplanation:
    """What becomes of one value, what decided so, and every pattern that fits its name.

    The first of ``patterns`` decides; without any the default does.
    """

    kind: ValueKind
    name: str
    action: ValueAction
    decided_by: Place
    patterns: tuple[CompiledValuePattern, ...]

    def entry(self) -> dict[str, object]:
        """The explanation for JSON."""
        return {
            "kind": self.kind.value,
            "name": self.name,
            "action": self.action.value,
            "decided_by": self.decided_by.entry(),
            "patterns": [
                {"source": found.rule.path, "rule": found.rule.index} | pattern_entry(found.pattern)
                for found in self.patterns
            ],
        }

    def lines(self) -> Iterator[str]:
        """The explanation for people."""
        yield f"{self.kind}:{self.name} is {_KEPT[self.action]} by {self.decided_by}"
        for found in self.patterns[1:]:
            yield f"    would otherwise be {_KEPT[found.pattern.action]} by {_pattern_place(found)}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a chain says about one piece of code and some of its values, and what decided so."""

    query: ScopeQuery
    resolution: ScopeResolution
    decided_by: Place
    values: tuple[ValueExplanation, ...]

    def entry(self) -> dict[str, object]:
        """The explanation for JSON."""
        found = self.resolution
        return {
            "scope": {
                "path": found.path,
                "relative_path": found.relative_path,
                "module": found.module,
                "object": found.object,
            },
            "exec": found.exec.value,
            "decided_by": self.decided_by.entry(),
            "rules": [rule_entry(rule) | {"decides": rule is found.rule} for rule in found.matched],
            "value_default": found.policy.default.value,
            "values": [value.entry() for value in self.values],
            "notes": list(self.query.notes),
        }

    def lines(self) -> Iterator[str]:
        """The explanation for people."""
        found = self.resolution
        yield f"{found.object} in {found.path}"
        for note in self.query.notes:
            yield f"  note: {note}"
        yield f"{_DONE[found.exec]} by {self.decided_by}"
        if found.matched:
            yield "rules that fit, in the order of the chain:"
        for rule in found.matched:
            sets = []
            if rule.exec is not ExecDirective.INHERIT:
                sets.append(f"exec = {rule.exec}" + (", decides" if rule is found.rule else ""))
            if rule.value_default is not None:
                sets.append(f"values = {rule.value_default}")
            if rule.value_patterns:
                sets.append(f"value patterns: {len(rule.value_patterns)}")
            yield f"  {rule_place(rule)}" + (f": {'; '.join(sets)}" if sets else "")
        yield f"values that no pattern names are {_KEPT[found.policy.default]}"
        for value in self.values:
            yield from value.lines()


def explain(
    engine: TraceFilterEngine,
    scope: str,
    values: Sequence[str] = (),
    *,
    directory: str,
    module: str | None = None,
) -> Explanation:
    """Explain what the chain of ``engine`` says about ``scope``.

    ``scope`` is ``FILE:QUALNAME``, ``MODULE:QUALNAME`` or a dotted name, looked for from
    ``directory``; ``module`` is the ``__name__`` that its globals are taken to have. Each of
    ``values`` is ``KIND:NAME``, or ``ret`` for what the scope returns. Raises `CommandError`.
    """
    query = parse_scope(scope, directory, module)
    resolution = engine.resolve_query(query.path, query.qualname, query.module)
    config = engine.config
    if resolution.rule is None:
        decided_by = default_place(config, "default_exec")
    else:
        decided_by = rule_place(resolution.rule)
    is_module = query.qualname == "<module>"
    return Explanation(
        query,
        resolution,
        decided_by,
        tuple(_explain_value(config, resolution, text, is_module) for text in values),
    )


def _explain_value(
    config: TraceFilterConfig, resolution: ScopeResolution, text: str, is_module: bool
) -> ValueExplanation:
    kind_text, _, name = text.partition(":")
    try:
        kind = ValueKind(kind_text)
    except ValueError:
        raise CommandError(
            ERR_FILTER_COMMAND_LINE,
            f"{display(text)} is no value; write KIND:NAME, where KIND is right: "
            + nearest(kind_text, tuple(ValueKind)),
        ) from None
    if kind is ValueKind.RETURN:
        name = name or resolution.object
    if not name:
        raise CommandError(
            ERR_FILTER_COMMAND_LINE, f"{display(text)} names no value; write '{kind}:NAME'"
        )
    policy = resolution.policy
    if is_module and kind in (ValueKind.LOCAL, ValueKind.GLOBAL):
        kind = _stricter_kind(policy, name)
    patterns = policy.matching(kind, name)
    if patterns:
        place = _pattern_place(patterns[0])
    elif policy.default_rule is not None:
        place = rule_place(policy.default_rule)
    else:
        place = default_place(config, "default_value_action")
    return ValueExplanation(kind, name, policy.decide(kind, name), place, patterns)


def _stricter_kind(policy: ValuePolicy, name: str) -> ValueKind:
    """At module level a variable is a local and a global: the kind whose answer holds."""
    action = policy.decide_module_level(name)
    return ValueKind.LOCAL if policy.decide(ValueKind.LOCAL, name) is action else ValueKind.GLOBAL


def _pattern_place(found: CompiledValuePattern) -> Place:
    pattern = found.pattern
    return Place(found.rule.path, pattern.line, str(pattern.selector), pattern.reason)
