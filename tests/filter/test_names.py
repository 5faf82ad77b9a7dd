"""Tests of globs, words and literals over names, through selectors."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetracer_filter.selector import (
    SCOPE_KINDS,
    VALUE_KINDS,
    MatchType,
    Selector,
    SelectorError,
    parse_selector,
)

NAMES = st.text(st.sampled_from("abAB01_.-é"), max_size=12)


def selector(text: str) -> Selector:
    """Parse a selector of any kind."""
    return parse_selector(text, SCOPE_KINDS + VALUE_KINDS)


@pytest.mark.parametrize(
    ("pattern", "fits", "fails"),
    [
        ("pkg.*", ["pkg.sub", "pkg.sub.deep", "pkg."], ["pkg", "xpkg.sub"]),
        ("*", ["", "a", "a.b.c"], []),
        ("a?c", ["abc", "aéc", "a.c"], ["ac", "abbc"]),
        ("x**y", ["xy", "x.y", "xaby"], ["xya"]),
        ("[ab]x", ["ax", "bx"], ["cx", "x"]),
        ("[!ab]x", ["cx", "éx"], ["ax"]),
        ("[^a-c]x", ["dx"], ["bx"]),
        ("[]a]", ["]", "a"], ["b"]),
        ("{a,b{1,2}}_x", ["a_x", "b1_x", "b2_x"], ["b_x", "ab1_x"]),
        ("a{b,}", ["ab"], ["a"]),
        (r"a\*b", ["a*b"], ["axb"]),
        (r"\{a\}", ["{a}"], ["a"]),
        ("[{]a", ["{a"], ["a"]),
        ("*<module>", ["m.<module>"], ["m.f"]),
        ("a*b*c", ["abc", "a.b.c", "abbcc"], ["acb", "ab"]),
        ("*aab", ["aaab", "aab"], ["aaba"]),
    ],
)
def test_glob(pattern: str, fits: list[str], fails: list[str]) -> None:
    """A glob over names is anchored, crosses dots with '*' and knows classes, braces, escapes."""
    glob = selector(f"obj:glob:{pattern}")
    assert [name for name in fits + fails if glob.matches(name)] == fits


@given(NAMES)
def test_glob_without_special_characters_is_equality(name: str) -> None:
    """A glob that holds only plain characters fits exactly itself."""
    if name:
        assert selector(f"obj:glob:{name}").matches(name)
        assert not selector(f"obj:glob:{name}").matches(name + "a")


@given(st.lists(st.text("ab", max_size=3), min_size=1, max_size=5), st.text("ab", max_size=12))
def test_stars_mean_any_run(parts: list[str], name: str) -> None:
    """Stars between plain parts fit exactly what the plain backtracking regex fits."""
    pattern = "*".join(parts)
    if pattern:
        expected = re.fullmatch(".*".join(map(re.escape, parts)), name) is not None
        assert selector(f"local:{pattern}").matches(name) == expected


@given(st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=5), NAMES)
def test_braces_mean_any_alternative(choices: list[str], name: str) -> None:
    """A brace group fits what one of its alternatives fits."""
    group = selector(f"local:{{{','.join(choices)}}}")
    assert group.matches(name) == (name in choices)
    assert all(group.matches(choice) for choice in choices)


def test_many_stars_take_no_time() -> None:
    """A glob of many stars answers at once for a long name that almost fits."""
    assert not selector("obj:" + "*a" * 30 + "b").matches("a" * 5_000)


@pytest.mark.parametrize("pattern", ["[ab", "{a,b", "a}", "a\\", "[z-a]", "{a,b}" * 12])
def test_malformed_glob_is_refused(pattern: str) -> None:
    """An unclosed or reversed part of a glob, or too many alternatives, is an error."""
    with pytest.raises(SelectorError) as caught:
        selector(f"obj:{pattern}")
    assert caught.value.code == "ERR_FILTER_PATTERN"
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("pattern", "fits", "fails"),
    [
        (
            "{password,passwd,pwd,api_key}",
            ["db_password", "userPwd", "APIKey2", "password1", "PASSWD", "x-api-key", "my.pwd"],
            [
                "compass",
                "company",
                "author",
                "expand",
                "span",
                "passed",
                "api",
                "key_api",
                "apikey",
            ],
        ),
        ("APIKey", ["api_key", "apiKey", "API_KEY"], ["apikey"]),
        ("token", ["accessToken", "TOKEN", "token2x", "HTTPToken"], ["tokens", "tokenizer"]),
        ("o_auth", ["OAuth", "oAuth2"], ["oauth"]),
        ("{a,\n  b}", ["a", "b"], ["c"]),
        ("clé", ["CLÉ", "maClé"], ["clés"]),
    ],
)
def test_word(pattern: str, fits: list[str], fails: list[str]) -> None:
    """A word pattern fits names that hold its words side by side, in any spelling of borders."""
    word = selector(f"local:word:{pattern}")
    assert [name for name in fits + fails if word.matches(name)] == fits


@given(st.lists(st.text("abcxyz", min_size=1, max_size=5), min_size=1, max_size=5))
def test_word_borders_are_alike_in_every_spelling(words: list[str]) -> None:
    """A phrase is found in its snake, kebab, camel, capital and dotted spelling."""
    phrase = selector(f"local:word:{'_'.join(words)}")
    for joint in "_", "-", ".", " ", "7":
        assert phrase.matches(joint.join(words))
        assert phrase.matches(joint.join(word.upper() for word in words))
        assert phrase.matches("_lead" + joint + joint.join(words) + joint + "trail")
    if all(len(word) > 1 for word in words):
        assert phrase.matches("x" + "".join(word.capitalize() for word in words))


@given(st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=6), st.data())
def test_word_finds_exactly_consecutive_words(words: list[str], data: st.DataObject) -> None:
    """A phrase fits a name exactly when it is a slice of the name's words."""
    phrase = data.draw(st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=3))
    slices = [words[at : at + len(phrase)] for at in range(len(words))]
    found = selector(f"local:word:{'_'.join(phrase)}").matches("_".join(words))
    assert found == (phrase in slices)


