"""Runs every static check of the repository, or with ``--fix`` rewrites what can be rewritten."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEAVES = ("filter", "log", "policy")


def commands(fix: bool) -> dict[str, list[str]]:
    """Name and command line of each check, in the order in which they run."""
    sources = sorted(str(path) for path in ROOT.glob("csrc/*.[ch]"))
    style = ["clang-format", "-i"] if fix else ["clang-format", "--dry-run", "--Werror"]
    checks = {
        "ruff check": ["ruff", "check", *(["--fix"] if fix else [])],
        "ruff format": ["ruff", "format", *([] if fix else ["--check"])],
        "clang-format": [*style, *sources],
    }
    if fix:
        return checks
    leaves = [f"packages/codetracer-{leaf}/src" for leaf in LEAVES]
    core = ["packages/codetracer-core", "tools", "benchmarks"]
    checks["mypy, leaves as 3.11"] = ["mypy", "--python-version", "3.11", *leaves]
    checks["mypy, core"] = ["mypy", *(path for path in core if (ROOT / path).exists())]
    checks["mypy, tests"] = ["mypy", "tests"]
    checks["layering"] = [sys.executable, "tools/layering.py"]
    return checks


def main() -> int:
    """Run all checks even when one fails; the status tells whether all passed."""
    failed = []
    for name, command in commands("--fix" in sys.argv[1:]).items():
        print(f"-- {name}", flush=True)
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            failed.append(name)
    print("lint: " + ("failed: " + ", ".join(failed) if failed else "all checks passed"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
