"""Which filters a session uses, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from codetracer_core.errors import RecorderError, UsageError
from codetracer_core.session.filters import (
    explicit_filters,
    filter_entries,
    load_filters,
    program_directory,
)

FILTER = """\
[meta]
name = "{name}"
version = 1
[scope]
default_exec = "inherit"
default_value_action = "inherit"
"""


def write_filter(path: Path, name: str) -> Path:
    """Write a filter called `name` that changes nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(FILTER.format(name=name))
    return path


def test_the_environment_comes_before_the_caller() -> None:
    """Filters of the command line can correct those of the environment."""
    environ = {"CODETRACER_TRACE_FILTER": "env.toml::env2.toml"}
    assert explicit_filters("a.toml", environ) == ["env.toml::env2.toml", "a.toml"]
    assert explicit_filters(["a", Path("b")], {}) == ["a", Path("b")]
    assert explicit_filters(None) == []


@pytest.mark.parametrize("given", [b"x.toml", [3], ["a", None]])
def test_a_filter_that_is_no_path_is_a_type_error(given: object) -> None:
    """The error is the caller's, and a TypeError as well."""
    with pytest.raises(TypeError) as caught:
        explicit_filters(given)  # type: ignore[arg-type]
    assert isinstance(caught.value, UsageError)
    assert caught.value.code == "ERR_INVALID_ARGUMENT"


def test_the_chain_is_built_in_then_project_then_explicit(tmp_path: Path) -> None:
    """The nearest project filter above the program is found; each source has a digest."""
    project = write_filter(tmp_path / ".codetracer" / "trace-filter.toml", "project")
    mine = write_filter(tmp_path / "mine.toml", "mine")
    folder = tmp_path / "src" / "app"
    folder.mkdir(parents=True)
    entries = filter_entries(load_filters([mine], str(folder)))
    assert [entry["name"] for entry in entries][1:] == ["project", "mine"]
    assert [entry["path"] for entry in entries][1:] == [str(project), str(mine)]
    assert all(len(str(entry["sha256"])) == 64 for entry in entries)
    without = filter_entries(load_filters([], None))
    assert len(without) == 1
    assert str(without[0]["path"]).startswith("<inline:")


def test_an_invalid_filter_is_an_error_of_core(tmp_path: Path) -> None:
    """Code, kind and context of the filter package's error are kept."""
    broken = tmp_path / "broken.toml"
    broken.write_text("[meta\n")
    with pytest.raises(RecorderError) as caught:
        load_filters([broken], None)
    assert caught.value.code == "ERR_FILTER_SYNTAX"
    assert caught.value.kind == "Usage"
    assert caught.value.context["path"] == str(broken)


def test_a_project_is_looked_for_from_the_program_upwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script's folder, the folder itself, and the working directory for code without a file."""
    monkeypatch.chdir(tmp_path)
    assert program_directory("src/app.py") == str(tmp_path / "src")
    assert program_directory(str(tmp_path)) == str(tmp_path)
    for word in ("", " ", "-", "-c", "-m"):
        assert program_directory(word) == str(tmp_path)
