"""The watchers of dicts with which changes of globals are noticed from CPython 3.14 on."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest

from integration.recording import recorder, run_plain, write_files

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 14), reason="dicts have version numbers before CPython 3.14"
)

PROGRAM = """\
import ctypes
import sys

import codetracer_core
from codetracer_core.cli.checks import check_engine

ignore = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_int, *[ctypes.c_void_p] * 3)(lambda *_: 0)

def take_all():
    taken = []
    try:
        while True:
            taken.append(ctypes.pythonapi.PyDict_AddWatcher(ignore))
    except RuntimeError:
        return taken

def give_back(taken):
    for number in taken:
        ctypes.pythonapi.PyDict_ClearWatcher(number)

count = 0

def grow(by):
    global count
    count += by
    globals()["count"] += by
    return count

free = take_all()
if sys.argv[1] == "free":
    give_back(free)
(check,) = [check for check in check_engine() if check.name == "globals"]
with codetracer_core.trace(sys.argv[1]):
    for by in range(3):
        grow(by)
if sys.argv[1] == "taken":
    give_back(free)
print(check.state, take_all() == free)
"""


def test_globals_are_recorded_where_other_tools_have_all_watchers(tmp_path: Path) -> None:
    """The trace is the same, the doctor tells the difference, and a session keeps no watcher."""
    write_files(tmp_path, {"program.py": PROGRAM})
    shown = []
    for watchers, state in (("free", b"ok"), ("taken", b"note")):
        done = run_plain(["program.py", watchers], tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, state + b" True\n", b"")
        text = recorder(["show", watchers], tmp_path).stdout.decode()
        calls = [line for line in text.splitlines() if "grow(" in line or "count = " in line]
        shown.append([re.sub(r"^ *\d+ ", "", line) for line in calls])
    assert shown[0] == shown[1]
    assert "count = 6" in [line.strip() for line in shown[0]]
