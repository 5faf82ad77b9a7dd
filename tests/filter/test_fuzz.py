"""Fuzzing the loader, selectors and the command: nothing but a FilterError ever comes out.

A short loop with a fixed seed always runs; CODETRACER_LONG_TESTS=1 makes it a long one.
"""

from __future__ import annotations

import os
import random
import tomllib
from collections.abc import Iterator
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from codetracer_filter import (
    FilterError,
    TraceFilterConfig,
    TraceFilterEngine,
    ValueKind,
    load_chain,
)
from codetracer_filter._positions import Positions
from codetracer_filter.cli.explain import explain
from codetracer_filter.selector import SCOPE_KINDS, VALUE_KINDS, SelectorError, parse_selector

from .conftest import HEADER

LONG = "CODETRACER_LONG_TESTS" in os.environ
EXAMPLES = settings(max_examples=20_000 if LONG else 150)
ROUNDS = 200_000 if LONG else 700

SEEDS = [
    TraceFilterConfig.builtin().sources[0].data.split(b"[[scope.rules.value_patterns]]")[0],
    HEADER.encode()
    + rb"""
[io]
capture = true
streams = ["stdout", 'stderr', ] # both
[[scope.rules]]
selector = "file:{src,lib}/**/[!a-c]*.py"
exec = "skip"
reason = '''
[[scope.rules]] is only text here
'''
[[scope.rules]]
selector = 'obj:regex:^shop\.(?i:Cart)\..{1,3}$'
value_default = "redact"
value_patterns = [
    {selector = "local:word:{pass word,t\u00f6ken}", action = "drop"},
    {selector = "ret:literal:a", action = "deny", reason = "x"},
]
[[scope.rules]]
selector = "pkg:regex:(?:a|b)*c"
""",
]
TOKENS = [
    b'"', b"'", b'"""', b"'''", b"[", b"]", b"[[", b"]]", b"{", b"}", b"=", b".", b",", b"\\",
    b"\n", b"\r\n", b"#", b"\xff", b"\x00", b"\xe2\x80\xa8", b"scope", b"rules", b"selector",
    b"pkg:", b"file:", b"local:", b"regex:", b"word:", b"glob:", b"**", b"(", b")", b"(?", b"+",
    b"*", b"|", b"inherit", b"skip", b"1", b"-1", b"true", b"1979-05-27", b"..", b"/", b"~", b":",
    b" ", b"\t",
]  # fmt: skip


def mutations(seed: int, rounds: int) -> Iterator[bytes]:
    """Damaged copies of the seeds: cut, doubled, swapped, with tokens of TOML and of selectors."""
    chance = random.Random(seed)
    for _ in range(rounds):
        data = bytearray(chance.choice(SEEDS))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(data) + 1)
            length = chance.choice((0, 1, 1, 2, 8, 40))
            kind = chance.randrange(4)
            if kind == 0:
                del data[at : at + length]
            elif kind == 1:
                data[at:at] = chance.choice(TOKENS)
            elif kind == 2:
                data[at : at + length] = chance.choice(TOKENS)
            else:
                data[at:at] = data[at : at + length]
        yield bytes(data)


def check(config: TraceFilterConfig) -> None:
    """Ask a configuration about everything; rules of a file always have a line."""
    engine = TraceFilterEngine(config, directory="/p")
    for path, name, module in (
        ("/p/src/a.py", "f", "shop.cart"),
        ("C:\\x\\y.py", "C.m", None),
        ("<string>", "<module>", "__main__"),
        ("", "", ""),
        ("\udcff", "é", "\udcff"),
    ):
        resolution = engine.resolve_query(path, name, module)
        engine.resolve_file(path)
        for kind in ValueKind:
            resolution.policy.decide(kind, name)
    assert all(rule.line for rule in config.rules)
    assert all(pattern.line for rule in config.rules for pattern in rule.value_patterns)
    explain(engine, "src/a.py:f", ["local:x"], directory="/p").entry()


def test_damaged_files(tmp_path: Path) -> None:
    """A damaged file loads and decides, or is a FilterError in which every problem has a line."""
    path = tmp_path / "filter.toml"
    loaded = 0
    seed = random.randrange(2**32) if LONG else 20_261_122
    for data in mutations(seed, ROUNDS):
        path.write_bytes(data)
        try:
            config = TraceFilterConfig.from_paths([path])
        except FilterError as error:
            assert all(problem.line for problem in error.problems), data
            assert str(error).replace("\n", "").isprintable(), data
        else:
            loaded += 1
            check(config)
    assert loaded > ROUNDS // 100


