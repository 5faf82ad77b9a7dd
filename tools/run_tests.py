"""Runs the tests in every environment that ``bootstrap.py --all`` has made.

Without arguments: all tests on the newest interpreter; on each further one those that are about
the interpreter; on CPython 3.11 those of the three leaf packages. With arguments: pytest with
these arguments on the newest interpreter alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LEAF_TESTS = ("tests/filter", "tests/log", "tests/policy")


def selections(environments: list[str]) -> dict[str, list[str]]:
    """The pytest arguments for each environment."""
    chosen = {}
    for name in environments:
        if name == "default":
            chosen[name] = ["tests"]
        elif name.startswith("leaves"):
            chosen[name] = ["-m", "not repository", *LEAF_TESTS]
        else:
            chosen[name] = ["-m", "not repository", "tests"]
    return chosen


def run_pytest(environment: str, arguments: list[str]) -> int:
    """Run pytest in `environment` and return its status."""
    python = VENV / "envs" / environment / "bin" / "python"
    return subprocess.run([python, "-m", "pytest", *arguments], cwd=ROOT, check=False).returncode


def main(arguments: list[str]) -> int:
    """Run all selections even when one fails, and list the outcomes at the end."""
    if arguments:
        return run_pytest("default", arguments)
    state = json.loads((VENV / "bootstrap.json").read_text(encoding="utf-8"))
    outcomes = []
    for name, selection in selections(state["tested"]).items():
        print(f"-- tests in the environment {name}", flush=True)
        began = time.monotonic()
        status = run_pytest(name, ["-q", *selection])
        outcomes.append((name, status, time.monotonic() - began))
    for name, status, seconds in outcomes:
        print(f"{name:10} {'passed' if status == 0 else f'FAILED ({status})'} in {seconds:.0f} s")
    return 1 if any(status for _, status, _ in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
