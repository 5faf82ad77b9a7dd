"""Running programs plainly and recorded, for the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["RECORDER", "record", "recorder", "run_plain", "write_files"]

RECORDER = Path(sys.executable).with_name("codetracer-core")
"""The installed command of the environment that runs the tests."""


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write `files` into `folder`; a text that begins with ``->`` makes a symbolic link."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str) and content.startswith("-> "):
            path.symlink_to(content.removeprefix("-> "))
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            path.write_bytes(content)


def run_plain(
    words: Sequence[str], folder: Path, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run ``python`` with `words` in `folder`."""
    return _run([sys.executable, *words], folder, stdin)


def recorder(
    words: Sequence[str], folder: Path, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run ``codetracer-core`` with `words` in `folder`."""
    return _run([os.fspath(RECORDER), *words], folder, stdin)


def record(
    words: Sequence[str], folder: Path, out_dir: Path, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Record, quietly, what ``python`` would run with `words` in `folder`."""
    return recorder(["record", "-q", "--out-dir", os.fspath(out_dir), *words], folder, stdin)


def _run(command: Sequence[str], folder: Path, stdin: bytes) -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("PYTHONUNBUFFERED", None)
    return subprocess.run(
        command,
        cwd=folder,
        input=stdin,
        capture_output=True,
        env=environment,
        timeout=120,
        check=False,
    )
