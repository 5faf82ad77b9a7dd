"""Decisions about values: which names may be kept in one scope."""

from __future__ import annotations

from codetracer_filter.model import ValueAction, ValueKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from codetracer_filter.model import ScopeRule, ValuePattern

__all__ = ["CompiledValuePattern", "ValuePolicy"]

_MEMO_LIMIT = 8_192


class CompiledValuePattern:
    """A value pattern as a policy tries it, with the rule that it stands in."""

    __slots__ = ("matches", "pattern", "rule")

    def __init__(self, pattern: ValuePattern, rule: ScopeRule) -> None:
        self.pattern = pattern
        self.rule = rule
        self.matches = pattern.selector.matches


class ValuePolicy:
    """What may be kept of the values of one scope, by kind and name.

    Scopes for which the same rules matched share one policy. ``default`` is the action for names
    that no pattern fits, and ``default_rule`` the rule that set it, None for the chain's default.
    """

    __slots__ = ("_memo", "_patterns", "default", "default_rule")

    def __init__(
        self,
        patterns: Iterable[CompiledValuePattern],
        default: ValueAction,
        default_rule: ScopeRule | None = None,
    ) -> None:
        """``patterns`` in the order they are tried."""
        self.default = default
        self.default_rule = default_rule
        self._patterns: dict[str, list[CompiledValuePattern]] = {
            kind.value: [] for kind in ValueKind
        }
        for compiled in patterns:
            self._patterns[compiled.pattern.selector.kind.value].append(compiled)
        self._memo: dict[str, dict[str, ValueAction]] = {kind.value: {} for kind in ValueKind}

    def decide(self, kind: ValueKind, name: str) -> ValueAction:
        """The action for the value called ``name``.

        For `ValueKind.RETURN` the name is the object that returns, such as ``pkg.mod.func``;
        for `ValueKind.ATTR` it is an attribute or the text key of a mapping.
        """
        memo = self._memo[kind]
        action = memo.get(name)
        if action is None:
            action = self.default
            for compiled in self._patterns[kind]:
                if compiled.matches(name):
                    action = compiled.pattern.action
                    break
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

    def allows_all(self, kind: ValueKind) -> bool:
        """Whether every value of a kind is kept, whatever it is called."""
        return self.default is ValueAction.ALLOW and all(
            compiled.pattern.action is ValueAction.ALLOW for compiled in self._patterns[kind]
        )

    def matching(self, kind: ValueKind, name: str) -> tuple[CompiledValuePattern, ...]:
        """All patterns that fit ``name``, the deciding one first; none when the default decides."""
        return tuple(compiled for compiled in self._patterns[kind] if compiled.matches(name))
