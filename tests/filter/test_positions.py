"""Tests that the line of a rule and the place of a problem are right however a file is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetracer_filter import TraceFilterConfig
from codetracer_filter._positions import Positions
from codetracer_filter.cli.places import default_line

from .conftest import HEADER, Chain, Problems, WriteFilter


def lines(config: TraceFilterConfig) -> list[int | None]:
    """The lines of the rules of a configuration."""
    return [rule.line for rule in config.rules]


def test_lines_of_rule_tables(chain: Chain) -> None:
    """A rule stands where its header stands; comments and blank lines count."""
    rules = '# first\n[[scope.rules]] # here\nselector = "pkg:a"\n\n[[ scope . "rules" ]]\n'
    assert lines(chain(rules + 'selector = "pkg:b"\n')) == [8, 11]


def test_lines_of_inline_rules(chain: Chain) -> None:
    """A rule inside an inline array stands where its brace opens."""
    rules = 'rules = [ # why\n  {selector = "pkg:a"}, {selector = "pkg:b"},\n\n {selector="pkg:c"}]'
    assert lines(chain(rules)) == [8, 8, 10]


def test_strings_that_look_like_rules(chain: Chain) -> None:
    """Text inside strings and comments is never taken for a rule."""
    header = HEADER.replace(
        "[scope]",
        "description = '''\n[[scope.rules]]\nselector = \"pkg:fake\"\n# \"\"\"\n'''\n[scope]",
    )
    rules = """\
[[scope.rules]]
selector = "pkg:a"
reason = \"\"\"say \\\"\"\"
[[scope.rules]]
\"\"\"\"
# [[scope.rules]]
[[scope.rules]]
selector = 'pkg:b'
"""
    assert lines(chain(rules, header=header)) == [12, 18]


def test_lines_of_value_patterns(chain: Chain) -> None:
    """Value patterns have lines of their own, as tables and inline."""
    rules = """\
[[scope.rules]]
selector = "pkg:a"
[[scope.rules.value_patterns]]
selector = "local:x"
action = "redact"
[[scope.rules]]
selector = "pkg:b"
value_patterns = [
    {selector = "local:y", action = "drop"},
]
"""
    config = chain(rules)
    found = [[pattern.line for pattern in rule.value_patterns] for rule in config.rules]
    assert found == [[9], [15]]


def test_problem_has_line_and_column(problems: Problems) -> None:
    """A problem points at the key that is wrong, by line, column and rule."""
    error = problems('[[scope.rules]]\nselector = "pkg:a"\n  exec = "no"\n')
    (problem,) = error.problems
    assert (problem.line, problem.column, problem.rule) == (9, 3, 0)
    assert problem.where == "<inline:bad>:9:3"
    assert problem.entry == "scope.rules[0]"


def test_byte_order_mark_is_left_out(write_filter: WriteFilter) -> None:
    """A file that an editor has begun with a byte order mark loads, with the places it has."""
    path = write_filter('[[scope.rules]]\nselector = "pkg:a"\n')
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    config = TraceFilterConfig.from_paths([path])
    assert lines(config) == [7]
    assert default_line(config.sources[0], "default_exec") == 5


def test_crlf_files_have_the_same_lines(chain: Chain) -> None:
    """Windows line ends do not shift lines."""
    rules = '\n[[scope.rules]]\nselector = "pkg:a"\n'.replace("\n", "\r\n")
    assert lines(chain(rules)) == [8]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment",
        "a = 1979-05-27 07:32:00Z # date\nmark = 1",
        "'quoted key'.\"b\\u0061\" = [1, [2, '''x\n'''], {c = 1}]\nmark = 1",
        'a = """"""\nb = \'\'\nc = """""x"""\nmark = 1',
        "[x.y]\na.b.c = +1e3\n[[x.z]]\n[[x.z.w]]\n[x.z.w.v]\nmark = 1",
        "a = [\n # ]\n 1 , # [\n]\nmark = 1",
    ],
)
def test_scanner_passes_over_every_construct(text: str) -> None:
    """The scanner finds the key after any other TOML construct."""
    positions = Positions(text)
    if "mark" in text:
        prefix = ("x", "z", 0, "w", 0, "v") if "x.z" in text else ()
        assert positions.find((*prefix, "mark"))[0] == text.count("\n") + 1


VALUES = st.sampled_from(
    ["1", '"a]"', "'''\n[x]\n'''", '"""\n\\"""\n"""', "[1, '}', # ]\n]", "{a = 1, b = '}'}", "-inf"]
)


@given(st.lists(VALUES, max_size=8), st.booleans())
def test_keys_are_found_between_any_values(values: list[str], crlf_blank: bool) -> None:
    """Each key of a document is found on the line where it was written."""
    text, expected = "", []
    for number, value in enumerate(values):
        text += "\n # k = 1 [[\n" if crlf_blank else ""
        expected.append((text.count("\n") + 1, 2))
        text += f" k{number} = {value}\n"
    positions = Positions(text)
    assert [positions.find((f"k{number}",)) for number in range(len(values))] == expected


def test_escaped_keys_are_found() -> None:
    """A quoted key with an escape is known by what it means."""
    assert Positions('x = 1\n"sco\\u0070e" = 2').find(("scope",)) == (2, 1)
