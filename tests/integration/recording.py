"""Running programs plainly and recorded, for the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from workspace import ROOT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "PATIENCE",
    "RECORDER",
    "auto_record",
    "errors_of",
    "record",
    "recorder",
    "run_plain",
    "with_auto_start",
    "write_files",
]

AUTO_START = ROOT / "packages" / "codetracer-core" / "codetracer_core_auto_start.pth"
"""What the interpreter runs while it imports ``site``."""
RECORDER = Path(sys.executable).with_name("codetracer-core")
"""The installed command of the environment that runs the tests."""
PATIENCE = 120.0
"""Seconds until a command that does not end fails its test."""


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
    words: Sequence[str],
    folder: Path,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run ``python`` with `words` in `folder`, with the variables of `environment` set."""
    return _run([sys.executable, *words], folder, stdin, environment)


def recorder(
    words: Sequence[str], folder: Path, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run ``codetracer-core`` with `words` in `folder`."""
    return _run([os.fspath(RECORDER), *words], folder, stdin)


def record(
    words: Sequence[str],
    folder: Path,
    out_dir: Path,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
    patience: float = PATIENCE,
) -> subprocess.CompletedProcess[bytes]:
    """Record, quietly, what ``python`` would run with `words` in `folder`.

    It is given `patience` seconds.
    """
    options = ["record", "-q", "--out-dir", os.fspath(out_dir)]
    return _run([os.fspath(RECORDER), *options, *words], folder, stdin, environment, patience)


def auto_record(
    words: Sequence[str],
    folder: Path,
    out_dir: Path,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run ``python`` as `run_plain` does, so that it records itself into `out_dir`."""
    more = {"CODETRACER_TRACE": os.fspath(out_dir), **(environment or {})}
    return run_plain(words, folder, stdin, with_auto_start(folder, more))


def with_auto_start(folder: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Variables for an interpreter that obeys ``CODETRACER_TRACE``, and `more`.

    The environment of the tests may not have the distribution's ``.pth`` file where the interpreter
    looks for it; a ``sitecustomize`` beside the folder of the program does what it does.
    """
    customs = folder.with_name(f"{folder.name} customs")
    customs.mkdir(exist_ok=True)
    line = AUTO_START.read_text()
    (customs / "sitecustomize.py").write_text(f"exec({line!r})\n")
    return {"PYTHONPATH": os.fspath(customs), **(more or {})}


def errors_of(done: subprocess.CompletedProcess[bytes]) -> list[bytes]:
    """The lines of standard error without those that say how far a trace is made."""
    lines = done.stderr.splitlines()
    return [line for line in lines if not line.startswith(b"codetracer-core: making the trace")]


def _run(
    command: Sequence[str],
    folder: Path,
    stdin: bytes,
    more: Mapping[str, str] | None = None,
    patience: float = PATIENCE,
) -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("PYTHONUNBUFFERED", None)
    return subprocess.run(
        command,
        cwd=folder,
        input=stdin,
        capture_output=True,
        env=environment | dict(more or {}),
        timeout=patience,
        check=False,
    )
