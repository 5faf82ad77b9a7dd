"""What a trace has of output that goes past Python's streams, and that the program does not notice.

Each program runs plainly, too; whoever reads its output must get the same bytes from both.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from core.io.mirrored import LINES, RECORD, Mirrored
from core.io.support import written
from core.recorder.support import NEEDS_BUFFERS
from integration.recording import recorder, with_auto_start
from naive import ct

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
        # A line that takes its time is several events.
        said = b"".join(written(trace, event).text for event in trace.events)
        assert said == b"".join(b"child %d\n" % number for number in range(50))
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
