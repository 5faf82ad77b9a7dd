"""What a program finds at its descriptors while they are mirrored, and after; what is refused."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from core.io.mirrored import LINES, RECORD, Mirrored
from core.recorder.support import NEEDS_MONITORING
from integration.recording import RECORDER


def test_the_program_finds_no_child_that_is_not_its_own(tmp_path: Path) -> None:
    """The process that forwards is nobody's child."""
    done = Mirrored(
        tmp_path,
        "import os, signal\n"
        "try:\n    os.waitpid(-1, os.WNOHANG)\nexcept ChildProcessError:\n    print('none')\n"
        "print(os.get_inheritable(1), os.get_blocking(1))\n",
    )
    assert done.text("stdout") == b"none\nTrue True\n"


def test_a_file_stays_a_file(tmp_path: Path) -> None:
    """Nothing is put in its place, and a program may cut it."""
    done = Mirrored(
        tmp_path,
        f"{LINES}C.write(1, b'gone\\n', 5)\n"
        "print(sys.stdout.seekable(), os.lseek(1, 0, os.SEEK_CUR), flush=True)\n"
        "os.ftruncate(1, 0); os.lseek(1, 0, os.SEEK_SET)\n"
        "C.write(1, b'left\\n', 5)\n",
        "file",
    )
    assert done.done[1] == b"left\n"
    assert done.text("stdout") == b"gone\nTrue 5\nleft\n"


LOOK = """import os, sys
import codetracer_core as c
def look():
    numbers = [int(name) for name in os.listdir('/proc/self/fd')]
    files = {n: os.readlink(f'/proc/self/fd/{n}') for n in numbers if n < 3 or n > 90}
    return {n: name for n, name in files.items() if not name.endswith('.ctj')}
c.start('warm').stop()
before = look()
"""


def test_the_descriptors_are_back_after_a_session(tmp_path: Path) -> None:
    """The same files under the same numbers, and no others."""
    program = (
        LOOK + "session = c.start('out', policy={'io_capture_fd_fallback': True})\n"
        "during = look()\n"
        "os.system('echo x')\n"
        "session.stop()\n"
        "print(before == look(), before != during)\n"
    )
    (tmp_path / "main.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "main.py"], cwd=tmp_path, capture_output=True, timeout=60, check=False
    )
    assert done.stdout == b"x\nTrue True\n", done.stderr


@NEEDS_MONITORING
@pytest.mark.parametrize("policy", ["disable", "abort"])
def test_the_descriptors_are_back_after_a_failure(policy: str, tmp_path: Path) -> None:
    """At once, with everything that was on its way having arrived before."""
    (tmp_path / "main.py").write_text(
        LOOK + "policy = {'io_capture_fd_fallback': True, 'on_recorder_error': sys.argv[1]}\n"
        "session = c.start('out', policy=policy)\n"
        "during = look()\n"
        "os.system('echo x')\n"
        "try:\n"
        "    sys.monitoring.free_tool_id(5)\n"
        "    def new(): pass\n"
        "    new()\n"
        "    if sys.version_info >= (3, 14): session.stop()\n"  # no event comes from a lost id
        "except c.RecorderError:\n"
        "    print('raised')\n"
        "print(before == look(), before != during)\n"
    )
    done = subprocess.run(
        [sys.executable, "main.py", policy],
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=False,
    )
    raised = b"raised\n" if policy == "abort" else b""
    assert done.stdout == b"x\n" + raised + b"True True\n", done.stderr


REFUSED = {
    "the second stream": "os.dup2(os.open('/dev/null', os.O_WRONLY), 1); os.dup2(theirs, 2)",
    "the limit of open files": "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))",
}


@pytest.mark.parametrize("obstacle", REFUSED)
def test_the_descriptors_are_back_after_a_failed_start(obstacle: str, tmp_path: Path) -> None:
    """And no other is left open."""
    (tmp_path / "main.py").write_text(
        LOOK + "import pty, resource\n"
        "log = os.open('log', os.O_WRONLY | os.O_CREAT)\n"
        "ours, theirs = pty.openpty()\n"
        f"{REFUSED[obstacle]}\n"
        "before = look()\n"
        "try:\n"
        "    c.start('out', policy={'io_capture_fd_fallback': True})\n"
        "except Exception as error:\n"
        "    os.write(log, f'{error.code} {before == look()}'.encode())\n"
    )
    done = subprocess.run(
        [sys.executable, "main.py"], cwd=tmp_path, capture_output=True, timeout=60, check=False
    )
    code = "ERR_NO_MIRROR" if obstacle == "the second stream" else "ERR_IO"
    assert (tmp_path / "log").read_text() == f"{code} True", done.stderr


def test_programs_may_close_what_is_not_theirs(tmp_path: Path) -> None:
    """Daemons do. What comes after that is not mirrored, and still goes where it went."""
    done = Mirrored(
        tmp_path,
        f"{LINES}os.system('echo a')\nos.closerange(3, 1000)\n"
        "open('other', 'w').write('other')\n"
        "os.system('echo b')\nprint('c')\n",
    )
    assert done.done[1] == b"a\nb\nc\n"
    assert done.text("stdout", mirror=False) == b"c\n"


def test_streams_that_are_closed_are_left_alone(tmp_path: Path) -> None:
    """There is nothing to mirror."""
    (tmp_path / "main.py").write_text("import os\nos.system('echo x >&2')\n")
    done = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *RECORD, "main.py"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"x\n")


@pytest.mark.parametrize("command", ["record", "doctor"])
def test_a_terminal_is_refused_with_the_reason(command: str, tmp_path: Path) -> None:
    """Before the program runs."""
    (tmp_path / "main.py").write_text("open('ran', 'w')\n")
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [RECORDER, command, "--io-capture", "proxies+fd", "-o", "out", "main.py"],
        cwd=tmp_path,
        stdout=subprocess.PIPE if command == "doctor" else theirs,
        stderr=theirs if command == "doctor" else subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(theirs)
    os.close(ours)
    said = done.stdout if command == "doctor" else done.stderr
    assert done.returncode == (1 if command == "doctor" else 2)
    assert b"ERR_NO_MIRROR" in said
    assert b"terminal" in said
    assert not (tmp_path / "ran").exists()


def test_one_stream_of_two_that_share_a_pipe_is_refused(tmp_path: Path) -> None:
    """What is forwarded and what is not would come in another order."""
    (tmp_path / "one.toml").write_text(
        '[meta]\nname = "io"\nversion = 1\n[io]\ncapture = true\nstreams = ["stderr"]\n'
        '[scope]\ndefault_exec = "inherit"\ndefault_value_action = "inherit"\n'
    )
    (tmp_path / "main.py").write_text("")
    done = subprocess.run(
        [*RECORD, "--trace-filter", "one.toml", "main.py"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert b"the same place as stdout" in done.stdout
