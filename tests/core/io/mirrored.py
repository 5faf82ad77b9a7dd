"""Programs that run plainly and with their descriptors mirrored."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from core.io.support import Written, written
from integration.recording import RECORDER
from naive import ct

RECORD = [os.fspath(RECORDER), "record", "-q", "-o", "out", "--io-capture", "proxies+fd"]
LINES = "import ctypes, os, subprocess, sys\nC = ctypes.CDLL(None)\n"


class Mirrored:
    """A program that ran plainly and with its descriptors mirrored."""

    def __init__(
        self,
        folder: Path,
        program: str,
        sink: str = "pipe",
        *options: str,
        environment: dict[str, str] | None = None,
    ) -> None:
        """`sink` is what standard output and error lead to: ``pipe``, ``file`` or ``one`` pipe."""
        self.folder = folder
        self.environment = {**os.environ, **(environment or {})}
        (folder / "main.py").write_text(program, encoding="utf-8")
        self.plain = self._run([sys.executable, "main.py"], sink)
        self.done = self._run([*RECORD, *options, "main.py"], sink)
        assert self.done == self.plain
        self.written = self.events()

    def _run(self, command: list[str], sink: str) -> tuple[int, bytes, bytes]:
        if sink != "file":
            error = subprocess.STDOUT if sink == "one" else subprocess.PIPE
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=error,
                timeout=60,
                check=False,
            )
            return done.returncode, done.stdout, done.stderr or b""
        with open(self.folder / "o", "w+b") as out, open(self.folder / "e", "w+b") as error_file:
            status = subprocess.call(
                command,
                cwd=self.folder,
                env=self.environment,
                stdout=out,
                stderr=error_file,
                timeout=60,
            )
            return status, (self.folder / "o").read_bytes(), (self.folder / "e").read_bytes()

    def events(self) -> list[Written]:
        trace = ct.load(self.folder / "out" / "trace.ct")
        return [written(trace, event) for event in trace.events if event["kind"] != 11]

    def text(self, stream: str, *, mirror: bool | None = None) -> bytes:
        """Everything of a stream; with `mirror`, what was mirrored or what was not."""
        return b"".join(
            event.text
            for event in self.written
            if event.stream == stream and mirror in (None, "mirror" in event.flags)
        )
