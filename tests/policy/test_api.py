"""The policy of the process and of one session: who wins, and what callers get wrong."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codetracer_policy import (
    OnRecorderError,
    OriginKind,
    PolicyError,
    PolicyOrigin,
    PolicySource,
    PolicyTypeError,
    PolicyUpdate,
    PolicyValueError,
    apply_policy_update,
    configure_policy,
    configure_policy_from_env,
    current_policy,
    policy_snapshot,
    reset_policy,
    resolve_policy,
)
from codetracer_policy.model import FIELD_NAMES


@pytest.fixture(autouse=True)
def _fresh_policy() -> Iterator[None]:
    reset_policy()
    yield
    reset_policy()


def test_the_snapshot_has_the_known_keys_and_types() -> None:
    """The snapshot is a plain dictionary with the keys that existing callers read."""
    assert policy_snapshot() == {
        "on_recorder_error": "disable",
        "require_trace": False,
        "keep_partial_trace": True,
        "log_level": None,
        "log_file": None,
        "json_errors": False,
        "module_name_from_globals": True,
        "propagate_script_exit": True,
        "io_capture": {"line_proxies": True, "fd_fallback": False},
    }
    assert type(policy_snapshot()["on_recorder_error"]) is str


def test_configuring_by_position_and_by_name() -> None:
    """The ten known parameters keep their order, and None leaves a setting as it is."""
    configure_policy(" ABORT ", True, False, "debug", "/log", True, False, True, False, False)
    configure_policy(require_trace=None, keep_partial_trace=True)
    assert policy_snapshot() == {
        "on_recorder_error": "abort",
        "require_trace": True,
        "keep_partial_trace": True,
        "log_level": "debug",
        "log_file": "/log",
        "json_errors": True,
        "module_name_from_globals": False,
        "propagate_script_exit": False,
        "io_capture": {"line_proxies": False, "fd_fallback": False},
    }


def test_configuring_limits_with_units() -> None:
    """Limits are keyword arguments, and those in bytes may be texts with a unit."""
    configure_policy(max_depth=2, max_step="1MiB", value_repr="call")
    limits = current_policy().limits
    assert (limits.max_depth, limits.max_step) == (2, 1024 * 1024)
    assert current_policy().value_repr == "call"


def test_paths_may_be_path_objects(tmp_path: Path) -> None:
    """A log file may be any path-like object, and a blank one clears the setting."""
    configure_policy(log_file=tmp_path / "log")
    assert current_policy().log_file == str(tmp_path / "log")
    configure_policy(log_file=" ")
    assert current_policy().log_file is None


@pytest.mark.parametrize("given", [3, "max_depth", ["max_depth"], PolicySource([], "a file")])  # type: ignore[arg-type]
def test_settings_that_are_no_mapping_are_a_type_error(given: object) -> None:
    """What is no mapping from names to values is refused with the error that wrong types give."""
    with pytest.raises(PolicyTypeError, match="use a mapping of settings") as caught:
        resolve_policy(overrides=given)  # type: ignore[arg-type]
    assert caught.value.code == "ERR_INVALID_POLICY_VALUE"


def test_an_unknown_setting_is_a_type_error_with_the_nearest_name() -> None:
    """A misspelt keyword is a TypeError that suggests the right one, and nothing is changed."""
    with pytest.raises(PolicyTypeError, match="did you mean require_trace") as caught:
        configure_policy(json_errors=True, requiretrace=True)
    assert isinstance(caught.value, TypeError)
    assert caught.value.code == "ERR_UNKNOWN_POLICY_KEY"
    assert not current_policy().json_errors


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("require_trace", 1),
        ("json_errors", "on"),
        ("log_level", 3),
        ("log_file", 3),
        ("max_items", 2.5),
        ("max_items", True),
        ("on_recorder_error", False),
        ("value_repr", 1),
    ],
)
def test_wrong_types_are_refused(name: str, value: object) -> None:
    """A value of the wrong type is a TypeError that names the setting and the type."""
    with pytest.raises(PolicyTypeError, match=rf"{name} .*{type(value).__name__} is not allowed"):
        resolve_policy(environ={}, overrides={name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("on_recorder_error", ""),
        ("on_recorder_error", "explode"),
        ("value_repr", "str"),
        ("max_depth", 33),
        ("max_value", "1GiB"),
        ("max_text", "64KiB"),
    ],
)
def test_wrong_values_are_refused(name: str, value: object) -> None:
    """A value of the right type that a setting cannot take is a ValueError."""
    with pytest.raises(PolicyValueError) as caught:
        resolve_policy(environ={}, overrides={name: value})
    assert caught.value.code == "ERR_INVALID_POLICY_VALUE"
    assert isinstance(caught.value, ValueError)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=3,
)


@given(st.dictionaries(st.sampled_from(FIELD_NAMES) | st.text(max_size=20), anything, max_size=4))
@example({"max_items": 10**5000})
@example({"log_file": "a\0b"})
def test_any_mapping_is_a_policy_or_a_policy_error(settings: dict[str, object]) -> None:
    """Settings of any name and type are applied, or refused with a remedy for each."""
    try:
        policy = resolve_policy(environ={}, overrides=settings)
    except PolicyError as error:
        assert all(problem.remedy for problem in error.problems)
        assert {problem.name for problem in error.problems} <= {*settings, *map(repr, settings)}
        assert all(problem.name.isprintable() for problem in error.problems)
    else:
        given_names = {name for name, value in settings.items() if value is not None}
        assert given_names <= {name for name, _ in policy.origins}


def test_configuring_is_all_or_nothing() -> None:
    """When one of several settings is wrong, all problems are told and none is applied."""
    with pytest.raises(PolicyValueError) as caught:
        configure_policy(on_recorder_error="explode", require_trace=True, max_depth=99)
    assert [problem.name for problem in caught.value.problems] == ["on_recorder_error", "max_depth"]
    assert current_policy().origins == ()


def test_the_environment_can_be_put_into_the_process() -> None:
    """Configuring from the environment stays, and an invalid variable changes nothing."""
    configure_policy_from_env({"CODETRACER_REQUIRE_TRACE": "on"})
    assert policy_snapshot()["require_trace"] is True
    with pytest.raises(PolicyValueError):
        configure_policy_from_env({"CODETRACER_JSON_ERRORS": "on", "CODETRACER_MAX_TEXT": "many"})
    assert policy_snapshot()["json_errors"] is False


def test_precedence_of_all_sources() -> None:
    """Default, project file, configured, environment and override win in that order."""
    configure_policy(max_items=30, max_text=30, max_depth=3)
    policy = resolve_policy(
        project=PolicySource(
            {"max_step": 20000, "max_items": 20, "max_text": 20, "max_depth": 2}, "pyproject.toml"
        ),
        environ={"CODETRACER_MAX_TEXT": "40", "CODETRACER_MAX_DEPTH": "4"},
        overrides=PolicySource({"max_depth": 5}, "--max-depth"),
    )
    limits = policy.limits
    found = [
        (limits.max_value, str(policy.origin("max_value"))),
        (limits.max_step, str(policy.origin("max_step"))),
        (limits.max_items, str(policy.origin("max_items"))),
        (limits.max_text, str(policy.origin("max_text"))),
        (limits.max_depth, str(policy.origin("max_depth"))),
    ]
    assert found == [
        (16384, "default"),
        (20000, "file pyproject.toml"),
        (30, "configured"),
        (40, "environment CODETRACER_MAX_TEXT"),
        (5, "override --max-depth"),
    ]


def test_a_configured_default_beats_the_file() -> None:
    """A setting that was configured to its default value still wins over a project's file."""
    configure_policy(json_errors=False, log_level="")
    project = PolicySource({"json_errors": True, "log_level": "debug"}, "pyproject.toml")
    policy = resolve_policy(project=project, environ={})
    assert policy.json_errors is False
    assert policy.log_level is None


