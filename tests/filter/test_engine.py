"""Tests of decisions: which rule wins, which values are kept, and what is remembered."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from types import CodeType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetracer_filter import (
    ExecDecision,
    TraceFilterConfig,
    TraceFilterEngine,
    ValueAction,
    ValueKind,
)

from .conftest import HEADER, WriteFilter

Engine = Callable[..., TraceFilterEngine]

ALLOW, REDACT, DROP = ValueAction.ALLOW, ValueAction.REDACT, ValueAction.DROP
TRACE, SKIP = ExecDecision.TRACE, ExecDecision.SKIP


def rule(selector: str, exec: str = "inherit", default: str = "inherit", **patterns: str) -> str:  # noqa: A002
    """A rule; each keyword is a local's name and its action."""
    text = (
        f'[[scope.rules]]\nselector = "{selector}"\nexec = "{exec}"\nvalue_default = "{default}"\n'
    )
    for name, action in patterns.items():
        text += f'[[scope.rules.value_patterns]]\nselector = "local:{name}"\naction = "{action}"\n'
    return text


def compiled(source: str = "def f(): pass", filename: str = "/p/a.py") -> CodeType:
    """The code object of a module."""
    return compile(source, filename, "exec")


def test_later_rules_win(engine: Engine) -> None:
    """There is no precedence of kinds: the last matching rule that says something decides."""
    general_last = engine(rule("obj:m.f", "skip") + rule("pkg:m", "trace"))
    special_last = engine(rule("pkg:m", "trace") + rule("obj:m.f", "skip"))
    assert general_last.resolve_query("/p/a.py", "f", "m").exec is TRACE
    assert special_last.resolve_query("/p/a.py", "f", "m").exec is SKIP
    assert special_last.resolve_query("/p/a.py", "g", "m").exec is TRACE


def test_deciding_rule_is_named(engine: Engine) -> None:
    """The answer names the rule that decided, with its line, and None for the default."""
    resolution = engine(rule("pkg:m", "skip") + rule("pkg:m")).resolve_query("/a.py", "f", "m")
    assert resolution.rule is not None
    assert (resolution.rule.path, resolution.rule.line) == ("<inline:f0>", 7)
    assert [str(matched.selector) for matched in resolution.matched] == ["pkg:m", "pkg:m"]
    assert engine(rule("pkg:m", "skip")).resolve_query("/a.py", "f", "n").rule is None


def test_default_decides_when_no_rule_does(engine: Engine) -> None:
    """Without a matching rule the chain's defaults hold."""
    header = HEADER.replace('"trace"', '"skip"').replace('"allow"', '"drop"')
    resolution = engine("", header=header).resolve_query("/a.py", "f", "m")
    assert (resolution.exec, resolution.policy.default) == (SKIP, DROP)


def test_names_that_selectors_see(engine: Engine) -> None:
    """The module comes from the globals' name; the object is module and qualified name."""
    resolution = engine("").resolve_query("/p/a.py", "C.f.<locals>.g", "pkg.mod")
    assert resolution.module == "pkg.mod"
    assert resolution.object == "pkg.mod.C.f.<locals>.g"
    assert resolution.path == "/p/a.py"
    body = engine(rule("obj:*<module>", "skip")).resolve_query("/p/a.py", "<module>", "__main__")
    assert (body.object, body.exec) == ("__main__.<module>", SKIP)


def test_module_name_without_usable_hint(write_filter: WriteFilter, tmp_path: Path) -> None:
    """Without a dotted hint the module is read off the path below the root, then off packages."""
    engine = TraceFilterEngine(TraceFilterConfig.from_paths([write_filter(path="root/f.toml")]))

    def module(path: str, hint: str | None = None) -> str | None:
        return engine.resolve_query(str(tmp_path / path), "f", hint).module

    assert module("root/pkg/mod.py") == "pkg.mod"
    assert module("root/pkg/__init__.py", " ") == "pkg"
    assert module("root/pkg/mod.py", "weird name") == "pkg.mod"
    assert module("root/pkg/mod.py", " real.name ") == "real.name"
    (tmp_path / "other/pack").mkdir(parents=True)
    (tmp_path / "other/pack/__init__.py").write_text("")
    assert module("other/pack/mod.py") == "pack.mod"
    assert module("other/pack/__init__.py") == "pack"
    assert module("other/no-name.py") is None


def test_scope_without_module_never_fits_a_package(engine: Engine) -> None:
    """Code of unknown module escapes every pkg rule; its object is the bare qualified name."""
    resolution = engine(rule("pkg:*", "skip")).resolve_query("<string>", "f", None)
    assert (resolution.exec, resolution.module, resolution.object) == (TRACE, None, "f")


def test_value_patterns_accumulate(engine: Engine) -> None:
    """A later rule adds its patterns in front of the earlier ones and removes none."""
    policy = (
        engine(
            rule("pkg:*", a="redact", b="redact"), rule("pkg:m", "trace") + rule("pkg:m", b="allow")
        )
        .resolve_query("/a.py", "f", "m")
        .policy
    )
    assert policy.decide(ValueKind.LOCAL, "a") is REDACT
    assert policy.decide(ValueKind.LOCAL, "b") is ALLOW


