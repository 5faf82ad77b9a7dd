"""Tests of loading: the strict schema, every problem at once, and what is accepted."""

from __future__ import annotations

import hashlib
import os
import pickle
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetracer_filter import (
    ErrorKind,
    ExecDecision,
    FilterError,
    IoStream,
    TraceFilterConfig,
    ValueAction,
)

from .conftest import HEADER, Chain, Problems, WriteFilter

RULE = '[[scope.rules]]\nselector = "pkg:a"\n'
PATTERN = RULE + '[[scope.rules.value_patterns]]\nselector = "local:a"\naction = "redact"\n'


def test_everything_is_read(chain: Chain) -> None:
    """Meta, io, defaults, rules and patterns arrive as written; 'deny' means redact."""
    config = chain(
        """
[[scope.rules]]
selector = "obj:literal:m.f"
exec = "skip"
value_default = "deny"
reason = "slow"
value_patterns = [{selector = "arg:x", action = "allow", reason = "public"}]
[io]
capture = true
streams = ["stdout", "stdin", "stdout"]
""",
        header=HEADER.replace(
            "version = 1", 'version = 1\ndescription = "d"\nlabels = ["b", "a", "b"]'
        ),
    )
    (source,) = config.sources
    assert (source.meta.name, source.meta.description) == ("test", "d")
    assert source.meta.labels == ("b", "a")
    assert config.io is not None
    assert config.io.capture
    assert config.io.streams == (IoStream.STDOUT, IoStream.STDIN)
    (rule,) = config.rules
    assert (rule.exec, rule.value_default, rule.reason) == ("skip", ValueAction.REDACT, "slow")
    assert str(rule.selector) == "obj:literal:m.f"
    (pattern,) = rule.value_patterns
    assert (pattern.action, pattern.reason) == (ValueAction.ALLOW, "public")
    assert str(rule) == "<inline:f0>:10: obj:literal:m.f (slow)"


@pytest.mark.parametrize(
    ("old", "new", "code", "message", "remedy"),
    [
        ("[meta]", "[meta]\nnam = 1", "SCHEMA", "key 'nam' in 'meta' is unknown", "'name'"),
        ("[meta]", "[extra]\n[meta]", "SCHEMA", "'extra' at the top", "meta, io, scope"),
        ('name = "test"\n', "", "SCHEMA", "'meta.name' is missing", "'name'"),
        ('name = "test"', 'name = " "', "VALUE", "'meta.name' is blank", "name"),
        ('name = "test"', "name = 1", "SCHEMA", "'meta.name' is not text", "text"),
        ("version = 1", "version = 0", "VALUE", "'meta.version' is 0", "version = 1"),
        ("version = 1", "version = -1", "VALUE", "'meta.version' is -1", "version = 1"),
        ("version = 1", "version = 2", "VERSION", "'meta.version' is 2", "newer"),
        ("version = 1", "version = 0x" + "f" * 5000, "VERSION", "'meta.version' is a", "newer"),
        ("version = 1", "version = " + "9" * 5000, "SYNTAX", "digits", "smaller"),
        ("version = 1", "version = true", "SCHEMA", "not a whole number", "whole"),
        ("version = 1", "version = 1.0", "SCHEMA", "not a whole number", "whole"),
        ("version = 1", "version = 1\nlabels = [1]", "SCHEMA", "'meta.labels[0]'", "text"),
        ("[scope]", "[scope]\nrules = 1", "SCHEMA", "'scope.rules' is not an array", "array"),
        ("[scope]", "[scope]\nrules = [1]", "SCHEMA", "'scope.rules[0]' is not a table", "[["),
        ('exec = "trace"', 'exec = "Trace"', "VALUE", "'Trace' is no value", "trace"),
        ('exec = "trace"', 'exec = "trace "', "VALUE", "'trace ' is no value", "'trace'"),
        ('action = "allow"', 'action = "hide"', "VALUE", "'hide'", "redact"),
        ('default_value_action = "allow"\n', "", "SCHEMA", "'scope.default_value_action'", "add"),
        ('exec = "trace"', 'exec = "inherit"', "INHERIT", "first source", "default_exec"),
        ("[scope]", "[io]\ncapture = true\n[scope]", "VALUE", "no stream is named", "streams"),
        ("[scope]", "[io]\ncapture = 1\n[scope]", "SCHEMA", "not true or false", "true"),
        ("[scope]", '[io]\nstreams = ["stdot"]\n[scope]', "VALUE", "'stdot'", "'stdout'"),
        ("[scope]", '[io]\nmodes = ["x"]\n[scope]', "VALUE", "reserved", "remove"),
        ("[scope]", "[scope", "SYNTAX", "not valid TOML", "syntax"),
        ("[meta]", "meta = 1\n[other]", "SCHEMA", "'meta' is not a table", "table"),
    ],
)
def test_each_mistake_in_the_header(
    problems: Problems, old: str, new: str, code: str, message: str, remedy: str
) -> None:
    """Every wrong key, type and token is named with a code, a line and a remedy."""
    error = problems("", header=HEADER.replace(old, new, 1))
    first = next(problem for problem in error.problems if message in problem.message)
    assert first.code == f"ERR_FILTER_{code}"
    assert first.line
    assert remedy in first.remedy


