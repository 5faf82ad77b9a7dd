"""Child processes: each records into a folder of its own, and no trace of a parent is harmed."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from integration.recording import (
    PATIENCE,
    record,
    recorder,
    run_plain,
    with_auto_start,
    write_files,
)
from naive import ct

if TYPE_CHECKING:
    import subprocess

HEAD = "import os, signal, subprocess, sys, threading, time\n"

FORK = f"""\
{HEAD}
def work(n):
    return n + 1
def main(label):
    pid = os.fork()
    if pid == 0:
        print(label, work(1), flush=True)
        LEAVE
    print(label, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), work(2))
main("here")
"""

POOL = """\
import multiprocessing
def square(n):
    return n * n
if __name__ == '__main__':
    context = multiprocessing.get_context('METHOD')
    with context.Pool(2) as pool:
        print(pool.map(square, range(6)))
        pool.close()
        pool.join()
    single = context.Process(target=square, args=(7,))
    single.start()
    single.join()
    print(single.exitcode)
"""


class Recorded:
    """A program that was run plainly and recorded, and the traces that it left."""

    def __init__(
        self, tmp_path: Path, source: str, *options: str, patience: float = PATIENCE, **files: str
    ) -> None:
        self.folder = tmp_path / "program"
        self.out = tmp_path / "out"
        write_files(self.folder, {"main.py": source, **{f"{n}.py": t for n, t in files.items()}})
        environment = with_auto_start(self.folder)
        self.plain = run_plain(["main.py"], self.folder, environment=environment)
        words = [*options, "main.py"]
        self.done = record(words, self.folder, self.out, environment=environment, patience=patience)

    def runs_alike(self) -> bool:
        """Whether outputs and status are the same."""
        return _result(self.plain) == _result(self.done)

    @property
    def children(self) -> list[Path]:
        """The folders of child processes."""
        return sorted(path for path in self.out.iterdir() if path.is_dir())

    def functions(self, folder: Path) -> set[str]:
        """The functions of which the trace in `folder` has calls."""
        return {call["function"] for call in ct.load(folder / "trace.ct").calls}


def _result(done: subprocess.CompletedProcess[bytes]) -> tuple[bytes, bytes, int]:
    return done.stdout, done.stderr, done.returncode


def metadata(folder: Path) -> dict[str, Any]:
    """What the trace in `folder` says of itself."""
    document: dict[str, Any] = json.loads((folder / "trace_metadata.json").read_bytes())
    return document


def descendants(folder: Path) -> list[Path]:
    """The folders of children that the trace in `folder` names, of their children, and so on."""
    children = [(folder / child["folder"]).resolve() for child in metadata(folder)["children"]]
    return [*children, *(inner for child in children for inner in descendants(child))]


@pytest.mark.parametrize("leave", ["sys.exit(3)", "os._exit(3)"])
def test_a_forked_child_has_a_trace_that_begins_with_its_open_calls(
    tmp_path: Path, leave: str
) -> None:
    """It goes on from the calls in which it was forked and ends with its own status."""
    recorded = Recorded(tmp_path, FORK.replace("LEAVE", leave))
    assert recorded.runs_alike()
    (folder,) = recorded.children
    trace = ct.load(folder / "trace.ct")
    assert [call["function"] for call in trace.calls[1:]] == ["<__main__>", "main", "work"]
    lines = FORK.replace("LEAVE", leave).splitlines()
    assert lines[trace.steps[0]["line"] - 1] == "    if pid == 0:"
    assert metadata(folder)["process_exit_status"] == {"code": 3, "label": None}
    assert metadata(folder)["complete"]


def test_parent_and_child_name_each_other(tmp_path: Path) -> None:
    """The parent lists number, folder, kind and time of its child, which names the parent."""
    recorded = Recorded(tmp_path, FORK.replace("LEAVE", "sys.exit(0)"))
    (folder,) = recorded.children
    parent, child = metadata(recorded.out), metadata(folder)
    assert parent["parent"] is None
    assert parent["complete"]
    assert child["parent"] == {
        "pid": parent["pid"],
        "recording_id": parent["recording_id"],
        "kind": "fork",
    }
    assert parent["children"] == [
        {
            "pid": child["pid"],
            "folder": str(child["pid"]),
            "kind": "fork",
            "started_at": child["started_at"],
            "recording_id": child["recording_id"],
        }
    ]
    shown = recorder(["show", str(recorded.out)], tmp_path)
    assert f"1 child process was recorded, too: {folder} (fork)" in shown.stderr.decode()


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_workers_of_multiprocessing_are_recorded(tmp_path: Path, method: str) -> None:
    """Each worker that called the function has a trace with it; helpers leave nothing."""
    recorded = Recorded(tmp_path, POOL.replace("METHOD", method))
    assert recorded.runs_alike()
    folders = recorded.children
    called = [folder for folder in folders if "square" in recorded.functions(folder)]
    # From CPython 3.14 on the server of forks runs the program's main module, too.
    serves = method == "forkserver" and sys.version_info >= (3, 14)
    assert 2 <= len(called) <= len(folders) <= 3 + serves
    for folder in called:
        bodies = [
            call for call in ct.load(folder / "trace.ct").calls if "_main" in call["function"]
        ]
        assert len(bodies) == 1
    assert metadata(recorded.out)["complete"]
    assert recorded.functions(recorded.out) == {"<toplevel>", "<__main__>"}
    # Each is listed by its parent, and nothing is listed that is not there.
    assert sorted(descendants(recorded.out)) == folders
    shown = recorder(["show", str(recorded.out)], tmp_path).stderr.decode()
    assert f"{len(folders)} child processes were recorded, too" in shown


def test_programs_that_are_started_are_recorded_and_their_children_too(tmp_path: Path) -> None:
    """They inherit how they are to be recorded; all folders are in that of the first program."""
    recorded = Recorded(
        tmp_path,
        HEAD + "print(subprocess.run([sys.executable, 'child.py', '1']).returncode)\n",
        "--skip",
        "obj:__main__.hidden",
        child=HEAD
        + "def hidden():\n    return 1\n"
        + "hidden()\n"
        + "if sys.argv[1] == '1':\n"
        + "    subprocess.run([sys.executable, 'child.py', '2'])\n"
        + "sys.exit(5)\n",
    )
    assert recorded.runs_alike()
    folders = recorded.children
    assert len(folders) == 2
    by_argument = {metadata(folder)["args"][0]: metadata(folder) for folder in folders}
    assert by_argument["1"]["parent"]["recording_id"] == metadata(recorded.out)["recording_id"]
    assert by_argument["2"]["parent"]["recording_id"] == by_argument["1"]["recording_id"]
    assert {child["kind"] for child in by_argument["1"]["children"]} == {"spawn"}
    assert all("hidden" not in recorded.functions(folder) for folder in folders)


def test_nothing_is_followed_when_that_is_switched_off(tmp_path: Path) -> None:
    """Neither what is forked nor what is started is recorded, whatever the environment says."""
    source = FORK.replace("LEAVE", "sys.exit(0)") + (
        "print(os.environ.get('CODETRACER_TRACE'), flush=True)\n"
        "subprocess.run([sys.executable, '-c', 'print(1)'])\n"
    )
    recorded = Recorded(tmp_path, source, "--no-follow")
    assert recorded.runs_alike()
    assert recorded.children == []
    assert metadata(recorded.out)["children"] == []


def test_a_child_in_which_no_line_is_recorded_leaves_nothing(tmp_path: Path) -> None:
    """Nor does it cost a folder that another program takes its place at once."""
    recorded = Recorded(
        tmp_path,
        HEAD + "for _ in range(5):\n"
        "    subprocess.run(['true'], preexec_fn=os.setsid, check=True)\n"
        "    subprocess.run(['true'], check=True)\n",
    )
    assert recorded.runs_alike()
    assert recorded.children == []


def test_forks_beside_threads_and_in_signal_handlers_neither_hang_nor_warn(tmp_path: Path) -> None:
    """What the program does is the same as alone, its warnings included."""
    recorded = Recorded(
        tmp_path,
        HEAD + "stop = False\n"
        "lock = threading.Lock()\n"
        "def spin():\n"
        "    n = 0\n"
        "    while not stop:\n"
        "        with lock:\n"
        "            n += len(str(n))\n"
        "def child(code):\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        total = sum(i for i in range(20))\n"
        "        os._exit(code)\n"
        "    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])\n"
        "threads = [threading.Thread(target=spin) for _ in range(2)]\n"
        "for thread in threads:\n"
        "    thread.start()\n"
        "print([child(n) for n in range(10)])\n"
        "signal.signal(signal.SIGUSR1, lambda *_: print(child(11)))\n"
        "for _ in range(3):\n"
        "    os.kill(os.getpid(), signal.SIGUSR1)\n"
        "stop = True\n"
        "for thread in threads:\n"
        "    thread.join()\n",
    )
    assert recorded.done.stdout == recorded.plain.stdout
    assert recorded.done.returncode == recorded.plain.returncode == 0
    assert recorded.done.stderr.count(b"Warning") == recorded.plain.stderr.count(b"Warning")
    assert len(recorded.children) == 13
    assert metadata(recorded.out)["complete"]
    assert len(metadata(recorded.out)["children"]) == 13


def test_a_killed_child_has_its_trace_made_when_its_parent_ends(tmp_path: Path) -> None:
    """Its journal is what it left, and its last steps are in the trace."""
    recorded = Recorded(tmp_path, FORK.replace("LEAVE", "os.kill(os.getpid(), signal.SIGKILL)"))
    assert recorded.runs_alike()
    (folder,) = recorded.children
    assert "work" in recorded.functions(folder)
    assert metadata(folder)["process_exit_status"]["label"] == "<unfinished>"


def test_what_outlives_its_parents_never_replaces_their_trace(tmp_path: Path) -> None:
    """A daemon, and a program that is started when nobody of its family lives any more."""
    done = tmp_path / "done"
    source = HEAD + (
        "def daemon():\n"
        "    time.sleep(1)\n"
        "    subprocess.run([sys.executable, 'later.py'])\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        for number in range(3):\n"
        "            os.close(number)\n"
        "        daemon()\n"
        "        os._exit(0)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
    )
    folder, out = tmp_path / "program", tmp_path / "out"
    write_files(folder, {"main.py": source, "later.py": f"open({str(done)!r}, 'w').close()\n"})
    result = record(["main.py"], folder, out, environment=with_auto_start(folder))
    assert (result.stdout, result.stderr, result.returncode) == (b"", b"", 0)
    first = (out / "trace.ct").read_bytes()
    assert metadata(out)["complete"]
    deadline = time.monotonic() + 60
    while not done.exists() or any(out.rglob("*.ring")):
        assert time.monotonic() < deadline, sorted(out.rglob("*"))
        time.sleep(0.05)
    assert (out / "trace.ct").read_bytes() == first
    later = {}
    for child in out.iterdir():
        if child.is_dir():
            shown = recorder(["show", str(child)], tmp_path)
            assert shown.returncode == 0
            later[metadata(child)["recorder"]["target_script"]] = metadata(child)
    assert later[str(folder / "later.py")]["parent"]["kind"] == "spawn"
    assert str(folder / "main.py") in later


def test_a_program_that_takes_the_place_of_another_has_its_own_trace(tmp_path: Path) -> None:
    """After exec the first program's trace is what it was, and can be made from its journal."""
    recorded = Recorded(
        tmp_path,
        HEAD + "os.execv(sys.executable, [sys.executable, 'next.py'])\n",
        next="print('next')\n",
    )
    assert recorded.runs_alike()
    (folder,) = recorded.children
    assert metadata(folder)["parent"]["kind"] == "exec"
    assert recorder(["show", str(recorded.out)], tmp_path).returncode == 0
    assert metadata(recorded.out)["args"] == []
    assert metadata(recorded.out)["program"] == "main.py"


