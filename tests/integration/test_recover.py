"""``codetracer-core recover``, and what ``show`` does of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from integration.recording import RECORDER, errors_of, record, recorder
from naive import ct

KILLED = """\
import os

def inner(number):
    text = str(number) * 3
    if number == {last}:
        os.kill(os.getpid(), 9)
    return text

def outer():
    for number in range(1_000_000):
        inner(number)

outer()
"""
MADE = ("trace.ct", "trace_metadata.json", "trace_paths.json")


def killed(folder: Path, last: int = 20, out: str = "out") -> Path:
    """The folder of a recording whose program was killed in its call number `last`."""
    (folder / "program.py").write_text(KILLED.format(last=last))
    done = record(["program.py"], folder, folder / out)
    assert done.returncode == -signal.SIGKILL
    return folder / out


def metadata(folder: Path) -> dict[str, object]:
    """What the trace in `folder` says of itself."""
    content = json.loads((folder / "trace_metadata.json").read_bytes())
    assert isinstance(content, dict)
    return content


def contents(folder: Path) -> dict[str, bytes]:
    """The files of the trace in `folder`."""
    return {name: (folder / name).read_bytes() for name in MADE}


def journal_of(folder: Path) -> Path:
    """The one journal in `folder`."""
    (journal,) = folder.glob("trace.*.ctj")
    return journal


def test_a_killed_program_is_recovered_and_the_trace_says_so(tmp_path: Path) -> None:
    """The metadata tell how the trace came about, what is missing, and which calls were open."""
    out = killed(tmp_path)
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    done = recorder(["recover", "out"], tmp_path)
    assert (done.returncode, errors_of(done)) == (0, [])
    first, *details = done.stdout.decode().splitlines()
    assert first.startswith("out/trace.ct: recovered, ")
    assert "  calls that were open at the end: 3" in details
    for name, content in before.items():
        assert (out / name).read_bytes() == content
    found = metadata(out)
    assert found["complete"] is False
    assert found["process_exit_status"] == {"code": None, "label": "<unfinished>"}
    assert found["recovery"] == {
        "journal_chunks": 0,
        "ring_chunks": 1,
        "machine_restarted": False,
        "bytes_dropped": 0,
        "chunks_missing": 0,
        "calls_open": 3,
    }
    calls = ct.load(out / "trace.ct").calls
    assert sum(call["function"] == "inner" for call in calls) == 21


def test_a_session_that_ended_in_order_is_made_and_not_recovered(tmp_path: Path) -> None:
    """Its trace was only left for later, and nothing of it is missing."""
    (tmp_path / "program.py").write_text("x = 1\n")
    words = ["record", "-q", "--materialise", "later", "--out-dir", "out", "program.py"]
    assert recorder(words, tmp_path).returncode == 0
    done = recorder(["recover", "--format", "json", "out"], tmp_path)
    report = json.loads(done.stdout)
    assert (report["state"], report["damage"], report["recovery"]) == ("made", [], None)
    assert metadata(tmp_path / "out")["recovery"] is None
    assert metadata(tmp_path / "out")["complete"] is True


def test_a_trace_that_is_there_stays(tmp_path: Path) -> None:
    """Recovering once more does nothing and says so; a trace in JSON counts, too."""
    out = killed(tmp_path)
    recorder(["recover", "out"], tmp_path)
    made = (out / "trace.ct").stat().st_mtime_ns
    done = recorder(["recover", "out"], tmp_path)
    assert (done.returncode, done.stdout) == (
        0,
        b"out/trace.ct: is there already, nothing to recover\n",
    )
    assert (out / "trace.ct").stat().st_mtime_ns == made
    words = ["record", "-q", "--format", "json", "--out-dir", "js", "-c", "x = 1"]
    assert recorder(words, tmp_path).returncode == 0
    done = recorder(["recover", "js"], tmp_path)
    assert done.stdout == b"js/trace.json: is there already, nothing to recover\n"


def test_a_damaged_trace_is_made_again(tmp_path: Path) -> None:
    """The journal gives the same trace as before."""
    out = killed(tmp_path)
    recorder(["recover", "out"], tmp_path)
    whole = contents(out)
    (out / "trace.ct").write_bytes(b"\xc0\xde\x72\xac\xe2 and nothing more")
    assert recorder(["recover", "out"], tmp_path).returncode == 0
    assert contents(out) == whole


def test_a_trace_can_be_made_elsewhere(tmp_path: Path) -> None:
    """The folder that was named is made, for its owner alone, and the recording's own untouched."""
    out = killed(tmp_path)
    names = {file.name for file in out.iterdir()}
    done = recorder(["recover", "--out-dir", "new/copy", "out"], tmp_path)
    assert (done.returncode, errors_of(done)) == (0, [])
    assert {file.name for file in out.iterdir()} == names
    assert set(contents(tmp_path / "new" / "copy")) == set(MADE)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    recorder(["recover", "out"], tmp_path)
    assert contents(tmp_path / "new" / "copy") == contents(out)


