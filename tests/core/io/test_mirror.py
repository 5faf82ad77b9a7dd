"""What a trace has of output that goes past Python's streams, and that the program does not notice.

Each program runs plainly, too; whoever reads its output must get the same bytes from both.
"""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from core.io.support import Written, written
from core.recorder.support import NEEDS_BUFFERS, NEEDS_MONITORING
from integration.recording import RECORDER, recorder, with_auto_start
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


PAST_THE_STREAMS = (
    "C.write(1, b'x\\n', 2)",
    "C.puts(b'x'); C.fflush(None)",
    "os.system('echo x')",
    "subprocess.run(['echo', 'x'])",
    "os.writev(1, [b'x', b'\\n'])",
    "os.write(os.dup(1), b'x\\n')",
    "open(os.dup(1), 'w').write('x\\n')",
    "os.waitpid(os.posix_spawn('/bin/echo', ['echo', 'x'], {}), 0)",
    "os.fork() or (os.write(1, b'x\\n'), os._exit(0)); os.wait()",
)


@pytest.mark.parametrize("sink", ["pipe", "file"])
def test_what_goes_past_the_streams_is_recorded_once(sink: str, tmp_path: Path) -> None:
    """At the line that was running, or a later one where the system was slow to hand it on, and
    beside what goes through them."""
    program = "\n".join(f"{statement}\nprint('b', flush=True)" for statement in PAST_THE_STREAMS)
    done = Mirrored(tmp_path, LINES + program + "\n", sink)
    count = len(PAST_THE_STREAMS)
    hooked = [(each.text, each.line) for each in done.written if "mirror" not in each.flags]
    assert hooked == [(b"b\n", 4 + 2 * i) for i in range(count)]
    mirrored = [
        (letter, each.line)
        for each in done.written
        if "mirror" in each.flags
        for letter in each.text.split()
    ]
    assert [letter for letter, _ in mirrored] == [b"x"] * count
    # The last ones may come when no line runs any more.
    assert all(line is None or line >= 3 + 2 * i for i, (_, line) in enumerate(mirrored))
    if sink == "file":
        assert [line for _, line in mirrored] == [3 + 2 * i for i in range(count)]