def test_a_child_that_records_and_then_runs_another_program_has_two_traces(tmp_path: Path) -> None:
    """That of the program is inside the first one, and the parent names both; a new recording
    replaces both."""
    recorded = Recorded(
        tmp_path,
        HEAD + "def prepare():\n"
        "    return 1\n"
        "subprocess.run([sys.executable, 'next.py'], preexec_fn=prepare, check=True)\n",
        next="print('next')\n",
    )
    assert recorded.runs_alike()
    (first,) = recorded.children
    second = first / first.name
    assert "prepare" in recorded.functions(first)
    assert metadata(second)["program"] == "next.py"
    listed = [child["folder"] for child in metadata(recorded.out)["children"]]
    assert listed == [first.name, f"{first.name}/{first.name}"]
    write_files(recorded.folder, {"main.py": "x = 1\n"})
    assert record(["main.py"], recorded.folder, recorded.out).returncode == 0
    assert recorded.children == []


def test_a_session_of_the_program_itself_follows_what_it_forks(tmp_path: Path) -> None:
    """The session of a forked child is active there and ends with the block or the process."""
    source = HEAD + (
        "import codetracer_core\n"
        "def work():\n    return 1\n"
        "with codetracer_core.trace('out') as session:\n"
        "    pid = os.fork()\n"
        "    work()\n"
        "    if pid == 0:\n"
        "        assert session.active and session.is_child\n"
        "        assert str(session.path).endswith(str(os.getpid()))\n"
        "if pid:\n    assert os.waitpid(pid, 0)[1] == 0\n"
    )
    folder = tmp_path / "program"
    write_files(folder, {"main.py": source})
    done = run_plain(["main.py"], folder)
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"", 0)
    (child,) = (path for path in (folder / "out").iterdir() if path.is_dir())
    for trace in (child, folder / "out"):
        assert "work" in {call["function"] for call in ct.load(trace / "trace.ct").calls}
        assert metadata(trace)["complete"]