def test_word_of_a_return_value_looks_at_the_function_alone() -> None:
    """A word pattern for return values ignores the module and the enclosing scopes."""
    word = selector("ret:word:session")
    assert word.matches("web.open_session")
    assert not word.matches("web.session.load")
    assert not word.matches("web.Session.<locals>.load")
    assert selector("ret:web.session.*").matches("web.session.load")


def test_word_pattern_without_letters_is_refused() -> None:
    """A word pattern in which one alternative holds no letter is an error."""
    with pytest.raises(SelectorError, match="holds no word"):
        selector("local:word:{a,12}")


def test_literal_is_equality() -> None:
    """A literal fits the same text only, case and special characters included."""
    literal = selector("obj:literal:a.*")
    assert literal.matches("a.*")
    assert not literal.matches("a.b")
    assert not literal.matches("A.*")


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("", "is empty", "pkg:name"),
        ("name", "has no ':'", "'pkg:name'"),
        ("pgk:x", "unknown kind 'pgk'", "'pkg'"),
        ("local:x", "cannot stand here", "value_patterns"),
        ("pkg:", "empty pattern", "pkg:*"),
        ("pkg:glob:", "empty pattern", "pkg:*"),
        ("pkg::x", "no match type", "glob"),
        ("file:a:b", "unknown match type 'a'", "'file:glob:a:b'"),
        ("pkg:regx:b", "unknown match type", "'regex'"),
        ("PKG:x", "unknown kind", "pkg"),
        ("pkg: glob:x", "unknown match type", "'glob'"),
    ],
)
def test_malformed_selector_is_refused(text: str, message: str, remedy: str) -> None:
    """Each way to misspell a selector has its own message and remedy."""
    with pytest.raises(SelectorError) as caught:
        parse_selector(text, SCOPE_KINDS)
    assert caught.value.code == "ERR_FILTER_SELECTOR"
    assert message in caught.value.message
    assert remedy in caught.value.remedy


def test_pattern_may_hold_colons_behind_a_match_type() -> None:
    """Only the first two colons separate; the rest belongs to the pattern."""
    parsed = selector("attr:literal:a:b:c")
    assert (parsed.match_type, parsed.pattern) == (MatchType.LITERAL, "a:b:c")
    assert parsed.matches("a:b:c")


@given(st.text(max_size=40))
def test_any_text_is_a_selector_or_a_selector_error(text: str) -> None:
    """Parsing raises nothing but its own error, and a parsed selector answers for any name."""
    for kind in ("", "pkg:", "file:", "obj:regex:", "attr:word:", "file:regex:", "file:literal:"):
        try:
            parsed = parse_selector(kind + text, SCOPE_KINDS + VALUE_KINDS, "/srv")
        except SelectorError:
            continue
        parsed.matches(text)
        parsed.matches_path("/srv/" + text, text)
