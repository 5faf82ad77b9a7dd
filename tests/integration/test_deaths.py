"""Programs that end in every other way than in order: they end as unrecorded, and leave a trace."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from integration.recording import RECORDER, errors_of, recorder
from naive import ct

PROGRAM = """\
import ctypes, faulthandler, os, signal, sys, threading

{setup}

def work(number):
    kept = number * 2
    {death}
    after = kept

print(signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP), flush=True)
for number in range(5):
    turn = number + 1
work(turn)
"""
AGAIN = "def again(item): return sorted([item], key=again)"
DEATHS = {
    "SIGKILL": ("", "os.kill(os.getpid(), signal.SIGKILL)"),
    "SIGTERM": ("", "os.kill(os.getpid(), signal.SIGTERM)"),
    "SIGHUP": ("", "os.kill(os.getpid(), signal.SIGHUP)"),
    "SIGINT by default": (
        "signal.signal(signal.SIGINT, signal.SIG_DFL)",
        "os.kill(os.getpid(), signal.SIGINT)",
    ),
    "SIGTERM in a thread": (
        "ready = threading.Event()\nthreading.Thread(target=ready.wait, daemon=True).start()",
        "signal.pthread_kill(threading.enumerate()[1].ident, signal.SIGTERM); signal.pause()",
    ),
    "SIGSEGV in C": ("", "ctypes.string_at(0)"),
    "SIGSEGV with faulthandler": ("faulthandler.enable()", "ctypes.string_at(0)"),
    "SIGABRT in C": ("", "ctypes.CDLL(None).abort()"),
    "os.abort": ("", "os.abort()"),
    "os.abort with faulthandler": ("faulthandler.enable()", "os.abort()"),
    "os._exit": ("", "os._exit(7)"),
    "exit in C": ("", "ctypes.CDLL(None)._exit(9)"),
    "fatal error": ("", 'ctypes.pythonapi.Py_FatalError(b"the end")'),
    "stack exhausted": (
        f"sys.setrecursionlimit(10**7); threading.stack_size(64 << 10)\n{AGAIN}",
        "deep = threading.Thread(target=again, args=(0,)); deep.start(); deep.join()",
    ),
}


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run `command` in `folder`; a process that crashes leaves no memory dump there."""
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        timeout=120,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
    )


def lines_of(trace: Path) -> list[int]:
    """The lines of program.py that ran, in their order."""
    steps = ct.load(trace).steps
    own = [step for step in steps if step["path"].endswith("program.py")]
    return [step["line"] for step in own if step["kind"] == "line"]


@pytest.mark.parametrize("death", DEATHS)
def test_a_process_dies_as_unrecorded_and_its_last_step_is_kept(death: str, tmp_path: Path) -> None:
    """Output and status are those of the plain run; the trace ends with the line that ended it."""
    if death == "stack exhausted" and sys.version_info >= (3, 14):
        pytest.skip("CPython 3.14 raises RecursionError before the stack is exhausted")
    setup, line = DEATHS[death]
    text = PROGRAM.format(setup=setup, death=line)
    (tmp_path / "program.py").write_text(text)
    plain = run([sys.executable, "program.py"], tmp_path)
    words = [os.fspath(RECORDER), "record", "-q", "--out-dir", "out", "program.py"]
    recorded = run(words, tmp_path)
    assert recorded.returncode == plain.returncode != 0
    assert recorded.stdout == plain.stdout
    if b"Fatal Python error" not in plain.stderr:  # it lists compiled modules, also the recorder's
        assert recorded.stderr == plain.stderr
    recovered = recorder(["recover", "--format", "json", "out"], tmp_path)
    assert (recovered.returncode, errors_of(recovered)) == (0, [])
    report = json.loads(recovered.stdout)
    assert report["state"] == ("made" if death == "os._exit" else "recovered")
    lines = text.splitlines()
    own = [lines[number - 1].strip() for number in lines_of(tmp_path / "out" / "trace.ct")]
    if death == "stack exhausted":
        assert own[-10:] == [AGAIN] * 10
    assert own[-1] == line or death in ("stack exhausted", "SIGTERM in a thread")
    assert line in own


def test_a_thread_that_exits_ends_alone(tmp_path: Path) -> None:
    """sys.exit in a thread ends that thread, and the program goes on to its own end."""
    (tmp_path / "program.py").write_text(
        "import sys, threading\n"
        "def leave():\n"
        "    sys.exit(3)\n"
        "thread = threading.Thread(target=leave)\n"
        "thread.start()\n"
        "thread.join()\n"
        "last = 1\n"
    )
    done = run([os.fspath(RECORDER), "record", "-q", "--out-dir", "out", "program.py"], tmp_path)
    assert (done.returncode, errors_of(done)) == (0, [])
    lines = lines_of(tmp_path / "out" / "trace.ct")
    assert lines[-1] == 7
    assert 3 in lines


@pytest.mark.parametrize("handled", [False, True])
def test_sigterm_from_outside_does_what_it_does_unrecorded(
    tmp_path: Path, *, handled: bool
) -> None:
    """Without a handler the process dies by it; a handler of the program runs and is recorded."""
    handler = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(4))\n" if handled else ""
    (tmp_path / "program.py").write_text(
        f"import signal, sys, time\n{handler}print('ready', flush=True)\n"
        # A pause would last for ever where the signal comes right before it.
        "while True: time.sleep(0.01)\n"
    )
    process = subprocess.Popen(
        [os.fspath(RECORDER), "record", "-q", "--out-dir", "out", "program.py"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.terminate()
        assert process.wait(60) == (4 if handled else -signal.SIGTERM)
    shown = recorder(["show", "out"], tmp_path)
    assert shown.returncode == 0
    assert b"print('ready', flush=True)" in shown.stdout
    assert (b"without closing its trace" in shown.stderr) is not handled


def test_a_program_that_waits_has_its_last_step_in_the_journal(tmp_path: Path) -> None:
    """The ring is not needed for what an idle program did more than two seconds ago."""
    (tmp_path / "program.py").write_text(
        "import os, time\n"
        "def mark(number):\n"
        "    return number + 1\n"
        "mark(41)\n"
        "time.sleep(3.5)\n"
        "[ring] = [name for name in os.listdir('out') if name.endswith('.ring')]\n"
        "os.unlink(f'out/{ring}')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    run([os.fspath(RECORDER), "record", "-q", "--out-dir", "out", "program.py"], tmp_path)
    recovered = recorder(["recover", "--format", "json", "out"], tmp_path)
    report = json.loads(recovered.stdout)
    assert report["recovery"]["ring_chunks"] == 0
    assert report["recovery"]["journal_chunks"] > 0
    assert "the ring with the last steps is missing" in report["damage"]
    lines = lines_of(tmp_path / "out" / "trace.ct")
    assert 3 in lines
    assert lines[-1] == 5