PIECES = st.sampled_from(
    ["pkg", "file", "obj", "local", "ret", "attr", ":", "glob", "regex", "literal", "word", "*",
     "**", "?", "[", "]", "!", "^", "$", "{", "}", ",", "\\", "/", "..", ".", "a", "é", "A1", "_",
     "(", ")", "(?:", "(?i)", "(?P<n>", "|", "+", "{2,}", "{3}", "\\d", "\\w", "\\b", "\\x{41}",
     "\\z", "[^", "-", " ", "~", "C:", "\n", "\0", "\udcff", "<string>"]
)  # fmt: skip
KINDS = st.sampled_from(
    ["", "pkg:", "obj:regex:", "file:", "file:regex:", "local:word:", "ret:glob:"]
)
NAMES = st.text(st.sampled_from("aAé1_./\n-"), max_size=12)


@EXAMPLES
@given(KINDS, st.lists(PIECES, max_size=12), NAMES, st.sampled_from([None, "/", "/p", "C:/p"]))
def test_selectors(kind: str, pieces: list[str], name: str, root: str | None) -> None:
    """Any text is a selector that answers for any name, or a SelectorError with a remedy."""
    try:
        selector = parse_selector(kind + "".join(pieces), SCOPE_KINDS + VALUE_KINDS, root)
    except SelectorError as error:
        assert error.code in ("ERR_FILTER_SELECTOR", "ERR_FILTER_PATTERN")
        assert error.remedy
        return
    assert selector.matches(name) in (True, False)
    assert selector.matches_path(f"/p/{name}", name) in (True, False)


@EXAMPLES
@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_of_the_command_line(only: str, skip: str) -> None:
    """Selectors of a command line make a chain, or a FilterError that names the option."""
    try:
        load_chain(program_dir=None, only=[only], skip=[skip])
    except FilterError as error:
        assert all(problem.path.startswith("<command line> --") for problem in error.problems)


VALUES = st.recursive(
    st.sampled_from(
        ['"a]"', "'b}'", '"""\n[[x]]\n\\"""\n"""', "'''\n# '' \n'''", '"\\u00e9\\\\"', '""', "''",
         '""""""', "1", "0xff", "-1e3", "inf", "true", "07:32:00", "1979-05-27 07:32:00Z"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[ # ]\n" + ",\n".join(items) + "]")
        | st.lists(inner, max_size=3).map(
            lambda items: "{" + ", ".join(f"k{n} = {i}" for n, i in enumerate(items)) + "}"
        )
    ),
    max_leaves=6,
)  # fmt: skip
KEYS = {
    "a": ("a",),
    "'b c'": ("b c",),
    '"d\\u0065"': ("de",),
    "f . g": ("f", "g"),
    '"h".i': ("h", "i"),
    "-1": ("-1",),
}
BLOCKS = st.tuples(st.sampled_from(["table", "array"]), st.sampled_from(sorted(KEYS)), VALUES)


@EXAMPLES
@given(st.lists(BLOCKS, max_size=6), st.sampled_from(["", "\n", "# [[u]]\n", " \t\n"]))
def test_places_in_any_document(blocks: list[tuple[str, str, str]], between: str) -> None:
    """Whatever the values around it are, each table and each key is found on its line."""
    text = ""
    expected: dict[tuple[str | int, ...], int] = {}
    arrays = 0
    for number, (kind, key, value) in enumerate(blocks):
        text += between
        path: tuple[str | int, ...] = (f"t{number}",) if kind == "table" else ("u", arrays)
        arrays += kind == "array"
        expected[path] = text.count("\n") + 1
        expected[path + KEYS[key]] = text.count("\n") + 2
        text += f"[t{number}]\n" if kind == "table" else "[[ u ]] # [x]\n"
        text += f"{key} = {value}\n"
    assert len(tomllib.loads(text)) == len(blocks) - max(arrays - 1, 0)
    positions = Positions(text)
    assert {path: positions.find(path)[0] for path in expected} == expected
