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


def test_defaults_may_be_stated(tmp_path: Path) -> None:
    """What is set to the value that it has anyway is no misuse."""
    variables = {
        "CODETRACER_CAPTURE_IO": "proxies",
        "CODETRACER_VALUE_REPR": "fields",
        "CODETRACER_PROPAGATE_SCRIPT_EXIT": "on",
        "CODETRACER_KEEP_PARTIAL_TRACE": "on",
        "CODETRACER_MODULE_NAME_FROM_GLOBALS": "on",
    }
    TraceSessionBootstrap.prepare(tmp_path, argv=["x"], policy_environ=variables)


def test_selectors_and_the_filter_of_a_test_framework_join_the_chain(tmp_path: Path) -> None:
    """The framework's filter can be left out."""
    chosen = TraceSessionBootstrap.prepare(
        tmp_path, argv=["x"], framework="pytest", only=["pkg:mine"], skip=["pkg:mine.sub"]
    )
    paths = [source.path for source in chosen.filters.sources]
    assert "<inline:builtin-pytest>" in paths
    assert "<command line>" in paths[-1]
    without = TraceSessionBootstrap.prepare(
        tmp_path, argv=["x"], framework="pytest", framework_filters=False
    )
    assert len(without.filters.sources) == 1


def test_the_file_that_activates_recording_is_known_by_its_real_path(tmp_path: Path) -> None:
    """Links are followed, and a file inside a zip file is accepted."""
    (tmp_path / "real.py").touch()
    (tmp_path / "link.py").symlink_to("real.py")
    for given in (tmp_path / "link.py", str(tmp_path / "x" / ".." / "real.py")):
        bootstrap = TraceSessionBootstrap.prepare(
            tmp_path / "out", argv=["x"], activation_path=given
        )
        assert bootstrap.activation_path == str(tmp_path / "real.py")
    inside = TraceSessionBootstrap.prepare(
        tmp_path / "out", argv=["x"], activation_path=tmp_path / "real.py" / "inner.py"
    )
    assert inside.activation_path == str(tmp_path / "real.py" / "inner.py")


@pytest.mark.parametrize("name", ["missing.py", "."])
def test_what_can_never_activate_recording_is_refused(tmp_path: Path, name: str) -> None:
    """What does not exist and a folder are no file to begin in; no folder is made then."""
    given = tmp_path / name
    with pytest.raises(UsageError, match="in what is no file") as caught:
        TraceSessionBootstrap.prepare(tmp_path / "out", argv=["x"], activation_path=given)
    assert caught.value.code == "ERR_INVALID_ARGUMENT"
    assert caught.value.context == {"path": str(given)}
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
