"""Sessions that begin in the middle of a program, and sessions whose journal cannot be written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from core.recorder.support import HERE, SHOW_ALL, Decoder, by_thread, run
from naive import journal

HEAD = """\
import sys
from pathlib import Path

sys.path[:0] = [{tests!r}]
from core.recorder.drive import use_native

use_native()
from codetracer_core.journal.writer import JournalWriter
from codetracer_core.runtime.filtering import FilterCoordinator
from codetracer_core.runtime.tracer import RuntimeTracer
from codetracer_filter import TraceFilterEngine, load_chain
from codetracer_policy import CaptureLimits


def session(**options):
    writer = JournalWriter.create(Path({out!r}), {{}}, CaptureLimits())
    engine = TraceFilterEngine(load_chain([{filter_file!r}], program_dir=None))
    coordinator = FilterCoordinator(engine, main_script=__file__)
    return RuntimeTracer(writer, coordinator, **options), writer


"""

IN_THE_MIDDLE = """\
import threading

tracer, writer = session(on_recorder_error="disable", adopt_running=True)
started, go_on = threading.Event(), threading.Event()


def beside(n):
    mine = [n]
    started.set()
    go_on.wait()
    mine.append(n)
    return mine


def numbers():
    yield 1
    yield 2


def outer(a):
    made = numbers()
    next(made)
    b = inner(a, made)
    return b


def inner(c, made):
    tracer.install()
    d = c + 1
    next(made)
    go_on.set()
    thread.join()
    return d


thread = threading.Thread(target=beside, args=(5,), name="beside")
thread.start()
started.wait()
result = outer(3)
tracer.uninstall()
writer.finish({})
print(result)
"""

IN_AN_INIT = """\
tracer, writer = session(on_recorder_error="disable", adopt_running=True)


class Made:
    def __init__(self, start):
        self.started = start
        if start:
            tracer.install()


for n in range(40):
    made = Made(n == 39)
tracer.uninstall()
writer.finish({})
"""

FULL_DISK = """\
import random
import resource
import signal

tracer, writer = session(on_recorder_error={policy!r})
source = random.Random(3)


def work():
    done = 0
    for turn in range(20_000):
        text = source.randbytes(400).hex()
        done += 1
    return done


tracer.install()
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    print(work())
except Exception as error:
    print(type(error).__name__, error.code)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(tracer.failure.code)
tracer.uninstall()
try:
    writer.finish({{}})
except Exception as error:
    print("finish:", error.code)
