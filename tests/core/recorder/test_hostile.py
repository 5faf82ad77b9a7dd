"""A recorder that the program cannot notice: no hook is called, nothing lives longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.recorder.support import PROGRAMS, record, run


@pytest.mark.parametrize("name", ["hooks", "layouts", "lifetimes"])
def test_a_program_that_watches_itself_sees_no_recorder(name: str, tmp_path: Path) -> None:
    """Hooks of locals, keys, globals, namespaces and thread objects are called as often as without
    the recorder, and objects die at the same places."""
    script = PROGRAMS / "hostile" / f"{name}.py"
    recorded = record(script, tmp_path)
    assert recorded.stats["failure"] is None
    assert recorded.stats["steps"] > 100
    assert recorded.stats["lost_frames"] == 0
    plain = run([script])
    assert "Error" not in plain.output
    assert recorded.outcome == plain
    assert recorded.events()
