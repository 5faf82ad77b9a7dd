"""Options of the commands, and where a program's own words begin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetracer_core.cli.arguments import Command, Option, Words
from codetracer_core.errors import UsageError

COMMAND = Command(
    "try",
    usage="codetracer-core try [OPTION]... THING",
    about="Try things.",
    options=(
        Option(("-o", "--out"), "where to put it", "DIR"),
        Option(("-q", "--quiet"), "say nothing"),
        Option(("--a-rather-long-option",), "first line\nsecond line", "VALUE"),
    ),
    examples="  codetracer-core try this\n",
)
PROGRAM = ("-m", "-c")


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["-o", "x"], ["x"]),
        (["-ox"], ["x"]),
        (["--out", "x"], ["x"]),
        (["--out=x"], ["x"]),
        (["--out=", "-o", "-q"], ["", "-q"]),
        (["-qox=y"], ["x=y"]),
        (["-o", "a", "--out", "b"], ["a", "b"]),
    ],
)
def test_a_value_is_the_next_word_or_attached(words: list[str], values: list[str]) -> None:
    """Both spellings of an option collect their values under its main name."""
    assert COMMAND.parse(words).every("--out") == values


def test_the_value_given_last_counts() -> None:
    """An option that was not given has its default."""
    assert COMMAND.parse(["-o", "a", "-o", "b"]).last("--out", "d") == "b"
    assert COMMAND.parse([]).last("--out", "d") == "d"
    assert not COMMAND.parse([]).given("--quiet")
    assert COMMAND.parse(["-q"]).given("--quiet")


def test_options_and_operands_may_be_mixed() -> None:
    """A command of ours takes options anywhere, until ``--``."""
    parsed = COMMAND.parse(["a", "-q", "b", "--", "-q", "--"])
    assert parsed.rest == ("a", "b", "-q", "--")
    assert parsed.given("--quiet")


@pytest.mark.parametrize(
    ("words", "rest"),
    [
        (["script", "-q", "--out"], ("script", "-q", "--out")),
        (["-q", "script", "--", "x"], ("script", "--", "x")),
        (["-o", "script", "other"], ("other",)),
        (["--", "-q"], ("-q",)),
        (["-m", "mod", "-q"], ("-m", "mod", "-q")),
        (["-mmod", "-q"], ("-mmod", "-q")),
        (["-q", "-c", "code"], ("-c", "code")),
        (["-", "x"], ("-", "x")),
        (["", "x"], ("", "x")),
        (["-q"], ()),
    ],
)
def test_everything_from_the_program_on_is_left_alone(
    words: list[str], rest: tuple[str, ...]
) -> None:
    """The program's options are never taken for ours."""
    assert COMMAND.parse(words, program_options=PROGRAM).rest == rest


@given(st.lists(st.text(max_size=5), max_size=6))
def test_any_words_may_follow_the_program(words: list[str]) -> None:
    """Whatever a program is given arrives unchanged."""
    assert COMMAND.parse(["-q", "x.py", *words], program_options=PROGRAM).rest == ("x.py", *words)


@given(st.lists(st.text(max_size=8), max_size=5))
def test_any_command_line_is_parsed_or_refused(words: list[str]) -> None:
    """There is no third way: no exception but UsageError."""
    try:
        COMMAND.parse(words)
    except UsageError as error:
        assert error.code == "ERR_COMMAND_LINE"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--quiett"], "there is no option --quiett (did you mean --quiet?)"),
        (["-x"], "there is no option -x"),
        (["-qx"], "there is no option -x"),
        (["--out"], "--out needs a value: DIR"),
        (["--quiet=yes"], "--quiet takes no value"),
        (["--ou", "x"], "there is no option --ou"),
    ],
)
def test_a_misuse_says_what_is_wrong_and_where_help_is(words: list[str], message: str) -> None:
    """Options cannot be abbreviated; a near one is named."""
    with pytest.raises(UsageError) as caught:
        COMMAND.parse(words)
    assert caught.value.message.startswith(message)
    assert caught.value.message.endswith("; see codetracer-core try --help")


def test_the_help_lists_options_in_columns_with_examples() -> None:
    """Long names get a line of their own."""
    assert COMMAND.help() == (
        "usage: codetracer-core try [OPTION]... THING\n"
        "\n"
        "Try things.\n"
        "\n"
        "options:\n"
        "  -o, --out DIR           where to put it\n"
        "  -q, --quiet             say nothing\n"
        "  --a-rather-long-option VALUE\n"
        "                          first line\n"
        "                          second line\n"
        "  -h, --help              show this help\n"
        "\n"
        "examples:\n"
        "  codetracer-core try this\n"
    )


NEGATABLE = Command(
    "try",
    usage="",
    about="",
    options=(Option(("--colour",), "paint it", negatable=True), Option(("--form",), "", "F")),
    examples="",
)


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ([], None),
        (["--colour"], True),
        (["--no-colour"], False),
        (["--colour", "--no-colour"], False),
        (["--no-colour", "--colour"], True),
    ],
)
def test_an_option_may_have_an_opposite(words: list[str], state: bool | None) -> None:
    """The one that stands last counts; the help shows both in one row."""
    assert NEGATABLE.parse(words).switch("--colour") is state
    assert "--[no-]colour" in NEGATABLE.help()


def test_what_was_understood_is_known_when_a_later_word_is_wrong() -> None:
    """How a misuse is reported may itself be an option."""
    given = Words()
    with pytest.raises(UsageError):
        NEGATABLE.parse(["--colour", "--color"], into=given)
    assert given.switch("--colour") is True


def test_a_choice_is_one_of_a_few_words_in_any_case() -> None:
    """The first is the default; another word is a misuse that names the nearest."""
    choices = ("text", "json", "html")
    assert NEGATABLE.choice(NEGATABLE.parse([]), "--form", choices) == "text"
    assert NEGATABLE.choice(NEGATABLE.parse(["--form=JSON"]), "--form", choices) == "json"
    with pytest.raises(UsageError, match=r"'jsno' \(did you mean json\?\): use text, json or html"):
        NEGATABLE.choice(NEGATABLE.parse(["--form=jsno"]), "--form", choices)


@pytest.mark.parametrize(
    ("words", "rest"),
    [
        (["--pytest", "-q", "--form"], ("--pytest", "-q", "--form")),
        (["--colour", "--pytest"], ("--pytest",)),
        (["--", "--pytest"], ("--pytest",)),
    ],
)
def test_a_long_option_may_name_the_program(words: list[str], rest: tuple[str, ...]) -> None:
    """Whether two dashes came before is kept, because then it is a script's name."""
    parsed = NEGATABLE.parse(words, program_options=("-m", "--pytest"))
    assert parsed.rest == rest
    assert parsed.ended is (words[0] == "--")
    with pytest.raises(UsageError, match="there is no option --pytestx"):
        NEGATABLE.parse(["--pytestx"], program_options=("-m", "--pytest"))