tools = [sys.monitoring.get_tool(n) for n in range(6)] if hasattr(sys, "monitoring") else [None] * 6
print(tools)
"""


def run_session(folder: Path, source: str) -> tuple[str, Path]:
    """Run a program that makes a session itself; returns its output and the journal."""
    out = folder / "out"
    out.mkdir()
    filter_file = folder / "filter.toml"
    filter_file.write_text(SHOW_ALL, encoding="utf-8")
    script = folder / "program.py"
    head = HEAD.format(tests=str(HERE.parents[1]), out=str(out), filter_file=str(filter_file))
    script.write_text(head + source, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    (path,) = out.glob("*.ctj")
    return done.stdout, path


def events_of(path: Path) -> dict[str, list[journal.Event]]:
    decoder = Decoder()
    for chunk in journal.chunks(path):
        decoder.next_chunk(chunk)
    return by_thread(decoder.events)


def test_a_session_takes_up_the_frames_that_run_already(tmp_path: Path) -> None:
    """Frames of every thread are entered where they are, outermost first, with the variables that
    they have; what they do from then on is recorded like everything else."""
    output, path = run_session(tmp_path, IN_THE_MIDDLE)
    assert output == "4\n"
    events = events_of(path)
    main = [event for event in events["MainThread"] if event[0] != "step"]
    # A forgotten generator is closed by throwing into it; by CPython 3.13 only if it would notice.
    is_thrown_into = sys.version_info[:2] != (3, 13)
    closing = [("throw", "numbers"), ("unwind", "numbers")] if is_thrown_into else []
    assert [event[:2] for event in main] == [
        ("enter", "<__main__>"),
        ("enter", "outer"),
        ("enter", "inner"),
        ("resume", "numbers"),
        ("yield", "numbers"),
        ("return", "inner"),
        ("return", "outer"),
        *closing,
    ]
    first = next(event for event in events["MainThread"] if event[0] == "step")
    assert first[3]["c"] == ("int", 3)
    assert first[3]["made"] == ("text", "generator", "<generator numbers>")
    beside = events["beside"]
    assert beside[0][:2] == ("enter", "beside")
    assert beside[-1] == ("return", "beside", ("list", 2, (("int", 5), ("int", 5))))
    assert [event[3]["n"] for event in beside if event[0] == "step"] == [("int", 5)] * 2


def test_a_session_may_begin_while_an_object_is_made(tmp_path: Path) -> None:
    """The interpreter runs the class with a frame of its own below the method; it is no call of the
    program."""
    _, path = run_session(tmp_path, IN_AN_INIT)
    entered = [event[1] for event in events_of(path)["MainThread"] if event[0] == "enter"]
    assert entered == ["<__main__>", "Made.__init__"]


def test_a_disk_that_is_full_ends_the_recording_and_not_the_program(tmp_path: Path) -> None:
    """The program runs to its end, the failure has a code, and the journal up to there is whole."""
    output, path = run_session(tmp_path, FULL_DISK.format(policy="disable"))
    assert output.splitlines() == ["20000", "ERR_IO", "finish: ERR_IO", str([None] * 6)]
    assert path.stat().st_size <= 200_000
    assert path.with_suffix(".ring").exists()
    steps = [event for event in events_of(path)["MainThread"] if event[0] == "step"]
    done = [step[3]["done"][1] for step in steps if "done" in step[3]]
    assert done == sorted(done)
    assert done[-1] > 500


def test_the_policy_abort_raises_the_failure_in_the_program(tmp_path: Path) -> None:
    """The program learns at the next step that its recording has failed, and can go on."""
    output, path = run_session(tmp_path, FULL_DISK.format(policy="abort"))
    assert output.splitlines()[1:] == ["ERR_IO", "finish: ERR_IO", str([None] * 6)]
    assert output.startswith("EnvironmentError")
    assert events_of(path)["MainThread"]


RAISES_FIRST = """\
import sys, threading, time
import codetracer_core

locks = [threading.Lock(), threading.Lock()]
for lock in locks:
    lock.acquire()

def fails():
    int(locks[0].acquire(), 7)

def catches():
    try:
        fails()
    except TypeError:
        caught = True

def returns():
    return locks[1].acquire()

threads = [threading.Thread(target=catches), threading.Thread(target=returns)]
for thread in threads:
    thread.start()
def names():
    frames = sys._current_frames()
    return [frames[thread.ident].f_code.co_name for thread in threads]

while names() != ["fails", "returns"]:
    time.sleep(0.01)
time.sleep(0.05)
codetracer_core.start(sys.argv[1])
for lock in locks:
    lock.release()
for thread in threads:
    thread.join()
codetracer_core.stop()
"""


def test_a_frame_that_ran_before_may_raise_or_return_first(tmp_path: Path) -> None:
    """A thread that waits when the session starts is taken up at whatever its frames do next."""
    script = tmp_path / "program.py"
    script.write_text(RAISES_FIRST, encoding="utf-8")
    done = run([script, tmp_path / "out"])
    assert (done.status, done.output) == (0, "")
    (path,) = (tmp_path / "out").glob("*.ctj")
    found: dict[str, list[str]] = {}
    threads: dict[int, str] = {}
    for kind, thread, *rest in journal.load(path):
        if kind == "enter" and rest[0] in ("catches", "returns"):
            threads[thread] = rest[0]
        if thread in threads:
            found.setdefault(threads[thread], []).append(kind)
    fails = ["enter", "step", "raise", "unwind"]
    assert found["catches"][:-1] == ["enter", *fails, "step", "step", "catch", "return"]
    assert found["returns"][:-1] == ["enter", "step", "return"]
