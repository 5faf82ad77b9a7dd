"""What a recording costs before the program starts: the modules that it loads."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

SLOW_OR_LARGE = {
    "_hashlib",
    "argparse",
    "asyncio",
    "difflib",
    "hashlib",
    "importlib.resources",
    "ipaddress",
    "logging",
    "pathspec",
    "shutil",
    "socket",
    "ssl",
    "structlog",
    "subprocess",
    "tempfile",
    "typing",
}
FOR_LATER = {
    "codetracer_core.ctfs.reader",
    "codetracer_filter._explosion",
    "codetracer_filter.errors",
    "codetracer_log",
    "codetracer_policy.env",
    "codetracer_policy.errors",
    "codetracer_policy.update",
}


def test_recording_loads_nothing_slow_and_nothing_that_it_does_not_use(tmp_path: Path) -> None:
    """Recording an empty program loads no heavy module, and none of ours for special cases."""
    script = tmp_path / "empty.py"
    script.touch()
    environ = {name: value for name, value in os.environ.items() if "CODETRACER" not in name}
    command = [sys.executable, "-X", "importtime", "-m", "codetracer_core", "record", "-q"]
    done = subprocess.run(
        [*command, "--out-dir", tmp_path / "trace", script],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(re.findall(r"^import time:.*\|\s*(\S+)$", done.stderr, re.MULTILINE))
    assert "codetracer_core.ctfs.materialiser" in loaded
    assert loaded & (SLOW_OR_LARGE | FOR_LATER) == set()