def test_a_recording_that_begins_while_a_thread_forks_keeps_its_own_thread(tmp_path: Path) -> None:
    """It knows nothing of that fork, and chunks are written in a thread again after the next."""
    program = f"""\
{HEAD}
import codetracer_core
sessions = []
def begin():
    if sessions and len(sessions) < 2:
        sessions.append(codetracer_core.start("out"))
def fork():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
os.register_at_fork(before=begin)
sessions.append(codetracer_core.start("first"))
codetracer_core.stop()
threads = [len(os.listdir("/proc/self/task"))]
for _ in range(3):
    fork()
    threads.append(len(os.listdir("/proc/self/task")))
codetracer_core.stop()
print(threads)
"""
    write_files(tmp_path, {"main.py": program})
    done = run_plain(["main.py"], tmp_path)
    assert done.stdout == b"[1, 2, 2, 2]\n"


def test_a_fork_in_a_constructor_goes_on_from_there(tmp_path: Path) -> None:
    """The interpreter's own frames below a constructor that runs often are not taken for code."""
    recorded = Recorded(
        tmp_path,
        HEAD + "class Forking:\n"
        "    def __init__(self, forks):\n"
        "        self.pid = os.fork() if forks else None\n"
        "        self.code = leave(self.pid)\n"
        "def leave(pid):\n"
        "    if pid == 0:\n"
        "        os._exit(7)\n"
        "    return pid and os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])\n"
        "print([Forking(n == 199).code for n in range(200)][-1])\n",
    )
    assert recorded.runs_alike()
    (folder,) = recorded.children
    assert {"Forking.__init__", "leave"} <= recorded.functions(folder)


@pytest.mark.skipif("CODETRACER_LONG_TESTS" not in os.environ, reason="takes minutes")
@pytest.mark.timeout(1500)
def test_a_thousand_short_forks(tmp_path: Path) -> None:
    """Each has a small trace, and none is lost."""
    source = FORK.replace("main(", "for _ in range(1000): main(").replace(
        "def for _ in range(1000): main(", "def main("
    )
    recorded = Recorded(tmp_path, source.replace("LEAVE", "os._exit(0)"), patience=1200)
    assert recorded.runs_alike()
    assert len(recorded.children) == len(metadata(recorded.out)["children"]) == 1000
    assert sum(1 for _ in recorded.out.rglob("trace.ct")) == 65
    sizes = [sum(file.stat().st_size for file in child.iterdir()) for child in recorded.children]
    assert max(sizes) < 1 << 20
