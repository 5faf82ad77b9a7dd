"""Runs the tests in every environment that ``bootstrap.py --all`` has made.

Without arguments: on each interpreter the tests that are about it, and once, on the default one,
those that are about the repository. One more of these runs at a time than there are processors, so
that none is idle while a test waits or while the last ones run. The end says on which versions the
tests ran, and which are missing. With arguments: pytest with these arguments on the default
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


class Selection(NamedTuple):
    """Tests that run in an environment, as arguments of pytest."""

    title: str
    environment: str
    arguments: list[str]


class Outcome(NamedTuple):
    """How the tests of a selection ended."""

    title: str
    status: int
    seconds: float


def selections(environments: dict[str, str]) -> list[Selection]:
    """What runs where, the longest first; `environments` name the version of each."""
    return [
        *(
            Selection(f"CPython {version}", name, ["-m", "not repository", "tests"])
            for name, version in environments.items()
        ),
        Selection("repository", "default", ["-m", "repository", "tests"]),
    ]


def pytest_command(environment: str, arguments: list[str]) -> list[str | Path]:
    """The command that runs pytest in `environment`."""
    python = VENV / "envs" / environment / "bin" / "python"
    return [python, "-m", "pytest", *arguments]


def run_selection(selection: Selection) -> Outcome:
    """Run the tests of one selection, and show what they printed when they are done."""
    print(f"-- tests of {selection.title} have started", flush=True)
    began = time.monotonic()
    # The reason of each skipped test is named at the end.
    command = pytest_command(selection.environment, ["-q", "-rs", *selection.arguments])
    done = subprocess.run(
        command, cwd=ROOT, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output = done.stdout.decode("utf-8", "backslashreplace")
    print(f"-- tests of {selection.title}\n{output}", flush=True)
    return Outcome(selection.title, done.returncode, time.monotonic() - began)


def main(arguments: list[str]) -> int:
    """Run all selections even when one fails, and list the outcomes at the end."""
    if arguments:
        return subprocess.run(
            pytest_command("default", arguments), cwd=ROOT, check=False
        ).returncode
    state = json.loads((VENV / "bootstrap.json").read_text(encoding="utf-8"))
    chosen = selections(state["tested"])
    with ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        outcomes = list(pool.map(run_selection, chosen))
    for outcome in outcomes:
        verdict = f"FAILED ({outcome.status})" if outcome.status else "passed"
        print(f"{outcome.title:16} {verdict} in {outcome.seconds:.0f} s")
    for version, reason in state["missing"].items():
        print(f"{f'CPython {version}':16} not run: {reason}")
    return 1 if any(outcome.status for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
