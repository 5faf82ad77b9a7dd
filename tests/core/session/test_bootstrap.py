"""What is checked before a session starts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from codetracer_core.errors import RecorderError, UsageError
from codetracer_core.session.bootstrap import TraceSessionBootstrap


def test_everything_a_session_needs_is_prepared(tmp_path: Path) -> None:
    """Folder, description, filters and policy come from the arguments and environments given."""
    bootstrap = TraceSessionBootstrap.prepare(
        tmp_path / "out",
        policy={"max_items": 7},
        policy_environ={"CODETRACER_MAX_TEXT": "99"},
        argv=["app.py", "x"],
        main_script=str(tmp_path / "app.py"),
    )
    assert bootstrap.folder.path == tmp_path / "out"
    assert bootstrap.metadata.args == ("x",)
    assert bootstrap.policy.limits.max_items == 7
    assert bootstrap.policy.limits.max_text == 99
    assert len(bootstrap.filters.sources) == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"policy": {"max_items": -1}}, "ERR_INVALID_POLICY_VALUE"),
        ({"policy": {"no_such": 1}}, "ERR_UNKNOWN_POLICY_KEY"),
        ({"policy_environ": {"CODETRACER_REQUIRE_TRACE": "maybe"}}, "ERR_INVALID_POLICY_VALUE"),
        ({"trace_filter": "missing.toml"}, "ERR_FILTER_NOT_FOUND"),
    ],
)
def test_a_wrong_argument_leaves_no_folder(
    arguments: dict[str, object], code: str, tmp_path: Path
) -> None:
    """The error is the caller's, with the code of the package that found it."""
    with pytest.raises(UsageError) as caught:
        TraceSessionBootstrap.prepare(tmp_path / "a" / "b", argv=["x"], **arguments)  # type: ignore[arg-type]
    assert caught.value.code == code
    assert list(tmp_path.iterdir()) == []


def test_an_unusable_folder_is_found(tmp_path: Path) -> None:
    """The folder is checked as well."""
    (tmp_path / "file").touch()
    with pytest.raises(RecorderError) as caught:
        TraceSessionBootstrap.prepare(tmp_path / "file", argv=["x"])
    assert caught.value.code == "ERR_TRACE_DIR_CONFLICT"


def test_the_environment_is_asked_for_a_filter_only_when_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sessions that a program starts do not read the variable; the command line does."""
    monkeypatch.setenv("CODETRACER_TRACE_FILTER", "missing.toml")
    TraceSessionBootstrap.prepare(tmp_path, argv=["x"])
    with pytest.raises(UsageError):
        TraceSessionBootstrap.prepare(tmp_path, argv=["x"], filter_environ=os.environ)
