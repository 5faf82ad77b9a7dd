"""Options that stand for settings."""

from __future__ import annotations

import os

import pytest

from codetracer_core.cli.arguments import Command
from codetracer_core.cli.policy_options import POLICY_OPTIONS, policy_of_options
from codetracer_core.errors import UsageError
from codetracer_policy import OnRecorderError, RecorderPolicy, ValueRepr, resolve_policy

COMMAND = Command("try", usage="", about="", options=POLICY_OPTIONS, examples="")


def policy(*words: str) -> RecorderPolicy:
    """The policy of a session with these options and nothing else."""
    return resolve_policy(environ={}, overrides=policy_of_options(COMMAND.parse(words)))


def test_every_setting_has_an_option() -> None:
    """Given all of them, no setting keeps its default origin."""
    flags = [option.names[-1] for option in POLICY_OPTIONS if option.metavar is None]
    values = ["--on-recorder-error=abort", "--log-level=debug", "--log-file=x", "--io-capture=off"]
    limits = [f"--max-{name}=64KiB" for name in ("value", "step")]
    counts = [f"--max-{name}=3" for name in ("depth", "items", "text")]
    kept = ["--max-size=1GiB", "--keep-last=30s", "--save-on=usr1"]
    found = policy(*flags, *values, *limits, *counts, *kept, "--value-repr=call")
    assert {name for name in found.values() if str(found.origin(name)) == "default"} == set()
    assert found.on_recorder_error is OnRecorderError.ABORT
    assert found.value_repr is ValueRepr.CALL
    assert not found.io_capture.line_proxies
    assert (found.limits.max_depth, found.limits.max_value) == (3, 65536)


def test_a_setting_names_the_option_that_set_it() -> None:
    """Also where the option sets two settings."""
    found = policy("--io-capture", "proxies+fd", "--no-propagate-script-exit")
    for name in ("io_capture_line_proxies", "io_capture_fd_fallback"):
        assert str(found.origin(name)) == "override --io-capture"
    assert str(found.origin("propagate_script_exit")) == "override --propagate-script-exit"
    assert found.propagate_script_exit is False


def test_of_a_repeated_option_the_last_value_counts() -> None:
    """The opposite of an option is the same option."""
    assert policy("--require-trace", "--no-require-trace").require_trace is False
    assert policy("--no-require-trace", "--require-trace").require_trace is True
    assert policy("--max-items=1", "--max-items", "2").limits.max_items == 2


def test_no_option_sets_nothing() -> None:
    """Every origin stays the default."""
    assert policy_of_options(COMMAND.parse([])) == ()


def test_a_log_file_is_absolute_and_may_be_in_the_home_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The program may change its directory; a blank name is no file."""
    monkeypatch.setenv("HOME", "/home/ada")
    assert policy("--log-file", "x.log").log_file == os.path.abspath("x.log")
    assert policy("--log-file=~/x.log").log_file == "/home/ada/x.log"
    assert policy("--log-file=").log_file is None


def test_what_is_captured_is_checked_with_the_options() -> None:
    """A wrong value is a misuse, not a warning in the log."""
    with pytest.raises(UsageError) as caught:
        policy_of_options(COMMAND.parse(["--io-capture=sometimes"]))
    assert caught.value.code == "ERR_INVALID_POLICY_VALUE"
