"""Environment variables: what each accepts, and how mistakes are reported."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codetracer_policy import (
    VARIABLES,
    IoCapturePolicy,
    OriginKind,
    PolicyError,
    PolicyUpdate,
    PolicyValueError,
    RecorderPolicy,
    parse_bool,
    parse_capture_io,
    read_environment,
)
from codetracer_policy._parse import parse_keep_last
from codetracer_policy.model import FIELD_NAMES, LIMIT_BOUNDS


def resolved(**environ: str) -> RecorderPolicy:
    """The defaults with these variables."""
    policy = RecorderPolicy()
    for layer in read_environment(environ):
        policy = policy.apply(layer.update, origin=layer.origin)
    return policy


def any_case(words: list[str]) -> st.SearchStrategy[str]:
    """One of the words in any case, with blanks around."""
    return st.tuples(
        st.sampled_from(["", " ", "\t"]),
        st.sampled_from(words).flatmap(
            lambda word: st.tuples(*[st.sampled_from([c, c.upper()]) for c in word]).map("".join)
        ),
        st.sampled_from(["", " ", "\n"]),
    ).map("".join)


TRUE = ["1", "true", "t", "yes", "y", "on"]
FALSE = ["0", "false", "f", "no", "n", "off"]


@given(any_case(TRUE))
def test_true_words_in_any_case(text: str) -> None:
    """Each true word is true in any case and with blanks around it."""
    assert parse_bool(text) is True


@given(any_case(FALSE))
def test_false_words_in_any_case(text: str) -> None:
    """Each false word is false in any case and with blanks around it."""
    assert parse_bool(text) is False


@given(st.text().filter(lambda text: text.strip().lower() not in TRUE + FALSE))
@example("")
@example("2")
def test_other_words_are_no_booleans(text: str) -> None:
    """Any other text, the empty one too, is refused with a message that tells what to write."""
    with pytest.raises(PolicyValueError, match="use on or off"):
        parse_bool(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("off", IoCapturePolicy(line_proxies=False)),
        ("NONE", IoCapturePolicy(line_proxies=False)),
        ("enabled", IoCapturePolicy()),
        ("proxies", IoCapturePolicy()),
        (" proxy , ", IoCapturePolicy()),
        ("proxies+fd", IoCapturePolicy(fd_fallback=True)),
        ("mirror", IoCapturePolicy(fd_fallback=True)),
        ("fd,proxies", IoCapturePolicy(fd_fallback=True)),
    ],
)
def test_capture_words(text: str, expected: IoCapturePolicy) -> None:
    """What to capture can be said with each of the accepted words and their combinations."""
    assert parse_capture_io(text) == expected


@pytest.mark.parametrize("text", ["", ",", "+", "stdout", "proxies+pipes", "off+fd"])
def test_unknown_capture_words_are_refused(text: str) -> None:
    """A part that is not known, and having no part at all, are errors."""
    with pytest.raises(PolicyValueError, match=r"use off, proxies or proxies\+fd"):
        parse_capture_io(text)


UNITS = {"": 1, "B": 1, "KB": 1000, "MB": 1000**2, "KiB": 1024, "MiB": 1024**2, "kib": 1024}


@given(st.integers(1, 60), st.sampled_from(list(UNITS)), st.sampled_from(["", " "]))
def test_sizes_with_units(number: int, unit: str, blank: str) -> None:
    """A size is its number times its unit, if that is within the bounds of the setting."""
    size = number * UNITS[unit]
    lowest, highest = LIMIT_BOUNDS["max_step"]
    if not lowest <= size <= highest:
        with pytest.raises(PolicyValueError):
            resolved(CODETRACER_MAX_STEP=f"{number}{blank}{unit}")
    else:
        policy = resolved(CODETRACER_MAX_STEP=f"{number}{blank}{unit}")
        assert policy.limits.max_step == size


@pytest.mark.parametrize(
    "text",
    ["KiB", "1.5KiB", "-1", "1e3", "64K", "10 KiB KiB", "1_000", "9" * 5000, "٣٤٥٦", "0x400"],
)
def test_texts_that_are_no_sizes(text: str) -> None:
    """A size without a number, with an unknown unit or out of range is refused with an example."""
    with pytest.raises(PolicyValueError, match="use a size such as 64KiB"):
        resolved(CODETRACER_MAX_STEP=text)


@given(st.sampled_from([variable.name for variable in VARIABLES]), st.text())
def test_any_text_is_a_setting_or_a_policy_error(name: str, text: str) -> None:
    """Whatever a variable holds, reading it gives a policy or an error that names the variable."""
    try:
        layers = read_environment({name: text})
    except PolicyError as error:
        assert [problem.name for problem in error.problems] == [name]
        assert all(problem.remedy for problem in error.problems)
    else:
        assert len(layers) == (1 if text.strip() else 0)


def test_each_variable_sets_its_fields() -> None:
    """Each variable changes exactly the settings that the table says, with itself as origin."""
    valid = {
        "on or off": "on",
        "disable or abort": "abort",
        "a number": "7",
        "a size such as 64KiB": "96KiB",
        "a size such as 1GiB": "2GiB",
        "a size such as 64MiB or a time such as 30s": "5min",
        "hup, quit, usr1, usr2 or none": "SIGUSR1",
        "fields or call": "call",
        "off, proxies or proxies+fd": "proxies+fd",
        "a path": "/tmp/x",
        "levels such as warn,codetracer_core=debug": "debug",
    }
    for variable in VARIABLES:
        policy = resolved(**{variable.name: valid[variable.syntax]})
        assert tuple(name for name, _ in policy.origins) == variable.fields
        for field in variable.fields:
            assert str(policy.origin(field)) == f"environment {variable.name}"


@pytest.mark.parametrize(
    ("text", "size", "seconds"),
    [
        ("4096", 4096, None),
        ("64 MiB", 64 << 20, None),
        ("2kb", 2000, None),
        ("30s", None, 30),
        ("5 min", None, 300),
        ("2H", None, 7200),
        ("", None, None),
    ],
)
def test_what_is_kept_is_a_size_or_a_time(text: str, size: int | None, seconds: int | None) -> None:
    """A number without a unit counts bytes."""
    policy = RecorderPolicy().apply(PolicyUpdate(keep_last=parse_keep_last(text)))
    assert (policy.keep_last_bytes, policy.keep_last_seconds) == (size, seconds)


@pytest.mark.parametrize("text", ["0", "0s", "-1s", "s", "30 days", "1.5h", "lots"])
def test_what_is_kept_is_more_than_nothing(text: str) -> None:
    """Neither nothing nor what has another unit is a size or a time."""
    with pytest.raises(PolicyValueError, match=r"such as 30s|such as 64MiB"):
        parse_keep_last(text)


def test_every_setting_has_a_variable() -> None:
    """No setting is out of reach of the environment."""
    assert {field for variable in VARIABLES for field in variable.fields} == set(FIELD_NAMES)


def test_every_variable_has_the_prefix_that_sessions_look_for() -> None:
    """All names begin alike: without such a name in the environment the table is not read."""
    assert all(variable.name.startswith("CODETRACER_") for variable in VARIABLES)


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_empty_means_unset(blank: str) -> None:
    """A variable that is empty or blank changes nothing and is no error."""
    assert read_environment({variable.name: blank for variable in VARIABLES}) == ()


def test_all_mistakes_are_reported_at_once() -> None:
    """One error lists every invalid variable with its own remedy."""
    with pytest.raises(PolicyValueError) as caught:
        read_environment(
            {
                "CODETRACER_JSON_ERRORS": "perhaps",
                "CODETRACER_MAX_DEPTH": "1000",
                "CODETRACER_MAX_TEXT": "10",
                "CODETRACER_CAPTURE_IO": "tty",
            }
        )
    assert [problem.name for problem in caught.value.problems] == [
        "CODETRACER_JSON_ERRORS",
        "CODETRACER_CAPTURE_IO",
        "CODETRACER_MAX_DEPTH",
    ]
    assert caught.value.context == {
        "settings": "CODETRACER_JSON_ERRORS, CODETRACER_CAPTURE_IO, CODETRACER_MAX_DEPTH"
    }


def test_the_policy_variable_for_levels_is_stronger_than_the_general_one() -> None:
    """CODETRACER_LOG_LEVEL wins over CODETRACER_LOG, and either works alone."""
    assert resolved(CODETRACER_LOG="info").log_level == "info"
    both = resolved(CODETRACER_LOG="info", CODETRACER_LOG_LEVEL="debug")
    assert both.log_level == "debug"
    assert both.origin("log_level").detail == "CODETRACER_LOG_LEVEL"


def test_a_path_in_any_encoding_is_kept() -> None:
    """A log file whose name is not valid Unicode stays what the system calls it."""
    assert resolved(CODETRACER_LOG_FILE="/tmp/\udcff").log_file == "/tmp/\udcff"


def test_a_value_in_a_broken_encoding_is_reported_readably() -> None:
    """A value that is not valid Unicode is refused with a message that can be printed."""
    with pytest.raises(PolicyValueError) as caught:
        read_environment({"CODETRACER_JSON_ERRORS": "on\udcff"})
    assert str(caught.value).encode()


def test_the_environment_of_the_process_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an argument the variables of this process are read, at the time of the call."""
    monkeypatch.setenv("CODETRACER_MAX_ITEMS", "5")
    (layer,) = read_environment()
    assert layer.update.max_items == 5
    assert layer.origin.kind is OriginKind.ENVIRONMENT