def test_a_session_does_not_change_the_process() -> None:
    """Resolving a session's policy leaves the policy of the process as it was."""
    policy = resolve_policy(environ={}, overrides={"on_recorder_error": "abort"})
    assert policy.on_recorder_error is OnRecorderError.ABORT
    assert current_policy().on_recorder_error is OnRecorderError.DISABLE


def test_overrides_may_be_an_update() -> None:
    """An update that is already typed is accepted as it is."""
    assert resolve_policy(environ={}, overrides=PolicyUpdate(max_items=1)).limits.max_items == 1


def test_a_mistake_in_a_file_names_the_file() -> None:
    """Problems of a project's settings say in which file they stand."""
    project = PolicySource({"max_depht": 3, "json_errors": "yes"}, "/srv/pyproject.toml")
    with pytest.raises(PolicyTypeError) as caught:
        resolve_policy(project=project, environ={})
    assert {problem.place for problem in caught.value.problems} == {"/srv/pyproject.toml"}
    assert [problem.name for problem in caught.value.problems] == ["max_depht", "json_errors"]
    assert "did you mean max_depth" in caught.value.message


class SlowUpdate(PolicyUpdate):
    """Sets ``max_depth`` to 1, and stays in the middle of being applied until it is released."""

    __slots__ = ()
    started, release = threading.Event(), threading.Event()

    def given(self) -> dict[str, object]:
        self.started.set()
        self.release.wait(60)
        return {"max_depth": 1}


