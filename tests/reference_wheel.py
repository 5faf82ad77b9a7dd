"""The recorder of PyPI, ``codetracer-python-recorder``, and ours under its name.

The test environment installs the former. Each is always run in a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["MODULE", "clean_environment", "require_reference", "run_compatible", "run_reference"]

MODULE = "codetracer_python_recorder"


def require_reference() -> None:
    """Skip the test where PyPI has no recorder for this version of CPython."""
    if not (3, 12) <= sys.version_info < (3, 14):
        pytest.skip("codetracer-python-recorder 0.3.0 is for CPython 3.12 and 3.13")


def run_reference(
    words: Sequence[str | Path],
    folder: Path,
    *,
    environ: Mapping[str, str] | None = None,
    status: int | None = 0,
) -> subprocess.CompletedProcess[str]:
    """Run ``python`` with `words` in `folder`, where the package's name means that of PyPI.

    Checks the exit status unless `status` is None.
    """
    require_reference()
    return _run(words, folder, dict(environ or {}), status)


def run_compatible(
    words: Sequence[str | Path],
    folder: Path,
    *,
    environ: Mapping[str, str] | None = None,
    status: int | None = 0,
) -> subprocess.CompletedProcess[str]:
    """The same where the package's name means ours."""
    from codetracer_core.compat import FOLDER  # core is not there on every interpreter

    return _run(words, folder, {"PYTHONPATH": FOLDER, **(environ or {})}, status)


def _run(
    words: Sequence[str | Path], folder: Path, environ: Mapping[str, str], status: int | None
) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**clean_environment(), **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert status is None or result.returncode == status, (result.stdout, result.stderr)
    return result


def clean_environment() -> dict[str, str]:
    """The environment without settings for a recorder, and without other import paths."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("CODETRACER_") and name != "PYTHONPATH"
    } | {"PYTHONDONTWRITEBYTECODE": "1"}
