"""Laws of chains: what may never depend on how rules are spread over sources, or get lost."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from codetracer_filter import (
    TraceFilterConfig,
    TraceFilterEngine,
    ValueAction,
    ValueKind,
    ValuePolicy,
)

SCOPES = [
    ("/p/a.py", "f", "a"),
    ("/p/a.py", "C.m", "a"),
    ("/p/b/c.py", "f", "b.c"),
    ("/q/a.py", "<module>", "__main__"),
    ("<x>", "f", None),
]
NAMES = ["x", "password", "db_token", "a.f", "b.c.f"]
SELECTORS = [
    "pkg:a", "pkg:*", "pkg:regex:^b", "obj:a.f", "obj:*.m", "obj:word:f", "file:literal:/p/a.py",
    "file:regex:p", "file:/p/**", "pkg:literal:__main__",
]  # fmt: skip
VALUE_SELECTORS = [
    f"{kind}:{pattern}"
    for kind in ("local", "global", "arg", "ret", "attr")
    for pattern in ("x", "*", "literal:password", "word:{password,token}", "regex:^db_")
]
DIRECTIVES = ["trace", "skip", "inherit"]
DEFAULTS = ["allow", "redact", "drop", "inherit"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule before it is written down."""

    selector: str
    exec: str
    value_default: str
    patterns: tuple[tuple[str, str], ...]

    def text(self) -> str:
        """The rule as TOML."""
        lines = [
            "[[scope.rules]]",
            f"selector = '{self.selector}'",
            f'exec = "{self.exec}"',
            f'value_default = "{self.value_default}"',
        ]
        for selector, action in self.patterns:
            lines += ["[[scope.rules.value_patterns]]", f"selector = '{selector}'"]
            lines.append(f'action = "{action}"')
        return "\n".join([*lines, ""])


@dataclass(frozen=True, slots=True)
class Source:
    """A filter before it is written down."""

    default_exec: str
    default_value_action: str
    rules: tuple[Rule, ...]

    def text(self) -> str:
        """The filter as TOML."""
        return (
            '[meta]\nname = "law"\nversion = 1\n[scope]\n'
            f'default_exec = "{self.default_exec}"\n'
            f'default_value_action = "{self.default_value_action}"\n'
        ) + "".join(rule.text() for rule in self.rules)


def rules(actions: list[str], defaults: list[str] = DEFAULTS) -> st.SearchStrategy[Rule]:
    """Rules whose patterns have one of ``actions`` and whose default is one of ``defaults``."""
    patterns = st.tuples(st.sampled_from(VALUE_SELECTORS), st.sampled_from(actions))
    return st.builds(
        Rule,
        st.sampled_from(SELECTORS),
        st.sampled_from(DIRECTIVES),
        st.sampled_from(defaults),
        st.lists(patterns, max_size=3).map(tuple),
    )


ACTIONS = ["allow", "redact", "drop"]
FIRST = st.builds(
    Source,
    st.sampled_from(["trace", "skip"]),
    st.sampled_from(ACTIONS),
    st.lists(rules(ACTIONS), max_size=4).map(tuple),
)
LATER = st.builds(
    Source,
    st.sampled_from(DIRECTIVES),
    st.sampled_from(DEFAULTS),
    st.lists(rules(ACTIONS), max_size=4).map(tuple),
)


def engine(*sources: Source) -> TraceFilterEngine:
    """An engine over sources, which all have the same root: none."""
    inline = [(str(number), source.text()) for number, source in enumerate(sources)]
    return TraceFilterEngine(TraceFilterConfig.from_paths([], inline=inline))


def policies(asked: TraceFilterEngine) -> list[ValuePolicy]:
    """The policy of each scope."""
    return [asked.resolve_query(*scope).policy for scope in SCOPES]


def outcome(asked: TraceFilterEngine) -> list[object]:
    """Everything that an engine decides about the scopes and names."""
    decided: list[object] = [asked.resolve_query(*scope).exec for scope in SCOPES]
    decided += [asked.resolve_file(path) for path, _, _ in SCOPES]
    for policy in policies(asked):
        decided += [policy.decide(kind, name) for kind in ValueKind for name in NAMES]
        decided += [policy.decide_module_level(name) for name in NAMES]
    return decided


