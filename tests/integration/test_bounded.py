"""Recordings with a bound: ended at a size, kept to their end, and saved while they go on."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from integration.recording import RECORDER, record, recorder, run_plain, write_files
from naive import ct

# Values that do not compress: a chunk has about as many bytes in the journal as before.
LOOP = """\
import random, sys, threading
def noise(n):
    text = random.randbytes(200)
    return text[:n % 7]
def outer(rounds):
    for n in range(rounds):
        noise(n)
def helper():
    outer(40)
def main():
    threading.Thread(target=helper, name="helper").start()
    outer(int(sys.argv[1]))
    print("the end")
main()
"""


def metadata(folder: Path) -> dict[str, Any]:
    """What the trace in `folder` says of itself."""
    document: dict[str, Any] = json.loads((folder / "trace_metadata.json").read_bytes())
    return document


def recorded(tmp_path: Path, *options: str, rounds: int = 12_000) -> Path:
    """The folder of a recording of LOOP with `options`, which runs as it does alone."""
    folder, out = tmp_path / "program", tmp_path / "out"
    write_files(folder, {"main.py": LOOP})
    words = ["main.py", str(rounds)]
    plain, done = run_plain(words, folder), record([*options, *words], folder, out)
    assert (done.stdout, done.stderr, done.returncode) == (plain.stdout, b"", 0)
    return out


def journal_size(folder: Path) -> int:
    """Bytes of the journal in `folder`."""
    (journal,) = folder.glob("*.ctj")
    return journal.stat().st_size


def test_a_recording_ends_at_its_largest_size_and_the_program_goes_on(tmp_path: Path) -> None:
    """The trace is whole up to there, has the program's status, and says why it ended."""
    out = recorded(tmp_path, "--max-size", "1MiB", rounds=40_000)
    about = metadata(out)
    assert about["ended_by"] == "max_size"
    assert about["complete"]
    assert about["process_exit_status"] == {"code": 0, "label": None}
    # The ring has five chunks that may be on their way.
    assert 1 << 20 <= journal_size(out) < 6 << 20
    trace = ct.load(out / "trace.ct")
    assert trace.steps[0]["line"] == 1
    shown = recorder(["show", "--steps=-1:", str(out)], tmp_path)
    assert b"had reached the largest size; the program went on" in shown.stderr


def test_a_recording_that_stays_below_its_largest_size_is_whole(tmp_path: Path) -> None:
    """It says nothing of an end."""
    about = metadata(recorded(tmp_path, "--max-size", "1GiB", rounds=50))
    assert (about["ended_by"], about["dropped"]) == (None, {"chunks": 0, "steps": 0})


@pytest.mark.parametrize("options", [["--keep-last", "1MiB"], ["--keep-last=1h", "--max-size=1MB"]])
def test_the_end_of_a_recording_is_kept(tmp_path: Path, options: list[str]) -> None:
    """It opens with the calls that were open, the names of all threads, and its last step."""
    whole = metadata(recorded(tmp_path / "whole"))["counts"]["steps"]
    out = recorded(tmp_path, *options)
    about = metadata(out)
    assert about["complete"]
    assert journal_size(out) <= 1 << 20
    steps = about["counts"]["steps"]
    assert about["dropped"]["chunks"] > 0
    trace = ct.load(out / "trace.ct")
    assert [call["function"] for call in trace.calls[1:4]] == ["<__main__>", "main", "outer"]
    assert trace.steps[-1]["line"] == LOOP.splitlines().index('    print("the end")') + 1
    # Steps of threads come in between in another number each time.
    assert about["dropped"]["steps"] + steps == pytest.approx(whole, rel=0.01)
    shown = recorder(["show", "--steps=-1:", str(out)], tmp_path)
    assert b"only the end was kept" in shown.stderr


def test_the_names_of_threads_outlive_the_chunks_in_which_they_began(tmp_path: Path) -> None:
    """What a thread is called stands in each chunk in which it is alive."""
    source = LOOP.replace("outer(40)", "while main_thread.is_alive(): outer(40)").replace(
        "def main", "main_thread = threading.main_thread()\ndef main"
    )
    folder, out = tmp_path / "program", tmp_path / "out"
    write_files(folder, {"main.py": source})
    record(["--keep-last", "600KB", "main.py", "8000"], folder, out)
    assert metadata(out)["dropped"]["chunks"] > 0
    assert "<thread helper>" in {call["function"] for call in ct.load(out / "trace.ct").calls}