@pytest.fixture
def half_applied() -> Iterator[threading.Thread]:
    """A thread that is in the middle of changing the policy."""
    SlowUpdate.started.clear()
    SlowUpdate.release.clear()
    thread = threading.Thread(target=apply_policy_update, args=(SlowUpdate(),))
    thread.start()
    SlowUpdate.started.wait(60)
    yield thread
    SlowUpdate.release.set()
    thread.join()


def test_changes_at_the_same_time_are_all_kept(half_applied: threading.Thread) -> None:
    """A change that comes during another one in another thread is not undone by it."""
    other = threading.Thread(target=configure_policy, kwargs={"max_items": 2})
    other.start()
    other.join(0.2)
    SlowUpdate.release.set()
    other.join()
    half_applied.join()
    limits = current_policy().limits
    assert (limits.max_depth, limits.max_items) == (1, 2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.usefixtures("half_applied")
def test_a_child_can_configure_while_the_parent_was_configuring() -> None:
    """A fork during a change in another thread leaves the child able to change its own policy."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(30)
        try:
            configure_policy(max_items=1)
        finally:
            os._exit(current_policy().limits.max_items)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


def test_overrides_may_come_from_several_places() -> None:
    """Each setting names the place that decided; of two places with one setting the later wins."""
    policy = resolve_policy(
        environ={},
        overrides=(
            PolicySource({"max_depth": 5, "max_items": 7}, "first"),
            PolicySource({"max_depth": 6}, "second"),
        ),
    )
    assert (policy.limits.max_depth, policy.limits.max_items) == (6, 7)
    assert policy.origin("max_depth") == PolicyOrigin(OriginKind.OVERRIDE, "second")
    assert policy.origin("max_items") == PolicyOrigin(OriginKind.OVERRIDE, "first")


def test_mistakes_in_several_places_are_reported_together() -> None:
    """One exception holds the problems of every place, each with its name."""
    sources = (PolicySource({"max_depth": 99}, "first"), PolicySource({"log_level": 1}, "second"))
    with pytest.raises(PolicyTypeError) as caught:
        resolve_policy(environ={}, overrides=sources)
    assert [problem.place for problem in caught.value.problems] == ["first", "second"]
