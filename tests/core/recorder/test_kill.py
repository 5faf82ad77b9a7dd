"""A program that is killed: its journal and ring hold everything up to the last completed step."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.recorder.support import DRIVER, SHOW_ALL, Decoder
from naive import journal

ROUNDS = 60 if os.environ.get("CODETRACER_LONG_TESTS") else 3

PROGRAM = """\
import os
import random
import threading
import time

noise = random.Random(7)


def numbers():
    number = 0
    while True:
        number += 1
        yield number


def inner(number, text):
    state = {"number": number, "text": [text]}
    state["text"].append(number * 2)
    return state


def outer():
    for number in numbers():
        kept = inner(number, noise.randbytes(400).hex())
        done = number
        os.write(1, b"%d\\n" % number)


def beside():
    turns = 0
    while True:
        turns += 1
        time.sleep(0.001)


threading.Thread(target=beside, daemon=True).start()
outer()
"""
WRITE_LINE = PROGRAM.splitlines().index('        os.write(1, b"%d\\n" % number)') + 1


def killed(script: Path, out: Path, delay: float) -> int:
    """Record `script`, kill it `delay` seconds after its first number; returns its last number."""
    out.mkdir()
    filter_file = out / "filter.toml"
    filter_file.write_text(SHOW_ALL, encoding="utf-8")
    options = {"out": str(out), "filter": str(filter_file), "preload": ["random", "threading"]}
    process = subprocess.Popen(
        [sys.executable, DRIVER, json.dumps(options), script], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    with process.stdout as numbers:
        numbers.readline()
        # Whatever the program does meanwhile, it goes on writing: an unread pipe would stop it.
        os.set_blocking(numbers.fileno(), False)
        until = time.monotonic() + delay
        text = b""
        while time.monotonic() < until:
            text += numbers.read() or b""
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL
        os.set_blocking(numbers.fileno(), True)
        text += numbers.read()
    complete = text[: text.rindex(b"\n")].split(b"\n")
    return int(complete[-1])


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_a_killed_program_leaves_everything_up_to_its_last_step(
    round_: int, tmp_path: Path
) -> None:
    """What the program did before it was killed is in the journal and the ring: no number that
    came out of its pipe is missing, none stands twice, and every call is in its place."""
    script = tmp_path / "program.py"
    script.write_text(PROGRAM, encoding="utf-8")
    delay = random.Random(round_).uniform(0.02, 0.3)
    out = tmp_path / "out"
    last = killed(script, out, delay)
    (path,) = out.glob("*.ctj")
    assert path.with_suffix(".ring").exists()
    decoder = Decoder()
    for chunk in journal.chunks(path):
        decoder.next_chunk(chunk)
    steps = [event for event in decoder.events if event[0] == "step" and event[1] == 0]
    written = [event[4]["number"] for event in steps if event[3] == WRITE_LINE]
    assert written == list(range(1, len(written) + 1))
    assert last <= len(written) <= last + 1
    for kind in ("call", "return"):
        seen = [event for event in decoder.events if event[0] == kind and event[2] == "inner"]
        assert len(written) <= len(seen) <= len(written) + 1
    yielded = [event[3] for event in decoder.events if event[0] == "yield"]
    assert yielded == list(range(1, len(yielded) + 1))
    assert len(yielded) >= len(written)
    turns = [event[4].get("turns") for event in decoder.events if event[1] == 1 and len(event) == 5]
    assert len(turns) > 0
