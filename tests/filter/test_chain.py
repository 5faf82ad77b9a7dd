"""Tests of the chain: discovery of the project's filter, chain texts, and the order of sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from codetracer_filter import (
    FilterError,
    TraceFilterConfig,
    discover_project_filter,
    load_chain,
    split_chain,
)

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