@pytest.mark.parametrize(
    ("rules", "code", "message", "remedy", "pattern"),
    [
        ("[[scope.rules]]\n", "SCHEMA", "'scope.rules[0].selector' is missing", "add", None),
        (RULE + "exce = 1\n", "SCHEMA", "'exce'", "'exec'", None),
        (RULE + 'exec = "allow"\n', "VALUE", "'allow'", "inherit, trace, skip", None),
        (RULE + 'value_default = "no"\n', "VALUE", "'no'", "redact", None),
        (RULE + "reason = 1\n", "SCHEMA", "'scope.rules[0].reason' is not text", "text", None),
        (RULE.replace("pkg", "pgk"), "SELECTOR", "'pgk'", "'pkg'", None),
        (RULE.replace("pkg", "pkg:regex:("), "PATTERN", "regex", "regular", None),
        (RULE.replace("pkg", "local"), "SELECTOR", "cannot stand here", "value_patterns", None),
        (PATTERN.replace("local", "pkg"), "SELECTOR", "cannot stand here", "scope.rules", 0),
        (PATTERN.replace("redact", "inherit"), "VALUE", "'inherit'", "allow", 0),
        (PATTERN.replace("action", "# action"), "SCHEMA", "action' is missing", "add", 0),
        (PATTERN + "kind = 1\n", "SCHEMA", "'kind'", "selector", 0),
    ],
)
def test_each_mistake_in_a_rule(
    problems: Problems, rules: str, code: str, message: str, remedy: str, pattern: int | None
) -> None:
    """A problem inside a rule or a value pattern also carries their indexes."""
    (problem,) = problems(rules).problems
    assert problem.code == f"ERR_FILTER_{code}"
    assert message in problem.message
    assert remedy in problem.remedy
    assert (problem.rule, problem.value_pattern) == (0, pattern)


def test_all_problems_of_a_chain_come_at_once(write_filter: WriteFilter, tmp_path: Path) -> None:
    """Every problem of every file is in one error, in the order of the files and lines."""
    first = write_filter(RULE.replace("pkg", "x") + RULE + 'exec = "y"\n', "a.toml")
    second = write_filter("[broken", "b.toml")
    missing = tmp_path / "missing.toml"
    third = write_filter("", "c.toml", header=HEADER.replace("version = 1", "version = 9"))
    with pytest.raises(FilterError) as caught:
        TraceFilterConfig.from_paths([first, second, missing, third, tmp_path])
    error = caught.value
    assert [(Path(p.path).name, p.line, p.code[11:]) for p in error.problems] == [
        ("a.toml", 8, "SELECTOR"),
        ("a.toml", 11, "VALUE"),
        ("b.toml", 7, "SYNTAX"),
        ("missing.toml", None, "NOT_FOUND"),
        ("c.toml", 3, "VERSION"),
        (tmp_path.name, None, "NOT_FOUND"),
    ]
    assert error.code == "ERR_FILTER_INVALID"
    assert error.kind is ErrorKind.USAGE
    assert error.context == {"path": str(first), "problems": "6", "line": "8"}
    assert error.message.startswith("6 problems in the trace filters:\n")
    assert str(error) == error.message


def test_error_of_one_problem_is_one_line_with_its_code(problems: Problems) -> None:
    """A single problem gives the error its code, and a message of one line with the place."""
    error = problems(RULE + 'exec = "skipp"\n')
    assert error.code == "ERR_FILTER_VALUE"
    assert error.message == (
        "<inline:bad>:9:1: scope.rules[0]: 'skipp' is no value of 'scope.rules[0].exec'; "
        "did you mean 'skip'? (one of inherit, trace, skip)"
    )


def test_error_survives_pickling(problems: Problems) -> None:
    """An error crosses process borders with all its problems."""
    error = problems("x = 1\n")
    assert pickle.loads(pickle.dumps(error)).problems == error.problems


def test_file_that_the_system_refuses_is_an_environment_error(tmp_path: Path) -> None:
    """A file that exists but cannot be read is no mistake of the caller."""
    path = tmp_path / "loop.toml"
    path.symlink_to(path)
    with pytest.raises(FilterError) as caught:
        TraceFilterConfig.from_paths([path])
    assert (caught.value.code, caught.value.kind) == ("ERR_FILTER_UNREADABLE", "Environment")


