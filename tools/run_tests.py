"""Runs the tests in every environment that ``bootstrap.py --all`` has made.

Without arguments: all tests on the newest interpreter; on each further one those that are about
the interpreter; on CPython 3.11 those of the three leaf packages. As many environments as there
are processors are tested at a time. With arguments: pytest with these arguments on the newest
interpreter alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LEAF_TESTS = ("tests/filter", "tests/log", "tests/policy")


class Outcome(NamedTuple):
    """How the tests of an environment ended."""

    environment: str
    status: int
    seconds: float


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


def pytest_command(environment: str, arguments: list[str]) -> list[str | Path]:
    """The command that runs pytest in `environment`."""
    python = VENV / "envs" / environment / "bin" / "python"
    return [python, "-m", "pytest", *arguments]


def run_selection(name: str, selection: list[str]) -> Outcome:
    """Run the tests of one environment, and show what they printed when they are done."""
    print(f"-- tests in the environment {name} have started", flush=True)
    began = time.monotonic()
    # The reason of each skipped test is named at the end.
    command = pytest_command(name, ["-q", "-rs", *selection])
    done = subprocess.run(
        command, cwd=ROOT, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output = done.stdout.decode("utf-8", "backslashreplace")
    print(f"-- tests in the environment {name}\n{output}", flush=True)
    return Outcome(name, done.returncode, time.monotonic() - began)


def main(arguments: list[str]) -> int:
    """Run all selections even when one fails, and list the outcomes at the end."""
    if arguments:
        return subprocess.run(
            pytest_command("default", arguments), cwd=ROOT, check=False
        ).returncode
    state = json.loads((VENV / "bootstrap.json").read_text(encoding="utf-8"))
    chosen = selections(state["tested"])
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        outcomes = list(pool.map(run_selection, chosen, chosen.values()))
    for outcome in outcomes:
        verdict = f"FAILED ({outcome.status})" if outcome.status else "passed"
        print(f"{outcome.environment:10} {verdict} in {outcome.seconds:.0f} s")
    return 1 if any(outcome.status for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
