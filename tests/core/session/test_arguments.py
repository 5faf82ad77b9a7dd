"""Command lines are written down without their secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetracer_core.session.arguments import REDACTED, name_judge, redact_arguments
from codetracer_core.session.filters import load_filters
from integration.recording import recorder, write_files
from naive import journal

NAMES = json.loads((Path(__file__).parents[2] / "vectors" / "redaction.json").read_bytes())
SECRET = "hunter2-7f3a"

FILTER = """\
[meta]
name = "mine"
version = 1
[scope]
default_exec = "inherit"
default_value_action = "inherit"
[[scope.rules]]
selector = "pkg:*"
[[scope.rules.value_patterns]]
selector = "{selector}"
action = "{action}"
"""


def built_in(name: str) -> bool:
    """Whether the built-in filter redacts `name`."""
    return name_judge(load_filters([], None), "/src/app.py")(name)


@pytest.mark.parametrize(
    "words",
    [
        ["--password", SECRET],
        ["--db-password", SECRET],
        ["-password", SECRET],
        [f"--password={SECRET}"],
        [f"--api_key={SECRET}"],
        [f"--apiKey:{SECRET}"],
        [f"PASSWORD={SECRET}"],
        [f"token={SECRET} and more"],
        ["--password", f"{SECRET} with blanks = and signs"],
        ["-e", f"DB_PASSWORD={SECRET}"],
        [f"--env=DB_PASSWORD={SECRET}"],
        ["-H", f"Authorization: Bearer {SECRET}"],
        [f"Bearer {SECRET}"],
        [f"https://ada:{SECRET}@example.org/x"],
        [f"https://example.org/?a=1&access_token={SECRET}&b=2"],
        [f'{{"user": "ada", "password": "{SECRET}"}}'],
        [f"host=db password={SECRET}"],
        [f"--password={SECRET}\nsecond line"],
        [f"caf\udce9_password={SECRET}"],
    ],
)
def test_a_value_with_a_secret_name_is_left_out(words: list[str]) -> None:
    """Whichever way the name and the value stand together; the name stays."""
    redacted = redact_arguments(words, built_in)
    assert len(redacted) == len(words)
    assert not [word for word in redacted if SECRET in word]
    assert REDACTED in redacted[-1]


@pytest.mark.parametrize(
    "words",
    [
        ["--port", "8000", "-v", "--name=ada", "input.txt"],
        ["--compass", "north", "--author", "ada", "company=x"],
        ["--", "-x", "", "a b", "*"],
        ["https://example.org/a?b=c", "http://localhost:8000/", "12:30"],
        ["-c", "x = 1", "fix the auth of users"],
    ],
)
def test_everything_else_stays_as_it_is(words: list[str]) -> None:
    """Names that only look like secret ones, addresses, and values without a name."""
    assert redact_arguments(words, built_in) == words


def test_a_flag_without_a_value_does_not_swallow_the_next_option() -> None:
    """What looks like an option is one."""
    words = ["--show-secrets", "--verbose", "--password", "--", "x"]
    assert redact_arguments(words, built_in) == words


def test_the_filters_of_the_user_decide_which_names_are_secret(tmp_path: Path) -> None:
    """They add names, also of one letter, and lift those that are known to be harmless."""
    mine = tmp_path / "mine.toml"
    mine.write_text(FILTER.format(selector="arg:literal:p", action="redact"))
    judge = name_judge(load_filters([mine], None), None)
    given_words = ["-p", SECRET, f"-p{SECRET}", "--port=1", f"--password={SECRET}"]
    assert redact_arguments(given_words, judge) == [
        "-p",
        REDACTED,
        f"-p{REDACTED}",
        "--port=1",
        f"--password={REDACTED}",
    ]
    everything = tmp_path / "everything.toml"
    rules = [FILTER.format(selector=f"{kind}:literal:token", action="allow") for kind in ("arg",)]
    pattern = '[[scope.rules.value_patterns]]\nselector = "{}:literal:token"\naction = "allow"\n'
    everything.write_text(rules[0] + pattern.format("local") + pattern.format("global"))
    lifted = name_judge(load_filters([everything], None), "/src/app.py")
    assert redact_arguments(["--token=x", "--secret=x"], lifted) == [
        "--token=x",
        f"--secret={REDACTED}",
    ]


@given(st.lists(st.text()), st.sampled_from(NAMES["secret_names"]), st.booleans())
def test_no_words_around_it_bring_a_secret_to_light(
    words: list[str], name: str, joined: bool
) -> None:
    """The words before and after a secret do not change that it is left out."""
    secret = [f"--{name}={SECRET}"] if joined else [f"--{name}", SECRET]
    redacted = redact_arguments([*words, *secret, *words], built_in)
    assert len(redacted) == 2 * len(words) + len(secret)
    assert not [word for word in redacted if SECRET in word]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "part", ["x", "-", "x-", "x ", "x=", "--x ", "Bearer ", "x://x:", "a.b:c", '"x": ']
)
def test_long_arguments_take_no_longer_than_their_length(part: str) -> None:
    """Texts of the greatest length that systems take are searched in one pass."""
    long = part * (131_000 // len(part))
    judge = name_judge(load_filters([], None), "/src/app.py")
    assert redact_arguments([long, f"--password={SECRET}{long}"], judge) == [
        long,
        f"--password={REDACTED}",
    ]


@pytest.mark.parametrize("options", [[], ["--format", "json"]])
def test_no_file_of_a_recording_holds_a_secret_of_the_command_line(
    options: list[str], tmp_path: Path
) -> None:
    """Neither do the log and what the command prints, whatever the program is given."""
    write_files(tmp_path, {"main.py": "def f(x):\n    return x\nf(1)\n"})
    program = ["main.py", "--password", SECRET, f"--token={SECRET}", f"PASSWORD={SECRET}", "-v"]
    log = ["--log-level", "debug", "--log-file", str(tmp_path / "log")]
    done = recorder(["record", "-o", "out", *log, *options, *program], tmp_path)
    assert done.returncode == 0
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(files) >= 4
    contents = [path.read_bytes() for path in files] + [done.stdout, done.stderr]
    contents += [path.read_bytes() for path in tmp_path.glob("log")]
    contents += [
        payload
        for path in files
        if path.suffix == ".ctj"
        for _, _, payload in journal.frames(path.read_bytes())
    ]
    assert not [content for content in contents if SECRET.encode() in content]
    metadata = json.loads((tmp_path / "out" / "trace_metadata.json").read_bytes())
    assert metadata["args"] == [
        "--password",
        REDACTED,
        f"--token={REDACTED}",
        f"PASSWORD={REDACTED}",
        "-v",
    ]