STOPPED = f"""{LINES}
import signal
def command(pid):
    with open(f'/proc/{{pid}}/cmdline') as file:
        return file.read()
def forwards(pid):
    try:
        numbers = os.listdir(f'/proc/{{pid}}/fd')
        files = [os.stat(f'/proc/{{pid}}/fd/{{number}}') for number in numbers]
        is_ours = command(pid) == command('self') and int(pid) != os.getpid()
    except OSError:
        return False
    return is_ours and any(os.path.samestat(os.stat(1), file) for file in files)
forwarders = [int(pid) for pid in os.listdir('/proc') if pid.isdigit() and forwards(pid)]
for pid in forwarders: os.kill(pid, signal.SIGSTOP)
try:
    for number in range(20):
        C.write(1, b'C\\n', 2)
        print('print', number, flush=True)
        os.writev(1, [b'v', b'\\n'])
        C.write(1, b'a', 1); os.write(1, b'b'); C.write(1, b'c\\n', 2)
    subprocess.run(['echo', 'child'])
    number = None
finally:
    for pid in forwarders: os.kill(pid, signal.SIGCONT)
print(len(forwarders), file=sys.stderr)
"""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_what_is_still_in_a_pipe_belongs_to_the_line_that_wrote_it(
    unbuffered: str, tmp_path: Path
) -> None:
    """The process that hands it on need not have run since."""
    (tmp_path / "main.py").write_text(STOPPED)
    done = subprocess.run(
        [*RECORD, "main.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == b"1\n"
    numbers = [b"C\nprint %d\nv\nabc\n" % number for number in range(20)]
    assert done.stdout == b"".join([*numbers, b"child\n"])
    trace = ct.load(tmp_path / "out" / "trace.ct")
    told: dict[str, bytes] = {}
    for event in (written(trace, event) for event in trace.events):
        statement = STOPPED.splitlines()[(event.line or 1) - 1].strip()
        told[statement] = told.get(statement, b"") + event.text
    assert told == {
        "C.write(1, b'C\\n', 2)": b"C\n" * 20,
        "print('print', number, flush=True)": b"".join(b"print %d\n" % n for n in range(20)),
        "os.writev(1, [b'v', b'\\n'])": b"v\n" * 20,
        "C.write(1, b'a', 1); os.write(1, b'b'); C.write(1, b'c\\n', 2)": b"abc\n" * 20,
        "subprocess.run(['echo', 'child'])": b"child\n",
        "print(len(forwarders), file=sys.stderr)": b"1\n",
    }


@NEEDS_BUFFERS
@pytest.mark.parametrize("sink", ["pipe", "file"])
def test_bytes_that_only_the_program_could_give_are_mirrored(sink: str, tmp_path: Path) -> None:
    """An object's ``__buffer__`` is not asked for them a second time."""
    done = Mirrored(
        tmp_path,
        "import os\n"
        "class Text:\n"
        "    def __buffer__(self, flags):\n"
        "        return memoryview(b'text\\n')\n"
        "os.write(1, Text())\n",
        sink,
    )
    assert [event.text for event in done.written] == [b"text\n"]


THROUGH_THE_STREAMS = f"""{LINES}
print('x')
print('x', file=sys.stderr)
sys.stdout.buffer.write(b'x\\n')
os.write(1, b'x\\n')
open(1, 'wb', closefd=False, buffering=0).write(b'x\\n')
print('x' * 100_000)
sys.stdout.reconfigure(write_through=True); print('x')
sys.stdout = os.fdopen(os.dup(1), 'w'); print('x')
"""


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("sink", ["pipe", "file", "one"])
def test_what_the_streams_have_is_not_mirrored(
    sink: str, unbuffered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be in the trace twice."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    done = Mirrored(tmp_path, THROUGH_THE_STREAMS, sink)
    assert not any("mirror" in event.flags for event in done.written)
    recorded = len(done.text("stdout")) + len(done.text("stderr"))
    assert recorded == len(done.done[1]) + len(done.done[2])


WRITERS = f"""{LINES}
import threading
def work(name):
    for i in range(300):
        line = b'%s %03d\\n' % (name.encode(), i)
        if name < 'c':
            os.write(1, line)
        else:
            C.write(1, line, len(line))
child = subprocess.Popen(['seq', '10000'])
threads = [threading.Thread(target=work, args=(name,)) for name in 'abcd']
for thread in threads: thread.start()
for thread in threads: thread.join()
child.wait()
"""


@pytest.mark.parametrize("sink", ["pipe", "file", "one"])
def test_bytes_of_many_writers_are_recorded_once(sink: str, tmp_path: Path) -> None:
    """Of threads, of C code and of a child at the same time, whose order is not the same twice."""
    (tmp_path / "main.py").write_text(WRITERS)
    with open(tmp_path / "o", "w+b") as file:
        done = subprocess.run(
            [*RECORD, "main.py"],
            cwd=tmp_path,
            stdout=file if sink == "file" else subprocess.PIPE,
            stderr=subprocess.STDOUT if sink == "one" else subprocess.PIPE,
            timeout=60,
            check=False,
        )
    out = (tmp_path / "o").read_bytes() if sink == "file" else done.stdout
    trace = ct.load(tmp_path / "out" / "trace.ct")
    told = [written(trace, event) for event in trace.events]
    assert len(out) == sum(len(event.text) for event in told) > 50_000
    assert {e.text for e in told if "mirror" not in e.flags} == {
        b"%c %03d\n" % (name, i) for name in b"ab" for i in range(300)
    }
    counted = Counter(out.split(b"\n"))
    for name in b"cd":
        assert all(counted[b"%c %03d" % (name, i)] <= 1 for i in range(300))


def test_a_slow_reader_holds_nothing_up_for_ever(tmp_path: Path) -> None:
    """Pipes that are full make the program wait, as they do without a recorder."""
    (tmp_path / "main.py").write_text(
        f"{LINES}for i in range(3000):\n"
        "    print('p', i, 'x' * 100, flush=True)\n"
        "    C.write(1, b'c' * 100 + b'\\n', 101)\n"
        "os.system('seq 10000')\n"
    )
    with subprocess.Popen([*RECORD, "main.py"], cwd=tmp_path, stdout=subprocess.PIPE) as process:
        time.sleep(1)
        assert process.stdout is not None
        out = process.stdout.read()
        assert process.wait(60) == 0
    expected = b"".join(
        b"p %d %s\n%s\n" % (i, b"x" * 100, b"c" * 100) for i in range(3000)
    ) + b"".join(b"%d\n" % i for i in range(1, 10001))
    assert out == expected
    trace = ct.load(tmp_path / "out" / "trace.ct")
    told = [written(trace, event) for event in trace.events]
    mirrored = b"".join(event.text for event in told if "mirror" in event.flags)
    assert mirrored == b"".join(
        line for line in expected.splitlines(keepends=True) if not line.startswith(b"p")
    )


@pytest.mark.parametrize(
    "end", ["os.kill(os.getpid(), 9)", "os._exit(3)", "os.execv('/bin/echo', ['echo', 'new'])"]
)
def test_nothing_is_held_back_however_the_program_ends(end: str, tmp_path: Path) -> None:
    """Also what its children write after that."""
    done = _run_cut(
        tmp_path,
        f"{LINES}subprocess.Popen(['sh', '-c', 'sleep 0.3; echo late'])\n"
        f"C.write(1, b'before\\n', 7)\nprint('streams', flush=True)\n{end}\n",
    )
    assert done[0] == done[1]
    assert done[0][1].endswith(b"late\n")


def _run_cut(folder: Path, program: str) -> tuple[tuple[int, bytes], tuple[int, bytes]]:
    (folder / "main.py").write_text(program)
    results = []
    for command in ([sys.executable], RECORD):
        done = subprocess.run(
            [*command, "main.py"], cwd=folder, stdout=subprocess.PIPE, timeout=60, check=False
        )
        results.append((done.returncode, done.stdout))
    return results[0], results[1]


def test_a_killed_program_leaves_what_was_mirrored(tmp_path: Path) -> None:
    """Up to the line that was running, also when that had run for a while."""
    (tmp_path / "main.py").write_text(
        f"{LINES}C.write(1, b'first\\n', 6)\nos.system('echo second; sleep 2; kill -9 $PPID')\n"
    )
    subprocess.run(
        [*RECORD, "main.py"], cwd=tmp_path, stdout=subprocess.PIPE, timeout=60, check=False
    )
    shown = recorder(["show", "out"], tmp_path)
    assert b"stdout: first" in shown.stdout
    assert b"stdout: second" in shown.stdout


def test_a_reader_that_goes_away_is_noticed(tmp_path: Path) -> None:
    """By the same exception as without a recorder."""
    (tmp_path / "main.py").write_text(
        "import os, sys\n"
        "try:\n"
        "    while True:\n"
        "        os.write(1, b'x' * 100)\n"
        "except BrokenPipeError:\n"
        "    os._exit(7)\n"
    )
    with subprocess.Popen([*RECORD, "main.py"], cwd=tmp_path, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.wait(60) == 7


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


@pytest.mark.parametrize("sink", [">/dev/null 2>errors", "2>&1 >/dev/null | cat >errors"])
def test_a_line_of_the_recorder_is_no_output(sink: str, tmp_path: Path) -> None:
    """It goes to the real standard error, here because a copy of the trace cannot be saved."""
    (tmp_path / "main.py").write_text(
        "import os, signal, time\n"
        "os.write(2, b'before\\n')\n"
        "os.rename('out', 'hidden'); open('out', 'w').close()\n"
        "os.kill(os.getpid(), signal.SIGUSR1)\n"
        "while b'codetracer' not in open('errors', 'rb').read(): time.sleep(0.01)\n"
        "os.unlink('out'); os.rename('hidden', 'out')\n"
        "os.write(2, b'after\\n')\n"
    )
    command = [*RECORD, "--save-on", "USR1", "main.py"]
    subprocess.run(
        ["sh", "-c", f'"$@" {sink}', "sh", *command], cwd=tmp_path, timeout=60, check=True
    )
    lines = (tmp_path / "errors").read_bytes().splitlines()
    assert lines[::2] == [b"before", b"after"]
    assert b"ERR_TRACE_DIR_CREATE_FAILED" in lines[1]
    trace = ct.load(tmp_path / "out" / "trace.ct")
    assert [event["content"] for event in trace.events] == [b"before\n", b"after\n"]


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


TOGETHER = """
import os, subprocess, sys
def talk(hear, say):
    for number in range(50):
        os.read(hear, 1)
        print('child', number, flush=True)
        os.write(say, b'.')
if sys.argv[1:]:
    talk(int(sys.argv[1]), int(sys.argv[2]))
    sys.exit()
for kind in 'fork', 'spawn':
    hear, told = os.pipe()
    ask, say = os.pipe()
    if kind == 'spawn':
        command = [sys.executable, 'main.py', str(ask), str(told)]
        subprocess.Popen(command, pass_fds=[ask, told])
    elif os.fork() == 0:
        talk(ask, told)
        sys.exit()
    for number in range(50):
        os.write(say, b'.')
        os.read(hear, 1)
        print(kind, number, flush=True)
    os.wait()
"""


@pytest.mark.parametrize("sink", ["pipe", "file"])
def test_children_and_their_parent_take_turns(sink: str, tmp_path: Path) -> None:
    """Recorded children write to the same pipe as their parent, which alone mirrors it."""
    environment = with_auto_start(tmp_path)
    done = Mirrored(tmp_path, TOGETHER, sink, environment=environment)
    told = done.text("stdout")
    assert told == b"".join(
        b"child %d\n%s %d\n" % (i, kind, i) for kind in (b"fork", b"spawn") for i in range(50)
    )
    for folder in (tmp_path / "out").glob("[0-9]*"):
        trace = ct.load(folder / "trace.ct")
        said = [written(trace, event).text for event in trace.events]
        assert said == [b"child %d\n" % number for number in range(50)]
    assert len(list((tmp_path / "out").glob("[0-9]*"))) == 2


def test_a_child_with_a_pipe_of_its_own_mirrors_that(tmp_path: Path) -> None:
    """And a terminal that its parent gives it is no reason to refuse anything."""
    child = "import os, sys; os.writev(1, [b'past']); print(sys.stdout.isatty())"
    done = Mirrored(
        tmp_path,
        "import os, pty, subprocess, sys\n"
        f'command = [sys.executable, "-c", "{child}"]\n'
        "print(subprocess.run(command, stdout=subprocess.PIPE).stdout)\n"
        "ours, theirs = pty.openpty()\n"
        "subprocess.run(command, stdout=theirs)\n"
        "print(os.read(ours, 100))\n",
        environment=with_auto_start(tmp_path),
    )
    assert done.done == (0, b"b'pastFalse\\n'\nb'pastTrue\\r\\n'\n", b"")
    said = []
    for folder in sorted((tmp_path / "out").glob("[0-9]*"), key=lambda path: int(path.name)):
        trace = ct.load(folder / "trace.ct")
        said.append([written(trace, event).text for event in trace.events])
    assert said == [[b"past", b"False\n"], [b"True\n"]]


@pytest.mark.parametrize("error", [subprocess.PIPE, subprocess.STDOUT])
def test_the_command_says_its_last_line(error: int, tmp_path: Path) -> None:
    """To the standard error that it was started with, when that is back, behind all output."""
    (tmp_path / "main.py").write_text(f"{LINES}C.write(2, b'past\\n', 5)\n")
    done = subprocess.run(
        [word for word in [*RECORD, "main.py"] if word != "-q"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=error,
        timeout=60,
        check=True,
    )
    past, line = (done.stderr or done.stdout).splitlines()
    assert past == b"past"
    assert line.startswith(b"codetracer-core: ")
    assert line.endswith(b"see them with: codetracer-core show out")
