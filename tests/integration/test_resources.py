"""What the recorder needs runs out: the program goes on or stops as policy says, and what was
recorded until then can be read."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

from integration.recording import RECORDER, errors_of, recorder
from naive import ct

WORKING = """\
import random, sys

noise = random.Random(3)

def work(number):
    text = noise.randbytes(400).hex()
    return len(text) + number

{before}
for number in range({calls}):
    work(number)
print("done", flush=True)
"""


def recording(
    folder: Path, *words: str, limit: tuple[int, int] | None = None, out: str = "out"
) -> subprocess.CompletedProcess[bytes]:
    """Record program.py in `folder` under a `limit` of resources, its number and its value."""
    return subprocess.run(
        [RECORDER, "record", *words, "--out-dir", out, "program.py"],
        cwd=folder,
        capture_output=True,
        timeout=120,
        check=False,
        preexec_fn=None if limit is None else lambda: resource.setrlimit(limit[0], (limit[1],) * 2),
    )


def write_program(folder: Path, calls: int, before: str = "") -> None:
    """A program that fills a journal quickly, about 0.5 KB a call."""
    (folder / "program.py").write_text(WORKING.format(calls=calls, before=before))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system on which a ring fits and 2 MB besides."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=11600k", "tmpfs", os.fspath(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield disk
    subprocess.run(["umount", disk], check=True)


def check_stopped(done: subprocess.CompletedProcess[bytes], policy: str, folder: Path) -> None:
    """The program has done what `policy` says, and the rest of its trace can be made."""
    assert done.returncode == 1
    assert b"[ERR_IO]" in done.stderr
    assert b"codetracer-core recover then makes the trace" in done.stderr
    if policy == "disable":
        assert done.stdout == b"done\n"
        assert b"Traceback" not in done.stderr
    else:
        assert done.stdout == b""
        assert b"EnvironmentError_: [ERR_IO] recording has stopped" in done.stderr
    elsewhere = folder.parent.parent / f"made of {folder.parent.name}"
    made = recorder(["recover", "-o", os.fspath(elsewhere), os.fspath(folder)], folder.parent)
    assert (made.returncode, errors_of(made)) == (0, [])
    trace = ct.load(elsewhere / "trace.ct")
    assert sum(call["function"] == "work" for call in trace.calls) > 1000


@pytest.mark.parametrize("policy", ["disable", "abort"])
def test_a_disk_that_becomes_full_ends_the_recording(
    policy: str, tmp_path: Path, small_disk: Path
) -> None:
    """The program goes on, or gets the error, and never dies by SIGBUS."""
    write_program(tmp_path, calls=12_000)
    done = recording(tmp_path, "--on-recorder-error", policy, out="disk/out")
    check_stopped(done, policy, small_disk / "out")


@pytest.mark.parametrize("policy", ["disable", "abort"])
def test_a_limit_of_the_file_size_ends_the_recording(policy: str, tmp_path: Path) -> None:
    """As a full disk does: files may be 10 MB, which the journal reaches."""
    write_program(tmp_path, calls=40_000)
    limit = (resource.RLIMIT_FSIZE, 10_000_000)
    done = recording(tmp_path, "--on-recorder-error", policy, limit=limit)
    check_stopped(done, policy, tmp_path / "out")


def test_a_disk_without_room_for_the_ring_is_told_before_the_program_starts(
    tmp_path: Path,
) -> None:
    """Its blocks are allocated at the start, so that no page can be missing later."""
    write_program(tmp_path, calls=1)
    done = recording(tmp_path, limit=(resource.RLIMIT_FSIZE, 1_000_000))
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.count(b"\n") == 1
    assert b"[ERR_IO]" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_program_that_uses_up_all_descriptors_is_recorded(tmp_path: Path) -> None:
    """The recorder needs none while it records; the trace, which needs some, is made later."""
    before = (
        "import os\n"
        "held = []\n"
        "try:\n"
        "    while True:\n"
        "        held.append(os.dup(1))\n"
        "except OSError:\n"
        "    pass\n"
    )
    write_program(tmp_path, calls=4_000, before=before)
    done = recording(tmp_path, limit=(resource.RLIMIT_NOFILE, 300))
    assert done.stdout == b"done\n"
    assert done.returncode == 1
    assert b"[ERR_IO]" in done.stderr
    assert b"Too many open files" in done.stderr
    made = recorder(["recover", "out"], tmp_path)
    assert made.stdout.startswith(b"out/trace.ct: made, ")


@pytest.mark.parametrize("megabytes", [40, 60, 100])
def test_a_limit_of_memory_is_met_in_order(megabytes: int, tmp_path: Path) -> None:
    """Under any limit recording works, or does not start and says so; nothing crashes."""
    write_program(tmp_path, calls=100)
    limit = (resource.RLIMIT_AS, megabytes << 20)
    plain = subprocess.run(
        [sys.executable, "-c", "import random"],
        capture_output=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(limit[0], (limit[1],) * 2),
    )
    if plain.returncode:
        pytest.skip("the program does not run under this limit either")
    done = recording(tmp_path, limit=limit)
    assert done.returncode in (0, 1)
    if done.returncode:
        assert b"codetracer-core: error: [ERR_" in done.stderr or b"MemoryError" in done.stderr
        assert b"ERR_UNKNOWN" not in done.stderr
    else:
        assert done.stdout == b"done\n"


def test_a_program_that_runs_out_of_memory_keeps_its_trace(tmp_path: Path) -> None:
    """Its MemoryError is its own, and what it does then is recorded."""
    before = (
        "held = []\n"
        "def fill():\n"
        "    while True:\n"
        "        held.append(bytearray(1 << 18))\n"
        "try:\n"
        "    fill()\n"
        "except MemoryError:\n"
        "    held.clear()\n"
    )
    write_program(tmp_path, calls=100, before=before)
    done = recording(tmp_path, "-q", limit=(resource.RLIMIT_AS, 300 << 20))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"done\n", b"")
    trace = ct.load(tmp_path / "out" / "trace.ct")
    assert sum(call["function"] == "work" for call in trace.calls) == 100


def test_a_program_that_leaves_no_memory_at_its_end_leaves_its_journal(tmp_path: Path) -> None:
    """The trace, for which there is no room, can be made later."""
    (tmp_path / "program.py").write_text(
        "import resource\n"
        "def work(number):\n"
        "    return number\n"
        "[work(number) for number in range(100)]\n"
        "print('done', flush=True)\n"
        "resource.setrlimit(resource.RLIMIT_AS, (20 << 20, 20 << 20))\n"
    )
    done = recording(tmp_path, "-q")
    assert (done.returncode, done.stdout) == (1, b"done\n")
    assert done.stderr.startswith(b"codetracer-core: error: [ERR_NO_MEMORY]")
    assert done.stderr.count(b"\n") == 1
    assert recorder(["recover", "out"], tmp_path).returncode == 0
    trace = ct.load(tmp_path / "out" / "trace.ct")
    assert sum(call["function"] == "work" for call in trace.calls) == 100


@pytest.mark.parametrize(
    ("policy", "first"),
    [
        ("disable", "faulthandler.enable(); faulthandler.disable(); faulthandler.enable()"),
        ("abort", "pass"),
    ],
)
def test_a_ring_that_takes_nothing_any_more_ends_the_recording(
    policy: str, first: str, tmp_path: Path
) -> None:
    """A page of it for which the file system has no place does not kill the program, with and
    without faulthandler: here the file is cut, and systems that copy on write do so when the disk
    is full."""
    cut = "[ring] = glob.glob('out/*.ring')\nos.truncate(ring, 8192)\n"
    before = f"import faulthandler, glob, os\n{first}\n{cut}"
    write_program(tmp_path, calls=12_000, before=before)
    done = recording(tmp_path, "--on-recorder-error", policy)
    assert done.returncode == 1
    assert b"[ERR_IO] recording has stopped" in done.stderr
    assert b"Bus error" not in done.stderr
    assert done.stdout == (b"done\n" if policy == "disable" else b"")
    assert recorder(["recover", "out"], tmp_path).returncode == 0
    assert ct.load(tmp_path / "out" / "trace.ct").steps


@pytest.mark.parametrize("how", ["shutil.rmtree('out')", "os.rename('out', 'moved')"])
def test_a_folder_that_goes_away_does_not_disturb_the_program(how: str, tmp_path: Path) -> None:
    """It runs to its end; the trace of a folder that was renamed can be made there."""
    write_program(tmp_path, calls=4_000, before=f"import os, shutil\nwork(-1)\n{how}\n")
    done = recording(tmp_path)
    assert (done.returncode, done.stdout) == (1, b"done\n")
    assert done.stderr.count(b"\n") == 1
    assert b"[ERR_IO] the output folder was removed or renamed" in done.stderr
    assert not (tmp_path / "out").exists()
    if "rename" in how:
        assert recorder(["recover", "moved"], tmp_path).returncode == 0
        trace = ct.load(tmp_path / "moved" / "trace.ct")
        assert sum(call["function"] == "work" for call in trace.calls) == 4_001