def test_a_copied_journal_is_recovered_by_its_name(tmp_path: Path) -> None:
    """Whatever that is; without its ring the newest steps are missing, and the trace says so."""
    out = killed(tmp_path, last=30_000)
    copy = tmp_path / "elsewhere"
    shutil.copy(journal_of(out), copy)
    done = recorder(["recover", "--format", "json", "-o", "made", copy.name], tmp_path)
    report = json.loads(done.stdout)
    assert report["recovery"]["ring_chunks"] == 0
    assert "the ring with the last steps is missing" in report["damage"]
    recorder(["recover", "out"], tmp_path)
    assert 0 < report["steps"] < len(ct.load(out / "trace.ct").steps)


def test_what_a_torn_journal_lacks_is_told_in_numbers(tmp_path: Path) -> None:
    """A frame that was cut is dropped, and the chunk that it held is missing."""
    out = killed(tmp_path, last=60_000)
    journal = journal_of(out)
    os.truncate(journal, journal.stat().st_size - 10)
    done = recorder(["recover", "--format", "json", "out"], tmp_path)
    facts = json.loads(done.stdout)["recovery"]
    assert facts["bytes_dropped"] > 0
    # The slot of the newest frame may not have been used again.
    assert facts["chunks_missing"] in (0, 1)