def test_a_copy_is_saved_by_the_program(tmp_path: Path) -> None:
    """Into the next folder of ours or a given one, again and again, and the recording goes on."""
    source = (
        "import codetracer_core\n"
        "def work(n):\n    return n\n"
        "with codetracer_core.trace('out') as session:\n"
        "    work(1)\n"
        "    print(session.save().name)\n"
        "    work(2)\n"
        "    print(codetracer_core.save().name, codetracer_core.save('elsewhere').name)\n"
        "    codetracer_core.save('elsewhere')\n"
        "    work(3)\n"
        "print(codetracer_core.save())\n"
    )
    folder = tmp_path / "program"
    write_files(folder, {"main.py": source})
    done = run_plain(["main.py"], folder)
    assert (done.stdout, done.stderr) == (b"save-1\nsave-2 elsewhere\nNone\n", b"")
    for name, calls in (("out/save-1", 1), ("out/save-2", 2), ("elsewhere", 2), ("out", 3)):
        place = folder / name
        assert recorder(["show", str(place)], folder).returncode == 0
        functions = [call["function"] for call in ct.load(place / "trace.ct").calls]
        assert functions.count("work") == calls
        assert metadata(place)["complete"]
        label = None if name != "out" else "<exit>"
        assert metadata(place)["process_exit_status"]["label"] == (label or "<saved>")


WAITING = """\
import os, signal, sys, time
def handler(number, frame):
    print("handled", flush=True)
def wait():
    print("ready", flush=True)
    while sys.stdin.readline():
        pass
HANDLE
wait()
"""

# No step follows the fork while it waits.
FORK_AND_WAIT = (
    "def wait():"
    " print('ready', flush=True); os.waitpid(os.fork() or os._exit(0), 0); sys.stdin.readline()"
)


@pytest.mark.parametrize(
    ("handle", "said"),
    [
        ("pass", b""),
        ("signal.signal(signal.SIGUSR1, handler)", b"handled\n"),
        ("signal.signal(signal.SIGUSR1, signal.SIG_IGN)", b""),
        (FORK_AND_WAIT, b""),
    ],
)
def test_a_copy_is_saved_at_a_signal(tmp_path: Path, handle: str, said: bytes) -> None:
    """Also of a program that waits; its own handler is called, and without one it goes on."""
    folder, out = tmp_path / "program", tmp_path / "out"
    write_files(folder, {"main.py": WAITING.replace("HANDLE", handle)})
    command: list[str | Path] = [
        RECORDER,
        "record",
        "-q",
        "--save-on",
        "usr1",
        "--out-dir",
        out,
        "main.py",
    ]
    with subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        # Until the recorder has looked, a handler of the program has the signal for itself.
        time.sleep(0.5)
        process.send_signal(signal.SIGUSR1)
        deadline = time.monotonic() + 30
        while not list(out.glob("save-1/*.ctj")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        rest, _ = process.communicate(b"\n")
    assert (process.returncode, rest) == (0, said)
    trace = ct.load(out / "save-1" / "trace.ct")
    assert "wait" in {call["function"] for call in trace.calls}
    assert metadata(out)["complete"]


def test_a_signal_without_the_setting_is_the_programs(tmp_path: Path) -> None:
    """It ends the process as it does without a recorder."""
    source = "import os, signal\nos.kill(os.getpid(), signal.SIGUSR1)\n"
    folder = tmp_path / "program"
    write_files(folder, {"main.py": source})
    done = record(["main.py"], folder, tmp_path / "out")
    assert done.returncode == -signal.SIGUSR1


MEMORY = """\
import resource, sys
def work(rounds):
    total = 0
    for n in range(rounds):
        total += n
    return total
work(int(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_length_of_a_run(tmp_path: Path) -> None:
    """Ten times the steps take at most 2 MiB more."""
    folder = tmp_path / "program"
    write_files(folder, {"main.py": MEMORY})
    peaks = []
    for rounds in ("200000", "2000000"):
        out = tmp_path / rounds
        done = record(["--materialise", "later", "main.py", rounds], folder, out)
        assert done.returncode == 0
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] <= 2048
