"""The public names as a type checker sees them: this file is run, and checked by mypy --strict."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import CodeType
from typing import assert_type

import codetracer_filter
from codetracer_filter import (
    ErrorKind,
    ExecDecision,
    ExecDirective,
    FilterDiagnostic,
    FilterError,
    FilterMeta,
    FilterProblem,
    FilterSource,
    FilterSummary,
    FilterSummaryEntry,
    InlineFilter,
    IoConfig,
    IoStream,
    MatchType,
    ScopeContext,
    ScopeResolution,
    ScopeRule,
    Selector,
    SelectorKind,
    TraceFilterConfig,
    TraceFilterEngine,
    ValueAction,
    ValueKind,
    ValuePattern,
    ValuePolicy,
    discover_project_filter,
    load_chain,
    redact,
    split_chain,
)

TEXT = """
[meta]
name = "typed"
version = 1
[io]
capture = false
[scope]
default_exec = "trace"
default_value_action = "allow"
[[scope.rules]]
selector = "pkg:*"
value_patterns = [{selector = "local:x", action = "redact"}]
"""


def code() -> CodeType:
    """A code object."""
    return code.__code__


def test_loading() -> None:
    """A chain is loaded from any mix of paths and texts, and its data is typed throughout."""
    config = TraceFilterConfig.from_paths([], inline=[("a", TEXT), InlineFilter("b", TEXT)])
    assert_type(config, TraceFilterConfig)
    assert_type(TraceFilterConfig.builtin(), TraceFilterConfig)
    paths: list[str | Path] = []
    chain = load_chain(paths, program_dir=None, framework="pytest", only=["pkg:a"], skip=())
    assert_type(chain, TraceFilterConfig)
    assert_type(discover_project_filter("/"), str | None)
    assert_type(split_chain("a::b"), list[str])
    assert_type(config.sources, tuple[FilterSource, ...])
    assert_type(config.default_exec, ExecDecision)
    assert_type(config.default_value_action, ValueAction)
    assert_type(config.io, IoConfig | None)
    assert_type(config.diagnostics, tuple[FilterDiagnostic, ...])
    source, rule = config.sources[0], config.rules[0]
    assert_type(source.meta, FilterMeta)
    assert_type(source.default_exec, ExecDecision | None)
    assert_type(source.sha256, str)
    assert_type(rule, ScopeRule)
    assert_type(rule.exec, ExecDirective)
    assert_type(rule.line, int | None)
    assert_type(rule.value_patterns, tuple[ValuePattern, ...])
    assert_type(rule.selector, Selector)
    assert_type(rule.selector.kind, SelectorKind)
    assert_type(rule.selector.match_type, MatchType)
    assert config.io is not None
    assert_type(config.io.streams, tuple[IoStream, ...])
    assert_type(config.summary(), FilterSummary)
    assert_type(config.summary().entries, tuple[FilterSummaryEntry, ...])


def test_deciding() -> None:
    """Decisions are enums that are texts, and what decided can be followed to its rule."""
    engine = TraceFilterEngine(TraceFilterConfig.builtin(), directory=Path("/"))
    resolution = engine.resolve(code(), __name__)
    assert_type(resolution, ScopeResolution)
    assert_type(engine.resolve_query("/p/a.py", "f", None), ScopeResolution)
    assert_type(engine.resolve_file("/p/a.py"), ExecDecision | None)
    assert_type(resolution.exec, ExecDecision)
    assert_type(resolution.rule, ScopeRule | None)
    assert_type(resolution.matched, tuple[ScopeRule, ...])
    assert_type(resolution.context, ScopeContext)
    assert_type(resolution.module, str | None)
    assert_type(resolution.object, str)
    assert_type(resolution.path, str)
    assert_type(resolution.relative_path, str | None)
    policy = resolution.policy
    assert_type(policy, ValuePolicy)
    assert_type(policy.decide(ValueKind.LOCAL, "x"), ValueAction)
    assert_type(policy.decide_module_level("x"), ValueAction)
    text: str = resolution.exec
    assert text == "trace"
    values: Mapping[str, object] = {"x": 1}
    assert_type(redact(values, policy), dict[str, object])


def test_failing() -> None:
    """An error carries its parts with their types."""
    try:
        TraceFilterConfig.from_paths(["/nowhere/f.toml"])
    except FilterError as error:
        assert_type(error.code, str)
        assert_type(error.kind, ErrorKind)
        assert_type(error.message, str)
        assert_type(error.context, dict[str, str])
        assert_type(error.problems, tuple[FilterProblem, ...])
        assert_type(error.diagnostics, tuple[FilterDiagnostic, ...])
        assert_type(error.problems[0].line, int | None)
    else:
        raise AssertionError


def test_every_public_name_is_typed_here() -> None:
    """Nothing that the package exports is missing from this file."""
    assert set(codetracer_filter.__all__) <= set(globals())