def test_a_recording_that_goes_on_is_not_touched(tmp_path: Path) -> None:
    """While the program runs, neither command makes a trace of its journal."""
    (tmp_path / "program.py").write_text("print('ready', flush=True); input()\n")
    process = subprocess.Popen(
        [RECORDER, "record", "-q", "--out-dir", "out", "program.py"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        for command in ("recover", "show"):
            done = recorder([command, "out"], tmp_path)
            assert done.returncode == 2
            assert done.stderr.count(b"\n") == 1
            assert b"[ERR_TRACE_IN_USE]" in done.stderr
        process.communicate(b"\n", timeout=60)
    assert process.returncode == 0
    assert recorder(["show", "out"], tmp_path).returncode == 0


def test_a_trace_of_another_recording_is_not_replaced(tmp_path: Path) -> None:
    """Recovering into its folder is refused, and it stays as it is."""
    killed(tmp_path)
    other = killed(tmp_path, out="other")
    recorder(["recover", "other"], tmp_path)
    before = contents(other)
    done = recorder(["recover", "--out-dir", "other", "out"], tmp_path)
    assert done.returncode == 2
    assert b"[ERR_TRACE_DIR_CONFLICT]" in done.stderr
    assert contents(other) == before


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        ([], b"ERR_COMMAND_LINE", 2),
        (["out", "out"], b"ERR_COMMAND_LINE", 2),
        (["--format", "xml", "out"], b"ERR_COMMAND_LINE", 2),
        (["nowhere"], b"ERR_TRACE_NOT_FOUND", 2),
        (["."], b"ERR_TRACE_NOT_FOUND", 2),
        (["program"], b"ERR_JOURNAL_FORMAT", 1),
    ],
)
def test_what_is_no_recording_is_one_line(
    words: list[str], code: bytes, status: int, tmp_path: Path
) -> None:
    """It has a code, and the exit status tells a misuse from a file that cannot be used."""
    (tmp_path / "program").write_text("x = 1\n" * 100)
    done = recorder(["recover", *words], tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (status, b"", 1)
    assert code in done.stderr


def test_child_processes_are_recovered_with_their_parent(tmp_path: Path) -> None:
    """A group that was killed as a whole gives a trace each, and the parent's names its child."""
    (tmp_path / "program.py").write_text(
        "import os, signal\n"
        "def work():\n"
        "    return 1\n"
        "reader, writer = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    work()\n"
        "    os.write(writer, b'x')\n"
        "    signal.pause()\n"
        "os.read(reader, 1)\n"
        "os.killpg(0, signal.SIGKILL)\n"
    )
    process = subprocess.Popen(
        [RECORDER, "record", "-q", "--out-dir", "out", "program.py"],
        cwd=tmp_path,
        start_new_session=True,
    )
    assert process.wait(60) == -signal.SIGKILL
    done = recorder(["recover", "--format", "json", "out"], tmp_path)
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert [report["state"] for report in reports] == ["recovered"] * 2
    children = metadata(tmp_path / "out")["children"]
    assert isinstance(children, list)
    (child,) = children
    assert (tmp_path / "out" / child["folder"] / "trace.ct").is_file()


def test_a_folder_that_cannot_be_written_is_shown_without_writing(tmp_path: Path) -> None:
    """The trace is made for this once, in a private folder that goes again, and the remedy told."""
    out = killed(tmp_path)
    names = {file.name for file in out.iterdir()}
    passing = tmp_path / "passing"
    passing.mkdir()
    with read_only(out):
        done = subprocess.run(
            [RECORDER, "show", "out"],
            cwd=tmp_path,
            env=os.environ | {"TMPDIR": str(passing)},
            capture_output=True,
            timeout=60,
            check=False,
        )
        refused = recorder(["recover", "out"], tmp_path)
    assert done.returncode == 0
    assert b"os.kill(os.getpid(), 9)" in done.stdout
    assert b"codetracer-core recover --out-dir" in done.stderr
    assert {file.name for file in out.iterdir()} == names
    assert list(passing.iterdir()) == []
    assert refused.returncode == 1
    assert b"[ERR_IO]" in refused.stderr


class read_only:  # noqa: N801 - a context manager reads as a phrase
    """`folder` without the right to write there, for root by a mount of it upon itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> None:
        if os.geteuid():
            self.folder.chmod(0o500)
            return
        mount = ["mount", "--bind", "-o", "ro", *[os.fspath(self.folder)] * 2]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("root may not mount here, and no rights bind it")

    def __exit__(self, *exception: object) -> None:
        if os.geteuid():
            self.folder.chmod(0o700)
        else:
            subprocess.run(["umount", self.folder], check=True)


def test_leftovers_of_a_killed_recovery_go(tmp_path: Path) -> None:
    """Files that were being made are removed by the next recovery; others stay."""
    out = killed(tmp_path)
    left = out / ".trace.ct.0123456789abcdef.tmp"
    left.write_bytes(b"half of it")
    (out / ".trace.notes").write_text("not ours")
    recorder(["recover", "out"], tmp_path)
    assert not left.exists()
    assert (out / ".trace.notes").exists()


def test_a_recovery_that_is_interrupted_can_be_done_again(tmp_path: Path) -> None:
    """SIGINT ends it by that signal with one line, and leaves neither trace nor leftovers."""
    out = killed(tmp_path, last=60_000)
    names = {file.name for file in out.iterdir()}
    process = subprocess.Popen(
        [RECORDER, "recover", "out"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    while process.poll() is None and not list(out.glob(".trace.*.tmp")):
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert errors.count(b"\n") == 1
    assert b"recover it again" in errors
    assert {file.name for file in out.iterdir()} == names
    assert recorder(["recover", "out"], tmp_path).returncode == 0