def test_first_fitting_pattern_of_a_rule_decides(engine: Engine) -> None:
    """Within one rule the patterns are tried from top to bottom."""
    text = rule("pkg:*", **{"abc": "allow", "a*": "drop", "*": "redact"})
    policy = engine(text).resolve_query("/a.py", "f", "m").policy
    decided = [policy.decide(ValueKind.LOCAL, name) for name in ("abc", "abd", "x")]
    assert decided == [ALLOW, DROP, REDACT]


def test_last_value_default_wins(engine: Engine) -> None:
    """The default for other names is the last one that a matching rule set."""
    text = rule("pkg:*", default="drop") + rule("pkg:m", default="redact") + rule("pkg:n")
    assert engine(text).resolve_query("/a", "f", "m").policy.default is REDACT
    assert engine(text).resolve_query("/a", "f", "n").policy.default is DROP


def test_patterns_are_asked_by_kind(engine: Engine) -> None:
    """A pattern speaks for its own kind of value only; 'ret' sees the dotted object."""
    text = rule("pkg:*")
    for kind in ("global", "arg", "attr"):
        text += f'[[scope.rules.value_patterns]]\nselector = "{kind}:x"\naction = "redact"\n'
    text += '[[scope.rules.value_patterns]]\nselector = "ret:m.f"\naction = "drop"\n'
    policy = engine(text).resolve_query("/a", "f", "m").policy
    assert {kind.value: policy.decide(kind, "x") for kind in ValueKind} == {
        "local": ALLOW, "global": REDACT, "arg": REDACT, "ret": ALLOW, "attr": REDACT,
    }  # fmt: skip
    assert policy.decide(ValueKind.RETURN, "m.f") is DROP


@pytest.mark.parametrize("kind", ["local", "global"])
def test_module_level_is_reached_by_either_kind(engine: Engine, kind: str) -> None:
    """At module level both kinds of selector reach a variable, and the stricter answer holds."""
    text = rule("pkg:*") + (
        f'[[scope.rules.value_patterns]]\nselector = "{kind}:x"\naction = "redact"\n'
        '[[scope.rules.value_patterns]]\nselector = "local:y"\naction = "redact"\n'
        '[[scope.rules.value_patterns]]\nselector = "global:y"\naction = "drop"\n'
    )
    policy = engine(text).resolve_query("/a", "<module>", "m").policy
    decided = [policy.decide_module_level(name) for name in ("x", "y", "z")]
    assert decided == [REDACT, DROP, ALLOW]


def test_endless_names_do_not_fill_the_memory(engine: Engine) -> None:
    """A policy asked for ever new names keeps answering rightly and stays bounded."""
    policy = engine(rule("pkg:*", **{"*7": "redact"})).resolve_query("/a", "f", "m").policy
    for number in range(20_000):
        expected = REDACT if number % 10 == 7 else ALLOW
        assert policy.decide(ValueKind.LOCAL, str(number)) is expected
    assert sum(len(memo) for memo in policy._memo.values()) <= 8_192


def test_scopes_with_the_same_rules_share_a_policy(engine: Engine) -> None:
    """Two functions for which the same rules matched have one policy between them."""
    shared = engine(rule("pkg:m", a="redact") + rule("obj:m.g", "skip"))
    f, g = (shared.resolve_query("/a.py", name, "m").policy for name in "fg")
    assert f is g


def test_answers_are_remembered_by_identity(engine: Engine) -> None:
    """Equal code of two files is two scopes, and asking again gives the same answer object."""
    text_engine = engine(rule("file:literal:/p/a.py", "skip"))
    first, second = compiled(filename="/p/a.py"), compiled(filename="/p/b.py")
    assert first == second
    assert text_engine.resolve(first, "m").exec is SKIP
    assert text_engine.resolve(second, "m").exec is TRACE
    assert text_engine.resolve(first, "m") is text_engine.resolve(first, "m")
    assert text_engine.resolve(first, "n").module == "n"


def test_engine_keeps_no_code_alive(engine: Engine) -> None:
    """A code object that was resolved is freed with its last other reference, answer and all."""
    asked = engine(rule("obj:m.*", "skip"))
    code = compiled()
    alive = weakref.ref(code)
    asked.resolve(code, "m")
    del code
    assert alive() is None
    assert not asked._cache


def test_freed_engine_leaves_nothing_behind(engine: Engine) -> None:
    """An engine goes at once with its last reference, and freeing its code later is harmless."""
    asked = engine("")
    code = compiled()
    asked.resolve(code, "m")
    gone = weakref.ref(asked)
    gc.disable()
    try:
        del asked
        assert gone() is None
    finally:
        gc.enable()
    assert weakref.getweakrefcount(code) == 0


