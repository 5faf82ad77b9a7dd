"""Tests of the command codetracer-filter: what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codetracer_filter import TraceFilterConfig, TraceFilterEngine, load_chain
from codetracer_filter.cli import main
from codetracer_filter.cli.explain import explain

from .conftest import HEADER, WriteFilter

PROJECT = ".codetracer/trace-filter.toml"
RULES = """\
[[scope.rules]]
selector = "pkg:shop.*"
value_default = "redact"
[[scope.rules]]
selector = "obj:shop.cart.Cart.*"
exec = "skip"
reason = "not now"
[[scope.rules.value_patterns]]
selector = "local:session"
action = "allow"
reason = "a number"
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command; returns its status and what it printed to both streams."""

    def command(*arguments: str) -> tuple[int, str, str]:
        status = main(arguments)
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return command


@pytest.fixture
def project(write_filter: WriteFilter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a package and a filter of its own, as the working directory."""
    write_filter(RULES, PROJECT)
    package = tmp_path / "src" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('imported')\n")
    (package / "cart.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "src")
    return tmp_path


def test_check_of_good_files(run: Run, write_filter: WriteFilter) -> None:
    """Files without problems end with 0; they may inherit, as behind the built-in filter."""
    inherit = HEADER.replace('"trace"', '"inherit"')
    first, second = write_filter(), write_filter(path="b.toml", header=inherit)
    assert run("check", f"{first}::{second}") == (0, "2 files, no problems\n", "")


def test_check_reports_all_problems(run: Run, write_filter: WriteFilter, tmp_path: Path) -> None:
    """All problems of all files are listed with place, remedy and code, and the status is 1."""
    bad = write_filter('[[scope.rules]]\nselector = "pgk:a"\nexec = "no"\n')
    status, out, err = run("check", str(bad), str(tmp_path / "gone.toml"))
    assert (status, err) == (1, "")
    lines = out.splitlines()
    assert lines[0].startswith(f"{bad}:8:1: scope.rules[0]: the selector 'pgk:a' has")
    assert [line.rpartition(" ")[2] for line in lines[:3]] == [
        "[ERR_FILTER_SELECTOR]",
        "[ERR_FILTER_VALUE]",
        "[ERR_FILTER_NOT_FOUND]",
    ]
    assert lines[3:] == ["2 files, 3 problems"]


def test_check_as_json(run: Run, write_filter: WriteFilter) -> None:
    """JSON has each problem and each warning with all that is known of its place."""
    bad = write_filter('[[scope.rules]]\nselector = "pkg:regex:(?=a)b"\n')
    status, out, _ = run("check", "--format", "json", str(bad), str(bad))
    found = json.loads(out)
    assert (status, found["ok"], found["files"]) == (1, False, [str(bad)] * 2)
    (problem,) = found["problems"]
    assert (problem["code"], problem["kind"]) == ("ERR_FILTER_PATTERN", "Usage")
    assert (problem["line"], problem["column"], problem["rule"]) == (8, 1, 0)
    assert [warning["code"] for warning in found["warnings"]] == [
        "WARN_FILTER_REPEATED",
        "WARN_FILTER_REGEX",
    ]
    assert found["warnings"][1]["remedy"] == "use a glob in its place, such as 'pkg:glob:*b*'"


def test_explain_names_what_decided(run: Run, project: Path) -> None:
    """The rule that decided stands with file, line and reason, before all rules that fit."""
    status, out, _ = run("explain", "src/shop/cart.py:Cart.total")
    lines = out.splitlines()
    own = project / PROJECT
    assert status == 0
    assert lines[0] == f"shop.cart.Cart.total in {project}/src/shop/cart.py"
    assert f"skipped by {own}:10: obj:shop.cart.Cart.* (not now)" in lines
    places = [line.split(": ")[0].strip() for line in lines if line.startswith("  /")]
    assert places == [f"{own}:7", f"{own}:10"]
    assert "values that no pattern names are redacted" in lines


def test_explain_of_a_default(run: Run, project: Path) -> None:
    """Where no rule decides, the line of the default does."""
    _, out, _ = run("explain", "src/shop/cart.py:main", "local:x", "--no-project")
    assert 'traced by <inline:builtin-default>:13: default_exec = "trace"\n' in out
    assert 'local:x is kept by <inline:builtin-default>:14: default_value_action = "allow"\n' in out
    assert project


def test_explain_values(run: Run, project: Path) -> None:
    """Each value has the pattern that decided, and those that would have decided without it."""
    scope = ("explain", "--format", "json", "shop.cart.Cart.total")
    _, out, _ = run(*scope, "local:session", "arg:password", "attr:x", "ret")
    values = json.loads(out)["values"]
    assert [(value["kind"], value["name"], value["action"]) for value in values] == [
        ("local", "session", "allow"),
        ("arg", "password", "redact"),
        ("attr", "x", "redact"),
        ("ret", "shop.cart.Cart.total", "redact"),
    ]
    assert values[0]["decided_by"] == {
        "source": str(project / PROJECT),
        "line": 14,
        "text": "local:session",
        "reason": "a number",
    }
    assert [pattern["action"] for pattern in values[0]["patterns"]] == ["allow", "redact"]
    assert values[2]["decided_by"]["line"] == 7
    assert values[2]["patterns"] == []


def test_explain_at_module_level(run: Run, project: Path) -> None:
    """A variable of a module body is explained by the stricter of its two kinds."""
    (project / PROJECT).write_text(
        HEADER + '[[scope.rules]]\nselector = "pkg:*"\n'
        'value_patterns = [{selector = "global:x", action = "drop"}]\n'
    )
    _, out, _ = run("explain", "--format", "json", "src/shop/cart.py", "local:x", "local:y")
    values = json.loads(out)["values"]
    assert [(value["kind"], value["action"]) for value in values] == [
        ("global", "drop"),
        ("local", "allow"),
    ]


@pytest.mark.parametrize(
    ("scope", "path", "module", "name"),
    [
        ("src/shop/cart.py:Cart.total", "src/shop/cart.py", "shop.cart", "shop.cart.Cart.total"),
        ("src/shop/cart.py", "src/shop/cart.py", "shop.cart", "shop.cart.<module>"),
        ("shop.cart:Cart.total", "src/shop/cart.py", "shop.cart", "shop.cart.Cart.total"),
        ("shop.cart.Cart.total", "src/shop/cart.py", "shop.cart", "shop.cart.Cart.total"),
        ("shop.cart", "src/shop/cart.py", "shop.cart", "shop.cart.<module>"),
        ("shop.start", "src/shop/__init__.py", "shop", "shop.start"),
        ("gone.mod.Class.method", "gone/mod.py", "gone.mod", "gone.mod.Class.method"),
        ("gone.mod.function", "gone/mod.py", "gone.mod", "gone.mod.function"),
        ("gone.mod:f", "gone/mod.py", "gone.mod", "gone.mod.f"),
        ("C:\\p\\a.py:f", "C:/p/a.py", "a", "a.f"),
        ("C:\\p\\a.py", "C:/p/a.py", "a", "a.<module>"),
        ("<string>:f", "<string>", None, "f"),
    ],
)
def test_scopes_as_people_write_them(
    project: Path, scope: str, path: str, module: str | None, name: str
) -> None:
    """A scope is a file, a module or a dotted name; what it names is found without an import."""
    engine = TraceFilterEngine(load_chain(program_dir=None))
    found = explain(engine, scope, directory=str(project)).resolution
    expected = path if path.startswith(("C:", "<")) else str(project / path)
    assert (found.path, found.module, found.object) == (expected, module, name)


def test_module_option_says_what_the_code_is_called(run: Run, project: Path) -> None:
    """A script is asked about as __main__."""
    _, out, _ = run("explain", "src/shop/cart.py:f", "--module", "__main__")
    assert out.startswith(f"__main__.f in {project}/src/shop/cart.py\n")


def test_explain_says_what_it_assumed(run: Run, project: Path) -> None:
    """A file or module that is not there is asked about all the same, with a note."""
    _, out, _ = run("explain", "gone.py:f")
    assert f"note: there is no file {project}/gone.py\n" in out
    _, out, _ = run("explain", "gone.mod.f")
    assert f"note: no module gone.mod was found; its file is taken to be {project}/gone/mod" in out


def test_show_lists_the_chain(run: Run, project: Path) -> None:
    """Sources, defaults with their lines, and rules stand in the order of the chain."""
    (project / PROJECT).write_text(
        HEADER.replace('"trace"', '"skip"') + RULES + '[io]\ncapture = true\nstreams = ["stdout"]\n'
    )
    status, out, _ = run("show", "--framework", "unittest", "--only", "pkg:shop.*")
    lines = out.splitlines()
    own = project / PROJECT
    assert status == 0
    assert [line.partition(",")[0] for line in lines[:4]] == [
        "1. builtin-default (<inline:builtin-default>)",
        "2. builtin-unittest (<inline:builtin-unittest>)",
        f"3. test ({own})",
        "4. command-line (<command line>)",
    ]
    assert lines[4:7] == [
        f'{own}:5: default_exec = "skip"',
        f'{own}:6: default_value_action = "allow"',
        "output captured: stdout",
    ]
    assert lines[-2:] == ["<command line>: pkg:shop.* (--only)", "    exec = trace"]
    assert lines.index(f"{own}:7: pkg:shop.*") < lines.index("    allow local:session (a number)")


def test_show_as_json(run: Run, project: Path) -> None:
    """JSON holds every rule with its patterns, and digests in full."""
    _, out, _ = run("show", "--format", "json", "--filter", f"{project / PROJECT}")
    found: dict[str, Any] = json.loads(out)
    config = load_chain(program_dir=project)
    assert [source["sha256"] for source in found["sources"]] == [
        source.sha256 for source in config.sources
    ]
    assert len(found["rules"]) == len(config.rules)
    assert found["rules"][-1]["value_patterns"] == [
        {"selector": "local:session", "action": "allow", "line": 14, "reason": "a number"}
    ]
    assert found["defaults_from"]["default_exec"]["line"] == 5
    assert [warning["code"] for warning in found["warnings"]] == ["WARN_FILTER_REPEATED"]


def test_chain_that_cannot_be_used(run: Run, project: Path) -> None:
    """A broken chain ends with 1 and a line for each problem, or with JSON that lists them."""
    (project / PROJECT).write_text(HEADER.replace('"trace"', '"on"'))
    assert run("show", "--only", "x")[0] == 1
    status, out, err = run("explain", "shop.cart", "--only", "x", "--format", "json")
    assert status == 1
    assert [problem["code"] for problem in json.loads(out)["problems"]] == [
        "ERR_FILTER_VALUE",
        "ERR_FILTER_SELECTOR",
    ]
    assert [line.split()[2] for line in err.splitlines()] == [
        "[ERR_FILTER_VALUE]",
        "[ERR_FILTER_SELECTOR]",
    ]


def test_init_writes_a_filter_that_changes_nothing(run: Run, tmp_path: Path) -> None:
    """The starter is found as the project's filter, and decides as the built-in filter alone."""
    status, out, _ = run("init", str(tmp_path))
    path = tmp_path / PROJECT
    assert (status, out) == (0, f"wrote {path}\n")
    config = load_chain(program_dir=tmp_path)
    assert [source.path for source in config.sources][1:] == [str(path)]
    builtin = TraceFilterConfig.builtin()
    assert config.rules == builtin.rules
    assert config.default_exec is builtin.default_exec
    assert config.default_value_action is builtin.default_value_action


def test_examples_of_the_starter_are_right(run: Run, tmp_path: Path) -> None:
    """Without the signs of its comments every example of the starter loads."""
    run("init", str(tmp_path / "f.toml"))
    lines = (tmp_path / "f.toml").read_text().splitlines()
    examples = [line.removeprefix("# ") for line in lines if line.startswith(("# [[", "# sel"))]
    values = [line.removeprefix("# ") for line in lines if " = " in line and "# " in line[:2]]
    assert len(examples) >= 10
    shown = "\n".join(
        line.removeprefix("# ")
        for line in lines
        if not line.startswith("#") or line.removeprefix("# ") in (*examples, *values)
    )
    config = TraceFilterConfig.from_paths([], inline=[("base", HEADER), ("shown", shown)])
    assert len(config.rules) == 4


def test_init_replaces_nothing_unasked(run: Run, tmp_path: Path) -> None:
    """A file that is there is kept unless --force is given; what cannot be written is status 1."""
    path = tmp_path / "deep/er/f.toml"
    assert run("init", str(path))[0] == 0
    path.write_text("mine")
    status, out, err = run("init", str(path))
    assert (status, out) == (2, "")
    assert err.startswith(f"codetracer-filter: error: [ERR_FILTER_EXISTS] {path} exists; edit it")
    assert path.read_text() == "mine"
    assert run("init", "--force", str(path))[0] == 0
    assert path.read_text() != "mine"
    status, _, err = run("init", str(path / "below"))
    assert (status, err.split()[2]) == (1, "[ERR_FILTER_OUTPUT]")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], "COMMAND_LINE"),
        (["chek"], "COMMAND_LINE"),
        (["check"], "COMMAND_LINE"),
        (["check", ""], "COMMAND_LINE"),
        (["check", " :: "], "COMMAND_LINE"),
        (["show", "--format", "xml"], "COMMAND_LINE"),
        (["show", "--form", "json"], "COMMAND_LINE"),
        (["explain"], "COMMAND_LINE"),
        (["explain", "json", "x"], "COMMAND_LINE"),
        (["explain", "json", "loacl:x"], "COMMAND_LINE"),
        (["explain", "json", "local:"], "COMMAND_LINE"),
        (["explain", ""], "SCOPE"),
        (["explain", "a b"], "SCOPE"),
        (["explain", "a..b"], "SCOPE"),
        (["explain", ":f"], "SCOPE"),
    ],
)
def test_misuse_is_one_line_and_status_two(run: Run, arguments: list[str], code: str) -> None:
    """A wrong command line gives one line with a code and a remedy, and status 2."""
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"codetracer-filter: error: [ERR_FILTER_{code}] ")
    assert err.count("\n") == 1


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    """--help works for the command and each of its parts, and is printed to standard output."""
    for words in ([], ["check"], ["explain"], ["init"], ["show"]):
        with pytest.raises(SystemExit) as ended:
            main([*words, "--help"])
        assert ended.value.code == 0
        assert capsys.readouterr().out.startswith("usage: codetracer-filter")


def command(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run the command as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "codetracer_filter", *arguments],
        check=False,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        **more,
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_output_that_cannot_be_written() -> None:
    """A full disk is one line and status 1."""
    with open("/dev/full", "w") as full:
        done = command("show", stdout=full)
    assert done.returncode == 1
    assert done.stderr.startswith("codetracer-filter: error: [ERR_FILTER_OUTPUT] standard output")
    assert done.stderr.count("\n") == 1


def test_reader_that_goes_away(tmp_path: Path) -> None:
    """A pipe whose reader has gone ends the command quietly."""
    read, write = os.pipe()
    os.close(read)
    done = command("show", stdout=write, cwd=tmp_path)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_names_that_the_terminal_cannot_show(tmp_path: Path) -> None:
    """A name outside the encoding of the output is shown escaped."""
    done = command(
        "explain", "größe.py:f",
        stdout=subprocess.PIPE, cwd=tmp_path, env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "gr\\xf6\\xdfe.py" in done.stdout
