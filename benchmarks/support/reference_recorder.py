"""The recorder of PyPI that this one is compared with, in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
import venv
from typing import TYPE_CHECKING

from support.places import BUILD

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FORMATS", "REQUIREMENT", "command", "install"]

REQUIREMENT = "codetracer-python-recorder==0.3.0"
FORMATS = ("binary", "json")


def install() -> Path:
    """The interpreter of an environment that holds the reference; made from PyPI if need be.

    It is of the same version as the running one. Raises subprocess.CalledProcessError when the
    package cannot be installed.
    """
    folder = BUILD / "reference" / f"{REQUIREMENT}-{sys.implementation.cache_tag}"
    python = folder / "bin" / "python"
    complete = folder / "complete"
    if not complete.exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", REQUIREMENT], check=True)
        complete.touch()
    return python


def command(python: Path, form: str, out: Path, program: list[str]) -> list[str | Path]:
    """The command line that records `program` in the format `form` into the folder `out`."""
    module = "codetracer_python_recorder"
    return [python, "-m", module, "--trace-dir", out, "--format", form, *program]
