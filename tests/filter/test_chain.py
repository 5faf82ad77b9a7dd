"""Tests of the chain: discovery of the project's filter, chain texts, and the order of sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from codetracer_filter import (
    ExecDecision,
    FilterError,
    TraceFilterConfig,
    TraceFilterEngine,
    ValueAction,
    ValueKind,
    discover_project_filter,
    load_chain,
    split_chain,
)
from codetracer_filter.discovery import FRAMEWORKS

from .conftest import WriteFilter

PROJECT = ".codetracer/trace-filter.toml"


def paths(config: TraceFilterConfig) -> list[str]:
    """The paths of a chain's sources."""
    return [source.path for source in config.sources]


def test_nearest_project_filter_is_found(write_filter: WriteFilter, tmp_path: Path) -> None:
    """The walk goes from the program's folder upwards and stops at the first hit."""
    outer = write_filter(path=PROJECT)
    inner = write_filter(path=f"a/{PROJECT}")
    deep = tmp_path / "a/b/c"
    deep.mkdir(parents=True)
    assert discover_project_filter(deep) == str(inner)
    assert discover_project_filter(tmp_path / "a") == str(inner)
    assert discover_project_filter(tmp_path) == str(outer)


def test_folder_with_the_name_of_the_filter_is_passed_over(
    write_filter: WriteFilter, tmp_path: Path
) -> None:
    """A folder called trace-filter.toml does not end the walk."""
    outer = write_filter(path=PROJECT)
    (tmp_path / "a" / PROJECT).mkdir(parents=True)
    assert discover_project_filter(tmp_path / "a") == str(outer)


def test_folder_that_does_not_exist_is_walked_from(
    write_filter: WriteFilter, tmp_path: Path
) -> None:
    """A program folder that is not there still has parents to look in."""
    outer = write_filter(path=PROJECT)
    assert discover_project_filter(tmp_path / "gone/deeper") == str(outer)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a.toml", ["a.toml"]),
        (" a.toml :: b c.toml ", ["a.toml", "b c.toml"]),
        ("::a::::b::", ["a", "b"]),
        ("", []),
        (" :: ", []),
    ],
)
def test_chain_text(text: str, parts: list[str]) -> None:
    """A chain text is split at '::'; blanks around parts and empty parts vanish."""
    assert split_chain(text) == parts


def test_chain_order(write_filter: WriteFilter, tmp_path: Path) -> None:
    """The built-in filter comes first, then the project's, then the explicit ones in order."""
    project = write_filter(path=PROJECT)
    names = ["x.toml", "y.toml", "z.toml"]
    x, y, z = (write_filter(path=f"more/{name}") for name in names)
    config = load_chain([f"{y}::{x}", z], program_dir=tmp_path)
    assert paths(config) == ["<inline:builtin-default>", *map(str, (project, y, x, z))]


def test_chain_without_a_program_looks_for_no_project(tmp_path: Path) -> None:
    """Without a program's folder, and with nothing found, the chain is the built-in filter."""
    assert paths(load_chain(program_dir=None)) == ["<inline:builtin-default>"]
    assert paths(load_chain(program_dir=tmp_path)) == ["<inline:builtin-default>"]
    assert paths(TraceFilterConfig.builtin()) == ["<inline:builtin-default>"]


