"""Tests of regular expressions: the shared subset, and the refusal of those that explode."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetracer_filter.selector import SCOPE_KINDS, Selector, SelectorError, parse_selector


def regex(pattern: str) -> Selector:
    """A selector over object names."""
    return parse_selector(f"obj:regex:{pattern}", SCOPE_KINDS)


@pytest.mark.parametrize(
    ("pattern", "fits", "fails"),
    [
        ("mod", ["pkg.mod", "models"], ["Mod"]),
        ("^.$", ["é"], ["", "ab"]),
        ("(?i)mod", ["MOD"], ["mud"]),
        ("(?i:m)od", ["Mod"], ["mOd"]),
        (r"end$", ["the end"], ["end\n", "ends"]),
        (r"end\z", ["the end"], ["end\n"]),
        (r"(?m)^b$", ["a\nb"], ["a\nbc"]),
        (r"(?<name>a)b", ["ab"], ["b"]),
        (r"(?P<name>a)b", ["ab"], ["b"]),
        (r"^[]a]+$", ["a]a"], ["b"]),
        (r"^[^]a]$", ["b"], ["a", "]"]),
        (r"\x{e9}\u{41}", ["éA"], ["e"]),
        (r"^\d+\w\s\.$", ["12x ."], ["x"]),
        (r"(?x) a b  # spaces ( and comments do not count", ["ab"], ["a b"]),
        (r"[$]", ["a$"], ["a"]),
        (r"^[a||b]$", ["|", "b"], ["c"]),
    ],
)
def test_regex_searches(pattern: str, fits: list[str], fails: list[str]) -> None:
    """A regex is searched anywhere in the name, case by case as RE2 would."""
    compiled = regex(pattern)
    assert [name for name in fits + fails if compiled.matches(name)] == fits


@pytest.mark.parametrize(
    "pattern",
    [
        "(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b", r"(a)\1", "(?P<n>a)(?P=n)", "(?>a)", "a*+", "a++",
        "(a)(?(1)b|c)", r"\p{L}", r"\PL", r"[\p{L}]", "[[:alpha:]]", "[a-z&&[^b]]", "[a--b]",
        "a(?i)b", "(?-i)a", "(?U)a", "(?#note)a", r"a\Z", r"\ya", "(", ")", "[a", "*", "a{2,1}",
        "a\\", r"\x{110000}", "(?P<1>a)", "(" * 2_000,
    ],
)  # fmt: skip
def test_regex_outside_the_shared_subset_is_refused(pattern: str) -> None:
    """What RE2 or Python does not know is an error that says so and names a way out."""
    with pytest.raises(SelectorError) as caught:
        regex(pattern)
    assert caught.value.code == "ERR_FILTER_PATTERN"
    assert caught.value.remedy


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$", "(a*)*b", r"^(\w+_?)+$", r"(\w+\s?)*:", "(.*)*x", "(.*a){20}", "(a|ab|b)*c",
        "(a?b?)*c", "((a*)*)*", "(a*b*)*c", r"(\w{1,20}){1,20}$", "(?:ax|[a-c]x)+$", "(x+x+)+y",
        "(a{1000}){1000}", "(?i)(ax|Ax)*b", "(a|bc|b|c)+$",
        "((.|.))*x", "((a*)?b)*c",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
    ],
)  # fmt: skip
def test_explosive_regex_is_refused(pattern: str) -> None:
    """A regex in whose loop one text fits in two ways is refused with the reason."""
    with pytest.raises(SelectorError, match=r"exponential|too large"):
        regex(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"^pkg(\.\w+)*$", r"^([a-z]+_)*[a-z]+$", "(a|b)+c", r"^(?:[^/]+/)*test_[^/]*$",
        "(ab{2,4}c)*",
        r"(?:\d{1,3}\.){3}\d{1,3}", "(a+b)+", ".*a.*b.*", "(?:foo|bar|baz)+", "((ab)*c)*d",
        "(?i)(a|A)*b", "(?:a|[a-c])+$",
        r"(?:[0-9a-f]{8}-)*x", r"^(?:api|web)(?:\.v\d+)+$",
    ],
)  # fmt: skip
def test_loops_that_cannot_explode_are_accepted(pattern: str) -> None:
    """Nested repeats whose parts are told apart by a delimiter load, and answer at once."""
    compiled = regex(pattern)
    started = time.perf_counter()
    for crafted in ("a" * 200 + "!", "ab" * 100 + "!", "a_" * 100 + "!", "1." * 100 + "!"):
        compiled.matches(crafted)
    assert time.perf_counter() - started < 1


ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w", "ab"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("({}){}".format, inner, st.sampled_from(["*", "+", "?", "{1,3}", "*?"])),
        st.builds("({}|{})".format, inner, inner),
        st.builds("{}{}".format, inner, inner),
    ),
    max_leaves=6,
)


@given(PATTERNS, st.sampled_from(["a", "ab", "ba", "aab"]))
def test_accepted_regex_answers_quickly(pattern: str, unit: str) -> None:
    """Whatever nesting is accepted, a text of many repetitions that almost fits takes no time."""
    try:
        compiled = regex(f"^{pattern}!")
    except SelectorError:
        return
    started = time.perf_counter()
    compiled.matches(unit * 12 + "?")
    assert time.perf_counter() - started < 0.5


def test_long_candidates_are_cut() -> None:
    """A regex looks at the first 1,024 characters of a name only."""
    assert regex("b").matches("a" * 1_023 + "b")
    assert not regex("b").matches("a" * 1_024 + "b")