@given(FIRST, st.integers(0, 4), st.integers(0, 4))
def test_how_a_chain_is_split_does_not_matter(whole: Source, first: int, second: int) -> None:
    """Rules decide the same in one source, and in three of which the later ones inherit."""
    low, high = sorted((first, second))
    parts = [whole.rules[:low], whole.rules[low:high], whole.rules[high:]]
    split = [
        Source(whole.default_exec, whole.default_value_action, parts[0]),
        *(Source("inherit", "inherit", part) for part in parts[1:]),
    ]
    assert outcome(engine(whole)) == outcome(engine(*split))


@given(FIRST, st.lists(LATER, max_size=2))
def test_only_the_last_default_of_a_chain_counts(first: Source, later: list[Source]) -> None:
    """A chain decides as one source with all rules and the last defaults that were set."""
    chain = [first, *later]
    merged = Source(
        next(s.default_exec for s in reversed(chain) if s.default_exec != "inherit"),
        next(
            s.default_value_action for s in reversed(chain) if s.default_value_action != "inherit"
        ),
        tuple(rule for source in chain for rule in source.rules),
    )
    assert outcome(engine(*chain)) == outcome(engine(merged))


IDLE = st.builds(
    Rule,
    st.sampled_from(["pkg:nothing.*", "obj:literal:nothing", "file:/nowhere/**", "file:regex:^$"]),
    st.sampled_from(["trace", "skip"]),
    st.sampled_from(DEFAULTS),
    st.just((("local:*", "drop"), ("ret:*", "allow"), ("attr:*", "redact"))),
)


@given(FIRST, IDLE, st.integers(0, 4))
def test_a_rule_that_matches_nothing_changes_nothing(source: Source, idle: Rule, at: int) -> None:
    """A rule for something that is not there can stand anywhere."""
    longer = Source(
        source.default_exec,
        source.default_value_action,
        (*source.rules[:at], idle, *source.rules[at:]),
    )
    before, after = engine(source), engine(longer)
    # A rule about modules or objects may still speak for code that a file will have.
    assert [before.resolve_query(*scope).exec for scope in SCOPES] == [
        after.resolve_query(*scope).exec for scope in SCOPES
    ]
    for one, other in zip(policies(before), policies(after), strict=True):
        assert all(
            one.decide(kind, name) is other.decide(kind, name)
            for kind in ValueKind
            for name in NAMES
        )


STRICT_RULES = rules(["redact", "drop"], ["redact", "drop", "inherit"])
WITHOUT_ALLOW = st.builds(
    Source,
    st.sampled_from(DIRECTIVES),
    st.sampled_from(["redact", "drop", "inherit"]),
    st.lists(STRICT_RULES, max_size=4).map(tuple),
)


@given(FIRST, st.lists(WITHOUT_ALLOW, min_size=1, max_size=3))
def test_what_is_hidden_stays_hidden_without_an_allow(first: Source, later: list[Source]) -> None:
    """No later source that never says allow shows a value that an earlier one hid."""
    for one, other in zip(policies(engine(first)), policies(engine(first, *later)), strict=True):
        for kind in ValueKind:
            for name in NAMES:
                if one.decide(kind, name) is not ValueAction.ALLOW:
                    assert other.decide(kind, name) is not ValueAction.ALLOW


@given(st.lists(LATER, max_size=3))
def test_a_built_in_redaction_ends_only_at_a_pattern_that_allows(later: list[Source]) -> None:
    """Neither rules without patterns nor defaults lift what a pattern hid: only an allow does."""
    without = [
        Source(
            source.default_exec,
            source.default_value_action,
            tuple(
                Rule(
                    rule.selector,
                    rule.exec,
                    rule.value_default,
                    tuple(pattern for pattern in rule.patterns if pattern[1] != "allow"),
                )
                for rule in source.rules
            ),
        )
        for source in later
    ]
    builtin = TraceFilterConfig.builtin().sources[0].data.decode()
    inline = [("builtin", builtin), *((str(n), source.text()) for n, source in enumerate(without))]
    asked = TraceFilterEngine(TraceFilterConfig.from_paths([], inline=inline))
    for policy in policies(asked):
        for kind in ValueKind:
            assert policy.decide(kind, "db_password") is not ValueAction.ALLOW
