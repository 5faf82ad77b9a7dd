"""Where a decision stands: rules and defaults with their file, line and reason, for output."""

from __future__ import annotations

from dataclasses import dataclass

from codetracer_filter._messages import excerpt
from codetracer_filter._positions import Positions, toml_text
from codetracer_filter.model import ExecDirective

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codetracer_filter.model import FilterSource, ScopeRule, TraceFilterConfig, ValuePattern

__all__ = ["Place", "default_place", "default_line", "pattern_entry", "rule_entry", "rule_place"]


@dataclass(frozen=True, slots=True)
class Place:
    """What decided, and where it was written.

    ``source`` is the path of a file or the label of another source, ``line`` counts from 1 and is
    None for what was written in no file. ``text`` is a selector, or a default as ``key = value``.
    """

    source: str
    line: int | None
    text: str
    reason: str | None = None

    def __str__(self) -> str:
        where = self.source if self.line is None else f"{self.source}:{self.line}"
        reason = f" ({excerpt(self.reason)})" if self.reason else ""
        return f"{where}: {excerpt(self.text)}{reason}"

    def entry(self) -> dict[str, object]:
        """The place for JSON."""
        return {
            "source": self.source,
            "line": self.line,
            "text": self.text,
            "reason": self.reason,
        }


def rule_place(rule: ScopeRule) -> Place:
    """The place of a rule."""
    return Place(rule.path, rule.line, str(rule.selector), rule.reason)


def default_line(source: FilterSource, key: str) -> int:
    """The line of ``scope.KEY`` in a source that was read from text."""
    return Positions(toml_text(source.data)).find(("scope", key))[0]


def default_place(config: TraceFilterConfig, key: str) -> Place:
    """The place of the chain's default ``key``: in the last source that sets it."""
    for source in reversed(config.sources):
        value = getattr(source, key)
        if value is not None:
            return Place(source.path, default_line(source, key), f'{key} = "{value}"')
    raise LookupError(key)


def pattern_entry(pattern: ValuePattern) -> dict[str, object]:
    """A value pattern for JSON."""
    return {
        "selector": str(pattern.selector),
        "action": pattern.action.value,
        "line": pattern.line,
        "reason": pattern.reason,
    }


def rule_entry(rule: ScopeRule) -> dict[str, object]:
    """A rule for JSON, without its value patterns."""
    return {
        "source": rule.path,
        "line": rule.line,
        "index": rule.index,
        "selector": str(rule.selector),
        "exec": None if rule.exec is ExecDirective.INHERIT else rule.exec.value,
        "value_default": None if rule.value_default is None else rule.value_default.value,
        "reason": rule.reason,
    }
