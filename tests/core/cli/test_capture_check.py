"""What ``doctor`` says of recording output and input."""

from __future__ import annotations

import posix
from typing import TYPE_CHECKING

from codetracer_core.cli.capture_check import check_capture
from codetracer_core.cli.checks import State
from codetracer_filter import IoConfig, IoStream
from codetracer_policy import IoCapturePolicy

if TYPE_CHECKING:
    import pytest

STREAMS = IoConfig(capture=True, streams=(IoStream.STDOUT, IoStream.STDERR))


def test_a_method_of_another_form_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes through it would not be recorded; the rest would."""
    (whole,) = check_capture(IoCapturePolicy(), STREAMS)
    monkeypatch.setattr(posix, "write", lambda number, data: len(data))
    (check,) = check_capture(IoCapturePolicy(), STREAMS)
    assert (whole.state, check.state) == (State.OK, State.NOTE)
    assert "stdout, stderr can be recorded, but for what goes through os.write" in check.detail


def test_output_that_is_not_wanted_is_noted() -> None:
    """By the settings or by a filter."""
    for policy, config in (
        (IoCapturePolicy(line_proxies=False), STREAMS),
        (IoCapturePolicy(), IoConfig(capture=False, streams=())),
    ):
        (check,) = check_capture(policy, config)
        assert check.state is State.NOTE
        assert "is not recorded" in check.detail
