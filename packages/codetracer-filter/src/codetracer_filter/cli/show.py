"""A resolved chain as it stands: sources, defaults and rules in the order that they apply."""

from __future__ import annotations

from codetracer_filter._messages import excerpt
from codetracer_filter.cli.check import diagnostic_entry
from codetracer_filter.cli.places import default_place, pattern_entry, rule_entry, rule_place
from codetracer_filter.model import ExecDirective

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from codetracer_filter.model import ScopeRule, TraceFilterConfig

__all__ = ["chain_entry", "chain_lines"]

_DEFAULTS = ("default_exec", "default_value_action")


def chain_entry(config: TraceFilterConfig) -> dict[str, object]:
    """The chain for JSON."""
    return {
        "sources": [
            {
                "name": source.name,
                "version": source.version,
                "path": source.path,
                "sha256": source.sha256,
            }
            for source in config.summary().entries
        ],
        "default_exec": config.default_exec.value,
        "default_value_action": config.default_value_action.value,
        "defaults_from": {key: default_place(config, key).entry() for key in _DEFAULTS},
        "io": (
            None
            if config.io is None
            else {
                "capture": config.io.capture,
                "streams": [stream.value for stream in config.io.streams],
            }
        ),
        "rules": [
            rule_entry(rule)
            | {"value_patterns": [pattern_entry(pattern) for pattern in rule.value_patterns]}
            for rule in config.rules
        ],
        "warnings": [diagnostic_entry(warning) for warning in config.diagnostics],
    }


def chain_lines(config: TraceFilterConfig) -> Iterator[str]:
    """The chain for people."""
    for number, source in enumerate(config.summary().entries, start=1):
        yield f"{number}. {source.name} ({source.path}), sha256 {source.sha256[:12]}"
    for key in _DEFAULTS:
        yield str(default_place(config, key))
    if config.io is not None:
        streams = ", ".join(config.io.streams) if config.io.capture else "nothing"
        yield f"output captured: {streams}"
    for rule in config.rules:
        yield from _rule_lines(rule)
    for warning in config.diagnostics:
        yield f"warning: {warning}"


def _rule_lines(rule: ScopeRule) -> Iterator[str]:
    yield str(rule_place(rule))
    if rule.exec is not ExecDirective.INHERIT:
        yield f"    exec = {rule.exec}"
    if rule.value_default is not None:
        yield f"    values = {rule.value_default}"
    for pattern in rule.value_patterns:
        reason = f" ({excerpt(pattern.reason)})" if pattern.reason else ""
        yield f"    {pattern.action} {excerpt(pattern.selector.text)}{reason}"
