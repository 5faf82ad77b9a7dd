"""The recorder against the observer on programs made at random.

The long form, with two hundred programs of each kind, runs when ``CODETRACER_LONG_TESTS`` is set.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.recorder.random_exceptions import random_exceptions
from core.recorder.random_program import random_program
from core.recorder.support import assert_same, observe, record

PROGRAMS = 200 if "CODETRACER_LONG_TESTS" in os.environ else 4


@pytest.mark.parametrize("seed", range(PROGRAMS))
def test_every_change_of_a_variable_is_recorded(seed: int, tmp_path: Path) -> None:
    """Whatever a statement does to a value, also one that other variables share or that contains
    itself, the next step shows it."""
    script = tmp_path / "program.py"
    script.write_text(random_program(seed), encoding="utf-8")
    watched, observed = observe(script, tmp_path)
    recorded = record(script, tmp_path)
    assert recorded.outcome == watched
    assert watched.output == ""
    assert recorded.stats["steps"] > 1000
    assert_same(recorded.events(), observed)


@pytest.mark.parametrize("seed", range(PROGRAMS))
def test_every_exception_is_recorded_where_it_is_raised_and_caught(
    seed: int, tmp_path: Path
) -> None:
    """In whatever blocks an exception is raised, caught, raised again or swallowed, the records of
    it stand between the same steps as the observer sees them."""
    script = tmp_path / "program.py"
    script.write_text(random_exceptions(seed), encoding="utf-8")
    watched, observed = observe(script, tmp_path)
    recorded = record(script, tmp_path)
    assert recorded.outcome == watched
    kinds = [event[0] for event in observed["MainThread"]]
    assert kinds.count("raise") > 10
    assert kinds.count("catch") > 10
    assert_same(recorded.events(), observed)
