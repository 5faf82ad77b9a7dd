"""A command that records output of every kind, with a module that was built with other flags.

``python drive.py OUT`` writes to its own standard output, which has to lead to a pipe or a file,
and leaves a trace in the folder OUT.
"""

from __future__ import annotations

import ctypes
import io
import logging
import os
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

C = ctypes.CDLL(None)
LINES = 300


def write_in_every_way() -> None:
    """Text, bytes and what goes past the streams, in sizes on both sides of every limit."""
    for size in (1, 4_095, 4_096, 65_535, 65_536, 200_000):
        print("\u20ac" * size, flush=True)
        sys.stdout.buffer.write(b"b" * size)
        os.write(1, b"o" * size)
        C.write(1, b"c" * size, size)
    for number in range(LINES):
        print("line", number)
        C.write(1, b"past\n", 5)
    child = subprocess.Popen(["seq", str(LINES)])
    for number in range(LINES):
        os.write(1, b"%d of mine\n" % number)
    child.wait()
    if os.fork() == 0:
        C.write(1, b"forked\n", 7)
        os._exit(0)
    os.wait()
    with redirect_stdout(io.StringIO()):
        print("kept in memory")


def say_secrets(password: str) -> None:
    """Whole, in parts, across limits, as bytes and numbers, and more of them than are kept."""
    print(password, "and", password * 3)
    for letter in password:
        sys.stdout.write(letter)
    print("x" * 65_530 + password + "\u20ac" * 70_000)
    for number in range(1_500):
        my_password = [f"secret number {number}", b"secret bytes %d" % number, 10**9 + number]
        print(my_password)
    password = "\u20ac" * 40_000
    print(password)


def log_records() -> None:
    """Formatted by a handler, by the recorder, and not at all."""
    logger = logging.getLogger("drive")
    logger.warning("plain %d of %s", 1, "two")
    logger.warning("\x01\x02" * 40_000)
    logger.handlers = [logging.NullHandler()]
    logger.propagate = False
    logger.error("%(a)s %(b)r", {"a": 1, "b": None})
    logger.error("wrong %d", "x")
    logger.error(object())


def main(out: str) -> None:
    """The command."""
    sys.path.insert(0, os.fspath(Path(__file__).parents[2]))
    from core.recorder.drive import use_native

    use_native()
    import codetracer_core

    logging.basicConfig(stream=sys.stdout)
    policy = {"io_capture_fd_fallback": True, "capture_logging": True}
    with codetracer_core.start(out, policy=policy):
        write_in_every_way()
        say_secrets("correct horse")
        log_records()
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