def test_home_folder_is_expanded(
    write_filter: WriteFilter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path that begins with '~' starts at the home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    path = write_filter(path="mine.toml")
    assert paths(load_chain(["~/mine.toml"], program_dir=None))[1:] == [str(path)]


def test_links_are_followed(write_filter: WriteFilter, tmp_path: Path) -> None:
    """A filter named through a link has the path and the root of the real file."""
    path = write_filter(path="real/f.toml")
    (tmp_path / "link.toml").symlink_to(path)
    config = load_chain([tmp_path / "link.toml"], program_dir=None)
    assert (config.sources[1].path, config.sources[1].root) == (str(path), str(tmp_path / "real"))


def test_project_filter_named_again_is_used_once(write_filter: WriteFilter, tmp_path: Path) -> None:
    """Naming the discovered filter explicitly changes nothing but adds a warning."""
    project = write_filter(path=PROJECT)
    config = load_chain([str(project)], program_dir=tmp_path)
    assert paths(config) == ["<inline:builtin-default>", str(project)]
    assert [diagnostic.code for diagnostic in config.diagnostics] == ["WARN_FILTER_REPEATED"]


def test_invalid_project_filter_is_an_error(write_filter: WriteFilter, tmp_path: Path) -> None:
    """A broken project filter is reported, together with a missing explicit one."""
    write_filter("[oops", path=PROJECT)
    with pytest.raises(FilterError) as caught:
        load_chain([tmp_path / "gone.toml"], program_dir=tmp_path)
    assert [problem.code for problem in caught.value.problems] == [
        "ERR_FILTER_SYNTAX",
        "ERR_FILTER_NOT_FOUND",
    ]


def test_filter_of_a_framework_follows_the_default_one(
    write_filter: WriteFilter, tmp_path: Path
) -> None:
    """The framework's filter stands before the project's, which can correct it."""
    project = write_filter(path=PROJECT)
    for framework in FRAMEWORKS:
        config = load_chain(program_dir=tmp_path, framework=framework)
        assert paths(config) == [
            "<inline:builtin-default>",
            f"<inline:builtin-{framework}>",
            str(project),
        ]


def test_unknown_framework_is_an_error() -> None:
    """A framework without a filter is named together with the known ones."""
    with pytest.raises(FilterError, match=r"'unitest'; did you mean 'unittest'\?") as caught:
        load_chain(program_dir=None, framework="unitest")
    assert caught.value.code == "ERR_FILTER_NOT_FOUND"


def decided(config: TraceFilterConfig, *scopes: tuple[str, str]) -> list[str]:
    """What a chain decides about functions, each given by its module and name."""
    engine = TraceFilterEngine(config)
    return [engine.resolve_query("/p/a.py", name, module).exec.value for module, name in scopes]


SCOPES = [("shop.cart", "total"), ("shop.cart", "debug"), ("other", "total")]


def test_only_skips_everything_else() -> None:
    """With --only nothing but what it selects is traced, even what the default filter skips."""
    config = load_chain(program_dir=None, only=["pkg:shop.*", "pkg:json"])
    assert decided(config, *SCOPES) == ["trace", "trace", "skip"]
    library = TraceFilterEngine(config).resolve_query("/usr/lib/python3.12/j.py", "dumps", "json")
    assert library.exec == "trace"
    assert library.policy.decide(ValueKind.LOCAL, "password") is ValueAction.REDACT


def test_skip_wins_over_only() -> None:
    """What --skip selects is not traced, whatever selects it too."""
    assert decided(load_chain(program_dir=None, skip=["obj:*.debug"]), *SCOPES) == [
        "trace", "skip", "trace",
    ]  # fmt: skip
    both = load_chain(program_dir=None, only=["pkg:shop.*"], skip=["obj:*.debug"])
    assert decided(both, *SCOPES) == ["trace", "skip", "skip"]


def test_selectors_of_the_command_line_come_last(write_filter: WriteFilter) -> None:
    """They are a source of their own behind every file, and their rules say where they are from."""
    path = write_filter('[[scope.rules]]\nselector = "pkg:shop.*"\nexec = "skip"\n')
    config = load_chain([path], program_dir=None, only=["pkg:shop.*"])
    assert paths(config)[-1] == "<command line>"
    rule = TraceFilterEngine(config).resolve_query("/p/a.py", "f", "shop.cart").rule
    assert str(rule) == "<command line>: pkg:shop.* (--only)"


def test_paths_of_the_command_line_start_at_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative file selector means what the shell would make of it."""
    monkeypatch.chdir(tmp_path)
    engine = TraceFilterEngine(load_chain(program_dir=None, only=["file:src/*.py"]))
    assert engine.resolve_file(str(tmp_path / "src/a.py")) is ExecDecision.TRACE
    assert engine.resolve_file("/elsewhere/src/a.py") is ExecDecision.SKIP


def test_all_wrong_selectors_of_the_command_line_are_named() -> None:
    """Each one is a problem that says which option it was given to."""
    with pytest.raises(FilterError) as caught:
        load_chain(program_dir=None, only=["pgk:x", "local:y"], skip=["pkg:regex:("])
    assert [(problem.code[11:], problem.path) for problem in caught.value.problems] == [
        ("SELECTOR", "<command line> --only"),
        ("SELECTOR", "<command line> --only"),
        ("PATTERN", "<command line> --skip"),
    ]