def test_file_that_is_not_utf8(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are an error with the line they stand in."""
    path = tmp_path / "f.toml"
    path.write_bytes(HEADER.encode() + b"# \xff\n")
    with pytest.raises(FilterError, match="UTF-8") as caught:
        TraceFilterConfig.from_paths([path])
    assert (caught.value.code, caught.value.problems[0].line) == ("ERR_FILTER_SYNTAX", 7)


def test_control_characters_and_long_texts_are_tamed(problems: Problems) -> None:
    """A message never repeats raw control characters or an endless text."""
    error = problems(f'[[scope.rules]]\nselector = "pkg:regex:\\u001b[31m({"x" * 500}"\n')
    assert "\x1b" not in error.message
    assert "\\x1b" in error.message
    assert len(error.message) < 400


def test_later_defaults_win_and_inherit_keeps(chain: Chain) -> None:
    """The last source that sets a default decides it; 'inherit' leaves it as it was."""
    first = HEADER.replace('"trace"', '"skip"').replace('"allow"', '"redact"')
    inherit = HEADER.replace('"trace"', '"inherit"').replace('"allow"', '"inherit"')
    both = TraceFilterConfig.from_paths([], inline=[("a", first), ("b", inherit)])
    assert (both.default_exec, both.default_value_action) == ("skip", "redact")
    assert chain("").default_exec is ExecDecision.TRACE
    last = TraceFilterConfig.from_paths([], inline=[("a", first), ("b", HEADER)])
    assert (last.default_exec, last.default_value_action) == ("trace", "allow")


def test_last_io_table_wins(chain: Chain) -> None:
    """Of several [io] tables the last one holds, whatever the others said."""
    config = chain('[io]\ncapture = true\nstreams = ["stdout"]\n', "[io]\ncapture = false\n", "")
    assert config.io is not None
    assert (config.io.capture, config.io.streams) == (False, ())


def test_repeated_file_is_used_once_with_a_warning(write_filter: WriteFilter) -> None:
    """A file named twice, even through another spelling, is loaded at its first place only."""
    path = write_filter(RULE)
    other = path.parent / "." / "x" / ".." / path.name
    config = TraceFilterConfig.from_paths([path, other])
    assert len(config.sources) == 1
    (diagnostic,) = config.diagnostics
    assert diagnostic.code == "WARN_FILTER_REPEATED"
    assert str(path) in str(diagnostic)


def test_summary_names_each_source(write_filter: WriteFilter) -> None:
    """The summary gives name, version, path and the digest of the bytes on disk, in order."""
    path = write_filter("# é\r\n")
    config = TraceFilterConfig.from_paths([path], inline=[("label", HEADER)])
    inline, file = config.summary().entries
    assert (inline.path, inline.name, inline.version) == ("<inline:label>", "test", 1)
    assert inline.sha256 == hashlib.sha256(HEADER.encode()).hexdigest()
    assert file.path == str(path.resolve())
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_empty_chain_is_refused() -> None:
    """A chain without any source has no defaults and is an error."""
    with pytest.raises(FilterError, match="the chain is empty"):
        TraceFilterConfig.from_paths([])


TOML_VALUES = st.recursive(
    st.sampled_from(["1", "true", '"trace"', '"pkg:a"', '"inherit"', "1.5", "1979-05-27", '""']),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(
            st.sampled_from(["selector", "exec", "value_patterns", "action", "x"]),
            inner,
            max_size=3,
        ).map(lambda table: "{" + ", ".join(f"{k} = {v}" for k, v in table.items()) + "}"),
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("kind", ["device", "pipe", "socket"])
def test_what_is_no_regular_file_is_refused_unread(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device without end is not read to its end, and nobody waits for a pipe's writer."""
    path = tmp_path / kind
    with socket.socket(socket.AF_UNIX) as listener:
        if kind == "device":
            path = Path("/dev/zero")
        elif kind == "pipe":
            os.mkfifo(path)
        else:
            monkeypatch.chdir(tmp_path)
            listener.bind(kind)
        with pytest.raises(FilterError) as caught:
            TraceFilterConfig.from_paths([path])
    assert (caught.value.code, caught.value.kind) == ("ERR_FILTER_NOT_FOUND", "Usage")
    assert "not a file" in caught.value.message


def test_a_file_above_the_largest_size_is_refused(write_filter: WriteFilter) -> None:
    """One mebibyte is read, one byte more is not."""
    file = write_filter()
    size = 1024 * 1024
    text = file.read_text(encoding="utf-8")
    file.write_text(f"{text:\n<{size}}", encoding="utf-8")
    TraceFilterConfig.from_paths([file])
    file.write_text(f"{text:\n<{size + 1}}", encoding="utf-8")
    with pytest.raises(FilterError) as caught:
        TraceFilterConfig.from_paths([file])
    assert (caught.value.code, caught.value.kind) == ("ERR_FILTER_UNREADABLE", "Environment")
    assert "larger than 1 MiB" in caught.value.message


KEYS = [
    "meta.name", "meta.version", "meta.x", "io.streams", "io.modes", "io.capture", "scope.rules",
    "scope.default_exec", "scope.default_value_action", "meta", "scope",
]  # fmt: skip


@given(st.dictionaries(st.sampled_from(KEYS), TOML_VALUES))
def test_any_document_loads_or_is_a_filter_error(values: dict[str, str]) -> None:
    """Whatever types stand at whatever keys, loading raises nothing but FilterError."""
    text = "".join(f"{key} = {value}\n" for key, value in values.items())
    try:
        TraceFilterConfig.from_paths([], inline=[("fuzz", text)])
    except FilterError as error:
        assert all(problem.line for problem in error.problems)


@given(st.text(max_size=200))
def test_any_text_loads_or_is_a_filter_error(text: str) -> None:
    """A file of any text is refused in an orderly way."""
    with pytest.raises(FilterError):
        TraceFilterConfig.from_paths([], inline=[("fuzz", text)])


def test_refused_regex_is_warned_of_once(write_filter: WriteFilter) -> None:
    """However often a refused pattern stands in a chain, one warning names it, with a fallback."""
    bad = RULE.replace("pkg:a", r"obj:regex:^shop\\.(\\w+_?)+$")
    files = [write_filter(bad + bad, "a.toml"), write_filter(bad, "b.toml")]
    with pytest.raises(FilterError) as caught:
        TraceFilterConfig.from_paths(files)
    assert [problem.code for problem in caught.value.problems] == ["ERR_FILTER_PATTERN"] * 3
    (warning,) = caught.value.diagnostics
    assert (warning.code, warning.path, warning.line) == ("WARN_FILTER_REGEX", str(files[0]), 8)
    assert warning.message == r"the regular expression '^shop\.(\w+_?)+$' is refused"
    assert warning.remedy == "use a glob in its place, such as 'obj:glob:shop.*'"
    assert pickle.loads(pickle.dumps(caught.value)).diagnostics == (warning,)


def test_warning_of_a_regex_is_tame(problems: Problems) -> None:
    """Control characters are escaped, and the pattern is cut at 120 characters."""
    pattern = "\\u001b[31m(?=" + "x" * 500 + ")"
    (warning,) = problems(f'[[scope.rules]]\nselector = "pkg:regex:{pattern}"\n').diagnostics
    assert "\x1b" not in str(warning)
    shown = warning.message.split("'")[1]
    assert shown.startswith("\\x1b[31m")
    assert len(shown) == 120 + len("\\x1b") - 1 + len("…")
    assert warning.remedy == "use glob, literal or word selectors in its place"


@pytest.mark.parametrize(
    ("pattern", "glob"),
    [
        (r"(?=test_)shop", "*shop*"),
        (r"^shop\.(a|b)\1\..*run$", "shop.*.*run"),
        (r"\Afoo*bar(?!x)", "fo*bar*"),
        (r"^a\$(?=b)", "a$*"),
        (r"x\[(a+)+\]$", r"*x\[*\]"),
        (r"y[[:alpha:]]\p{L}z", "*y*z*"),
    ],
)
def test_fallback_fits_at_least_what_the_regex_was_to_fit(
    problems: Problems, pattern: str, glob: str
) -> None:
    """The proposed glob has the literal text of the pattern, and can be written instead."""
    (warning,) = problems(f"[[scope.rules]]\nselector = 'pkg:regex:{pattern}'\n").diagnostics
    assert warning.remedy == f"use a glob in its place, such as 'pkg:glob:{glob}'"
    TraceFilterConfig.from_paths(
        [], inline=[("f", HEADER + f"[[scope.rules]]\nselector = 'pkg:glob:{glob}'\n")]
    )


@pytest.mark.parametrize("pattern", [r"(a+)+$", "(?i)shop(?=x)", "a|(?=b)c", "(?=", r"\p{Lu}+"])
def test_regex_without_a_like_glob(problems: Problems, pattern: str) -> None:
    """Where no glob comes near, the warning names the other match types."""
    (warning,) = problems(f"[[scope.rules]]\nselector = 'pkg:regex:{pattern}'\n").diagnostics
    assert warning.remedy == "use glob, literal or word selectors in its place"
