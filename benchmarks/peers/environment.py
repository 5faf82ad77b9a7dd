"""The environment of the other tools, made from PyPI when it is first needed."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.support.places import BUILD

__all__ = ["install", "versions"]

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def install() -> Path:
    """The interpreter of the environment, which is of the same version as the running one.

    Raises subprocess.CalledProcessError when the packages cannot be installed.
    """
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    folder = BUILD / "peers" / f"{sys.implementation.cache_tag}-{digest}"
    python = folder / "bin" / "python"
    complete = folder / "complete"
    if not complete.exists():
        print(f"installing {', '.join(versions())}", file=sys.stderr, flush=True)
        venv.create(folder, with_pip=True, clear=True)
        # Wheels alone: building one would take longer than all measurements.
        pip: list[str | Path] = [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--only-binary",
            ":all:",
        ]
        subprocess.run([*pip, "--requirement", REQUIREMENTS], check=True)
        complete.touch()
    return python


def versions() -> dict[str, str]:
    """Version of each tool by the name of its package."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))
