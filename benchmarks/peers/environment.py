"""The environment of the other tools, made from PyPI when it is first needed."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from packaging.requirements import Requirement

from benchmarks.support.places import BUILD

__all__ = ["PYTHONS", "Package", "install", "packages"]

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""The versions of CPython that the recorder is made for."""
REQUIREMENTS = Path(__file__).with_name("requirements.txt")


@dataclass(frozen=True, slots=True)
class Package:
    """What the requirements say of one package."""

    name: str
    version: str
    pythons: tuple[str, ...]
    """Those of ``PYTHONS`` that it can be installed on."""


def install() -> Path:
    """The interpreter of the environment, which is of the same version as the running one.

    Raises subprocess.CalledProcessError when the packages cannot be installed.
    """
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    folder = BUILD / "peers" / f"{sys.implementation.cache_tag}-{digest}"
    python = folder / "bin" / "python"
    complete = folder / "complete"
    if not complete.exists():
        print(f"installing {', '.join(packages())}", file=sys.stderr, flush=True)
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


@cache
def packages() -> dict[str, Package]:
    """Each required package by its name."""
    found = {}
    for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        one = Requirement(line)
        version = next(iter(one.specifier)).version
        pythons = tuple(
            python
            for python in PYTHONS
            if one.marker is None or one.marker.evaluate({"python_version": python})
        )
        found[one.name] = Package(one.name, version, pythons)
    return found
