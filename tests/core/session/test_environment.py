"""Variables that look like the recorder's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from codetracer_core.session.environment import misspelt_variables, unknown_variables
from codetracer_policy import VARIABLES

if TYPE_CHECKING:
    from pathlib import Path

SESSIONS = """\
import codetracer_core, sys
for turn in "ab":
    with codetracer_core.trace(f"{sys.argv[1]}/{turn}"):
        pass
"""


def test_variables_that_mean_something_are_not_unknown() -> None:
    """Settings, and what names folders, filters and formats, or belongs to other recorders."""
    names = [variable.name for variable in VARIABLES]
    names += ["CODETRACER_TRACE", "CODETRACER_TRACE_FILTER", "CODETRACER_FORMAT"]
    names += [f"CODETRACER_PYTHON_RECORDER_{name}" for name in ("DISABLED", "OUT_DIR")]
    names += ["CODETRACER_OMNISCIENT_DB_MODE", "CODETRACER_MANAGED_UPLOAD_URL", "HOME"]
    assert unknown_variables(dict.fromkeys(names, "")) == {}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CODETRACER_MAX_ITEM", "CODETRACER_MAX_ITEMS"),
        ("CODETRACER_LOGFILE", "CODETRACER_LOG_FILE"),
        ("CODETRACER_REQUIRE_TRACES", "CODETRACER_REQUIRE_TRACE"),
        ("CODETRACER_LANGUAGE", None),
        ("CODETRACER_X", None),
    ],
)
def test_the_name_that_was_meant_is_the_nearest(name: str, meant: str | None) -> None:
    """What resembles none of ours is unknown, but not misspelt."""
    assert unknown_variables({name: "1"}) == {name: meant}
    assert misspelt_variables({name: "1"}) == ({} if meant is None else {name: meant})


@pytest.mark.parametrize(("level", "lines"), [("", 1), ("error", 0)])
def test_a_misspelt_variable_is_a_warning_once(level: str, lines: int, tmp_path: Path) -> None:
    """It keeps no session from starting, and a log that is for errors alone does not name it."""
    done = subprocess.run(
        [sys.executable, "-c", SESSIONS, os.fspath(tmp_path)],
        env=os.environ | {"CODETRACER_MAX_ITEM": "3", "CODETRACER_LOG": level},
        capture_output=True,
        text=True,
        check=True,
    )
    records = [json.loads(line) for line in done.stderr.splitlines()]
    assert [record["error_code"] for record in records] == ["WARN_UNKNOWN_VARIABLE"] * lines
    assert all("CODETRACER_MAX_ITEMS" in record["message"] for record in records)
    assert all((tmp_path / turn / "trace.ct").exists() for turn in "ab")