def test_reused_addresses_get_their_own_answer(engine: Engine) -> None:
    """Code objects made and freed one after the other are never mistaken for each other."""
    asked = engine(rule("obj:m.odd*", "skip"))
    for number in range(200):
        name = "odd" if number % 2 else "even"
        function = next(
            const
            for const in compiled(f"def {name}{number}(): pass").co_consts
            if isinstance(const, CodeType)
        )
        assert asked.resolve(function, "m").exec is (SKIP if number % 2 else TRACE)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("", TRACE),
        (rule("file:literal:/p/a.py", "skip"), SKIP),
        (rule("file:literal:/p/b.py", "skip"), TRACE),
        (rule("pkg:x", "skip"), None),
        (rule("pkg:x", "trace"), TRACE),
        (rule("pkg:x", default="redact"), TRACE),
        (rule("pkg:x", "skip") + rule("file:literal:/p/a.py", "trace"), TRACE),
        (rule("file:literal:/p/a.py", "skip") + rule("obj:x", "trace"), None),
        (rule("file:literal:/p/a.py", "skip") + rule("obj:x", "skip"), SKIP),
    ],
)
def test_decision_for_a_whole_file(
    engine: Engine, rules: str, expected: ExecDecision | None
) -> None:
    """A file has one decision when no rule about modules or objects could change it."""
    assert engine(rules).resolve_file("/p/a.py") is expected


RULES = st.lists(
    st.builds(
        rule,
        st.sampled_from(["pkg:a", "pkg:*", "obj:a.f", "file:literal:/p/a.py", "file:regex:p"]),
        st.sampled_from(["trace", "skip", "inherit"]),
        st.sampled_from(["allow", "redact", "inherit"]),
        x=st.sampled_from(["allow", "redact", "drop"]),
    ),
    max_size=6,
)
SCOPES = [("/p/a.py", "f", "a"), ("/p/a.py", "g", "b"), ("/q/b.py", "f", "a"), ("<x>", "f", None)]


@given(RULES)
def test_file_decision_agrees_with_every_scope(rules: list[str]) -> None:
    """When a file has one decision, each scope of that file gets it."""
    asked = TraceFilterEngine(
        TraceFilterConfig.from_paths([], inline=[("w", HEADER + "".join(rules))])
    )
    for filename, qualname, module in SCOPES:
        decision = asked.resolve_file(filename)
        assert decision in (None, asked.resolve_query(filename, qualname, module).exec)


def test_value_default_names_the_rule_that_set_it(engine: Engine) -> None:
    """A policy knows which rule its default comes from; None stands for the chain's default."""
    asked = engine(rule("pkg:m", default="redact") + rule("obj:m.g", default="drop"))
    found = [asked.resolve_query("/a.py", name, "m").policy.default_rule for name in "fg"]
    assert [str(setter.selector) for setter in found if setter is not None] == ["pkg:m", "obj:m.g"]
    assert asked.resolve_query("/a.py", "f", "n").policy.default_rule is None


def test_patterns_that_fit_a_value_are_listed(engine: Engine) -> None:
    """All patterns for a name come with their rules, the deciding one first."""
    asked = engine(rule("pkg:m", x="redact"), rule("obj:m.f", **{"*": "allow", "x": "drop"}))
    policy = asked.resolve_query("/a.py", "f", "m").policy
    fitting = policy.matching(ValueKind.LOCAL, "x")
    assert [(found.rule.path, found.pattern.action, found.pattern.line) for found in fitting] == [
        ("<inline:f1>", ALLOW, 11),
        ("<inline:f1>", DROP, 14),
        ("<inline:f0>", REDACT, 11),
    ]
    assert policy.decide(ValueKind.LOCAL, "x") is ALLOW
    assert policy.matching(ValueKind.ARG, "x") == ()


def test_relative_path_starts_at_the_innermost_root(
    write_filter: WriteFilter, tmp_path: Path
) -> None:
    """A resolution has the absolute path, and the one from the innermost root that holds it."""
    files = [write_filter(path="f.toml"), write_filter(path="sub/g.toml")]
    asked = TraceFilterEngine(TraceFilterConfig.from_paths(files))
    inside = asked.resolve_query(str(tmp_path / "sub/pkg/a.py"), "f")
    assert (inside.path, inside.relative_path) == (f"{tmp_path}/sub/pkg/a.py", "pkg/a.py")
    assert asked.resolve_query(str(tmp_path / "b.py"), "f").relative_path == "b.py"
    assert asked.resolve_query("/elsewhere/b.py", "f").relative_path is None


def test_object_rules_keep_their_place_among_the_others(engine: Engine) -> None:
    """Rules of all kinds count in the order of the chain, however the engine looks them up."""
    text = (
        rule("obj:m.f", "skip", x="redact")
        + rule("file:literal:/a.py", "trace", x="drop")
        + rule("pkg:m", default="redact", x="allow")
        + rule("obj:m.*", y="drop")
    )
    resolution = engine(text).resolve_query("/a.py", "f", "m")
    assert [matched.index for matched in resolution.matched] == [0, 1, 2, 3]
    assert (resolution.exec, resolution.policy.default) == (TRACE, REDACT)
    assert resolution.policy.decide(ValueKind.LOCAL, "x") is ALLOW
    assert resolution.policy.decide(ValueKind.LOCAL, "y") is DROP
