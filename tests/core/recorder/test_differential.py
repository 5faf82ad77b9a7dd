"""The recorder against an observer: both watch the same program, each in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core.recorder.support import PROGRAMS, assert_same, observe, record

NAMES = {path.stem for path in PROGRAMS.glob("*.py")}
if sys.version_info < (3, 12):
    NAMES.remove("type_parameters")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_event_of_a_program_is_recorded_as_it_happened(name: str, tmp_path: Path) -> None:
    """Steps with all variables, calls with arguments, and every way a frame ends or goes on are
    what an independent observer sees, in each thread."""
    script = PROGRAMS / f"{name}.py"
    watched, observed = observe(script, tmp_path)
    recorded = record(script, tmp_path)
    assert recorded.outcome == watched
    assert recorded.stats["failure"] is None
    assert recorded.stats["lost_frames"] == 0
    assert_same(recorded.events(), observed)
