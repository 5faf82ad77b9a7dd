"""The policy as data: defaults, changes, couplings and origins."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetracer_policy import (
    CaptureLimits,
    OnRecorderError,
    OriginKind,
    PolicyError,
    PolicyOrigin,
    PolicyPath,
    PolicyUpdate,
    PolicyValueError,
    RecorderPolicy,
    ValueRepr,
)
from codetracer_policy.model import FIELD_NAMES, LIMIT_BOUNDS

HERE = PolicyOrigin(OriginKind.OVERRIDE, "--here")

updates = st.builds(
    PolicyUpdate,
    on_recorder_error=st.none() | st.sampled_from(OnRecorderError),
    require_trace=st.none() | st.booleans(),
    log_level=st.none() | st.sampled_from(["", "  ", "debug", " warn "]),
    log_file=st.none() | st.builds(PolicyPath, st.none() | st.just("/log")),
    io_capture_line_proxies=st.none() | st.booleans(),
    io_capture_fd_fallback=st.none() | st.booleans(),
    max_text=st.none() | st.integers(*LIMIT_BOUNDS["max_text"]),
    max_step=st.none() | st.integers(*LIMIT_BOUNDS["max_step"]),
    value_repr=st.none() | st.sampled_from(ValueRepr),
)


def test_defaults_let_the_program_run_on_and_keep_its_trace() -> None:
    """By default a recorder failure ends recording only, and trace and exit status are kept."""
    assert RecorderPolicy().values() == {
        "on_recorder_error": "disable",
        "require_trace": False,
        "keep_partial_trace": True,
        "log_level": None,
        "log_file": None,
        "json_errors": False,
        "io_capture_line_proxies": True,
        "io_capture_fd_fallback": False,
        "module_name_from_globals": True,
        "propagate_script_exit": True,
        "max_depth": 6,
        "max_items": 100,
        "max_text": 1024,
        "max_value": 16384,
        "max_step": 262144,
        "value_repr": "fields",
        "redact_output": True,
        "capture_logging": False,
        "follow": True,
        "max_size": 0,
        "keep_last": "",
        "save_on": "none",
    }


def test_a_policy_cannot_be_changed_in_place() -> None:
    """Assigning to a field of a policy is refused."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        RecorderPolicy().require_trace = True  # type: ignore[misc]


@given(updates)
def test_apply_leaves_the_original_alone(update: PolicyUpdate) -> None:
    """Applying an update gives a new policy and does not touch the one it starts from."""
    before = RecorderPolicy()
    before.apply(update)
    assert before == RecorderPolicy()
    assert before.origins == ()


def test_an_update_has_a_field_for_every_setting() -> None:
    """The flat names of the settings are the fields of an update, in their order."""
    assert tuple(field.name for field in dataclasses.fields(PolicyUpdate)) == FIELD_NAMES


@given(updates)
def test_apply_sets_what_the_update_names_and_nothing_else(update: PolicyUpdate) -> None:
    """A setting that an update does not name keeps its value and its origin."""
    after = RecorderPolicy().apply(update, origin=HERE)
    for name in FIELD_NAMES:
        if name not in update.given() and name != "io_capture_fd_fallback":
            assert after.values()[name] == RecorderPolicy().values()[name]
            assert after.origin(name).kind is OriginKind.DEFAULT
        elif name in update.given():
            assert after.origin(name) is HERE


@given(st.lists(updates, max_size=4))
def test_mirroring_never_outlives_the_proxies(changes: list[PolicyUpdate]) -> None:
    """Whatever is applied, descriptors are mirrored only while the proxies are on."""
    policy = RecorderPolicy()
    for change in changes:
        policy = policy.apply(change)
        assert policy.io_capture.line_proxies or not policy.io_capture.fd_fallback


def test_mirroring_does_not_come_back_with_the_proxies() -> None:
    """Turning the proxies off and on again leaves mirroring off."""
    policy = RecorderPolicy().apply(PolicyUpdate(io_capture_fd_fallback=True))
    assert policy.io_capture.fd_fallback
    policy = policy.apply(PolicyUpdate(io_capture_line_proxies=False), origin=HERE)
    assert policy.origin("io_capture_fd_fallback") is HERE
    assert not policy.apply(PolicyUpdate(io_capture_line_proxies=True)).io_capture.fd_fallback


@given(st.lists(updates, max_size=4))
def test_layers_rebuild_the_policy(changes: list[PolicyUpdate]) -> None:
    """A policy's layers, put over the defaults, give the same values and origins."""
    policy = RecorderPolicy()
    for number, change in enumerate(changes):
        policy = policy.apply(change, origin=PolicyOrigin(OriginKind.CONFIGURED, str(number)))
    rebuilt = RecorderPolicy()
    for layer in policy.layers():
        rebuilt = rebuilt.apply(layer.update, origin=layer.origin)
    assert rebuilt == policy
    assert dict(rebuilt.origins) == dict(policy.origins)


def test_an_update_can_clear_what_is_set() -> None:
    """A blank log level and an empty path give "none" again."""
    policy = RecorderPolicy().apply(PolicyUpdate(log_level="debug", log_file=PolicyPath("/log")))
    assert (policy.log_level, policy.log_file) == ("debug", "/log")
    policy = policy.apply(PolicyUpdate(log_level=" ", log_file=PolicyPath(None)))
    assert (policy.log_level, policy.log_file) == (None, None)


def test_limits_out_of_bounds_are_refused_together() -> None:
    """Limits below or above their bounds raise one error that names each of them."""
    with pytest.raises(PolicyValueError) as caught:
        CaptureLimits(max_depth=-1, max_text=2**40)
    assert [problem.name for problem in caught.value.problems] == ["max_depth", "max_text"]
    assert "from 0 to 30" in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_an_unknown_setting_has_no_value_and_no_origin() -> None:
    """Asking a policy for a setting that does not exist is a KeyError."""
    with pytest.raises(KeyError):
        RecorderPolicy().origin("colour")
    with pytest.raises(KeyError):
        RecorderPolicy().value("colour")


def test_policies_survive_pickling_and_copying() -> None:
    """A policy with origins can be sent to another process."""
    policy = RecorderPolicy().apply(PolicyUpdate(max_items=3), origin=HERE)
    for other in (pickle.loads(pickle.dumps(policy)), copy.deepcopy(policy)):
        assert other == policy
        assert other.origins == policy.origins


def test_errors_carry_code_kind_context_and_remedy() -> None:
    """A policy error names its code, kind and the settings concerned, and says what to do."""
    with pytest.raises(PolicyError) as caught:
        CaptureLimits(max_step=1)
    error = caught.value
    assert (error.code, error.kind) == ("ERR_INVALID_POLICY_VALUE", "Usage")
    assert error.context == {"settings": "max_step"}
    assert "use a number from 1024" in error.message
    assert str(error) == f"[{error.code}] {error.message} (settings=max_step)"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
