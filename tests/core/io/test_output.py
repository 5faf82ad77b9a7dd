"""What a trace has of the program's output, and which line it says has written it."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from core.io.support import run
from core.recorder.support import NEEDS_BUFFERS, NEEDS_MONITORING
from integration.recording import record, run_plain
from naive import ct


def test_output_belongs_to_the_line_that_wrote_it(tmp_path: Path) -> None:
    """Also when the line has called other functions before, which have written themselves."""
    done = run(
        tmp_path,
        "def f(x):\n    print('f', x)\n    return x\nprint(f(1),\n      f(2))\nprint('end')\n",
    )
    assert done.lines() == [("f 1\n", 2), ("f 2\n", 2), ("1 2\n", 4), ("end\n", 6)]
    assert [event.function for event in done.written] == ["f", "f", "<__main__>", "<__main__>"]


def test_events_are_lines_and_what_a_flush_or_a_step_leaves_of_one(tmp_path: Path) -> None:
    """Their flags say why they end."""
    done = run(
        tmp_path,
        "import sys, time\n"
        "w = sys.stdout.write\n"
        "w('a\\nb\\nc'); sys.stdout.flush(); w('d'); time.sleep(0.02); w('e\\n'); w('f')\n"
        "w('g')\n",
    )
    told = [(event.text, event.flags) for event in done.written]
    assert told == [
        (b"a\n", ("newline",)),
        (b"b\n", ("newline",)),
        (b"c", ("flush",)),
        (b"d", ("time_split",)),
        (b"e\n", ("newline",)),
        (b"f", ("step_boundary",)),
        (b"g", ("step_boundary",)),
    ]


def test_streams_keep_their_order(tmp_path: Path) -> None:
    """What is written to another stream in between ends an event."""
    done = run(
        tmp_path,
        "import sys\n"
        "o, e = sys.stdout.write, sys.stderr.write\n"
        "o('1'); e('2'); o('3'); o('4\\n'); e('5\\n')\n",
    )
    assert [(event.stream, event.text) for event in done.written] == [
        ("stdout", b"1"),
        ("stderr", b"2"),
        ("stdout", b"34\n"),
        ("stderr", b"5\n"),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "print('x')",
        "sys.stdout.writelines(['x', '\\n'])",
        "sys.__stdout__.write('x\\n')",
        "w('x\\n')",
        "io.TextIOWrapper.write(sys.stdout, 'x\\n')",
        "sys.stdout.buffer.write(b'x\\n')",
        "sys.stdout.buffer.writelines([b'x', b'\\n'])",
        "getattr(sys.stdout.buffer, 'raw', sys.stdout.buffer).write(b'x\\n')",
        "os.write(1, b'x\\n')",
        "open(1, 'wb', closefd=False, buffering=0).write(b'x\\n')",
        "sys.stdout = os.fdopen(os.dup(1), 'w'); print('x')",
        "sys.stdout.reconfigure(line_buffering=True); print('x')",
        "print('x', file=sys.stderr)",
        "logging.getLogger().handlers[0].stream.write('x\\n')",
    ],
)
def test_every_way_to_write_is_recorded_once(statement: str, tmp_path: Path) -> None:
    """Through objects and methods that were taken before, too, and by whatever layer of a stream
    it goes."""
    done = run(
        tmp_path,
        f"import io, logging, os, sys\nlogging.basicConfig()\nw = sys.stdout.write\n{statement}\n"
        "sys.stdout.flush()\n",
    )
    assert b"".join(event.text for event in done.written) == b"x\n"
    assert {event.line for event in done.written} == {4}


def test_what_stays_in_the_program_is_no_output(tmp_path: Path) -> None:
    """Text for memory, for other files, and for streams that fail."""
    done = run(
        tmp_path,
        "import contextlib, io, sys\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n    print('memory')\n"
        "with open('file', 'w') as file:\n    print('file', file=file)\n"
        "sys.stdout = None\nprint('nothing')\n"
        "sys.stdout = sys.__stdout__\n"
        "try:\n    sys.stdout.write(b'bytes')\nexcept TypeError:\n    print('refused')\n",
    )
    assert done.lines() == [("refused\n", 12)]


def test_a_file_in_place_of_a_stream_counts_while_it_is_there(tmp_path: Path) -> None:
    """What is written to it then is the program's output, before and after it is not."""
    done = run(
        tmp_path,
        "import contextlib\n"
        "file = open('file', 'w')\n"
        "print('before', file=file)\n"
        "with contextlib.redirect_stdout(file):\n    print('inside')\n"
        "print('after', file=file)\n",
    )
    assert done.lines() == [("inside\n", 5)]
    assert (tmp_path / "file").read_text() == "before\ninside\nafter\n"


def test_bytes_stay_what_they_are_and_text_becomes_utf_8(tmp_path: Path) -> None:
    """Lone surrogates, which UTF-8 does not have, are escaped."""
    done = run(
        tmp_path,
        "import sys\n"
        "sys.stdout.reconfigure(errors='surrogateescape', encoding='utf-8')\n"
        "print('\\u00e9\\U0001f600\\udc80')\n"
        "sys.stdout.flush()\n"
        "sys.stdout.buffer.write(b'\\xff\\xe9\\n')\n",
    )
    assert [(event.text, event.flags) for event in done.written] == [
        ("\u00e9\U0001f600\\udc80\n".encode(), ("newline",)),
        (b"\xff\xe9\n", ("newline", "bytes")),
    ]


def test_a_long_text_is_cut_between_characters(tmp_path: Path) -> None:
    """Events have 64 KiB at most, and together they are the text."""
    done = run(tmp_path, "print('\u20ac' * 100_000)\n")
    assert done.text("stdout") == "\u20ac".encode() * 100_000 + b"\n"
    assert max(len(event.text) for event in done.written) <= 1 << 16
    assert [event.text.decode()[:1] for event in done.written] == ["\u20ac"] * len(done.written)
    assert done.written[0].flags == ("size_split",)


@NEEDS_BUFFERS
def test_buffers_of_the_program_are_asked_once(tmp_path: Path) -> None:
    """What only its ``__buffer__`` or ``__release_buffer__`` can give is told by its size."""
    done = run(
        tmp_path,
        "import array, os, sys\n"
        "asked = []\n"
        "class Text:\n"
        "    def __buffer__(self, flags):\n"
        "        asked.append('buffer')\n"
        "        return memoryview(b'text\\n')\n"
        "    def __release_buffer__(self, view):\n"
        "        asked.append('release')\n"
        "class Held(bytearray):\n"
        "    def __release_buffer__(self, view):\n"
        "        asked.append('held')\n"
        "class Plain(bytes): pass\n"
        "array = array.array('b', b'array\\n')\n"
        "for thing in Text(), Held(b'held\\n'), Plain(b'plain\\n'), array:\n"
        "    sys.stdout.buffer.write(thing); sys.stdout.flush()\n"
        "os.write(1, Text())\n"
        "print(asked)\n",
    )
    asked = ["buffer", "release", "held", "buffer", "release"]
    assert [event.text for event in done.written] == [
        b"<5 bytes of Text>",
        b"<5 bytes of Held>",
        b"plain\n",
        b"array\n",
        b"<5 bytes of Text>",
        f"{asked}\n".encode(),
    ]


def test_threads_tasks_generators_and_finalizers_write_for_themselves(tmp_path: Path) -> None:
    """An event names the thread, the task and the function that wrote."""
    done = run(
        tmp_path,
        "import asyncio, atexit, signal, threading\n"
        "def say(what):\n    print(what)\n"
        "thread = threading.Thread(target=say, args=('thread',), name='\"T\"')\n"
        "thread.start(); thread.join()\n"
        "async def main():\n    print('task')\n    await asyncio.sleep(0)\n    print('again')\n"
        "asyncio.run(main())\n"
        "def numbers():\n    yield 1\n    print('generator')\n    yield 2\n"
        "list(numbers())\n"
        "class Ending:\n    def __del__(self):\n        print('ending')\n"
        "Ending()\n"
        "signal.signal(signal.SIGUSR1, lambda *_: print('signal'))\n"
        "signal.raise_signal(signal.SIGUSR1)\n"
        "atexit.register(say, 'exit')\n",
    )
    assert [(e.text, e.function, e.thread, e.task) for e in done.written] == [
        (b"thread\n", "say", '"T"', None),
        (b"task\n", "main", "MainThread", "Task-1"),
        (b"again\n", "main", "MainThread", "Task-1"),
        (b"generator\n", "numbers", "MainThread", None),
        (b"ending\n", "Ending.__del__", "MainThread", None),
        (b"signal\n", "<lambda>", "MainThread", None),
        (b"exit\n", "say", "MainThread", None),
    ]


def test_nothing_is_lost_or_reordered_at_speed(tmp_path: Path) -> None:
    """Output of threads, and of a signal handler that interrupts them, line by line.

    The handler has a stream of its own, and the next signal comes when it is done: CPython's
    streams lose lines, or raise, when they are entered again.
    """
    (tmp_path / "main.py").write_text(
        "import signal, sys, threading\n"
        "count = 0\n"
        "def handle(*_):\n"
        "    global count\n"
        "    sys.stderr.write(f's {count}\\n')\n"
        "    count += 1\n"
        "    signal.setitimer(signal.ITIMER_REAL, 0.001)\n"
        "signal.signal(signal.SIGALRM, handle)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.001)\n"
        "def work(name):\n"
        "    for i in range(5_000):\n"
        "        sys.stdout.write(f'{name} {i}\\n')\n"
        "threads = [threading.Thread(target=work, args=(name,)) for name in 'ab']\n"
        "for thread in threads:\n    thread.start()\n"
        "work('c')\n"
        "for thread in threads:\n    thread.join()\n"
        "signal.signal(signal.SIGALRM, signal.SIG_IGN)\n"
    )
    done = record(["main.py"], tmp_path, tmp_path / "out")
    assert done.returncode == 0
    trace = ct.load(tmp_path / "out" / "trace.ct")
    told = [event["content"] for event in trace.events]
    for name in (b"a", b"b", b"c", b"s"):
        own = [line for line in told if line.startswith(name)]
        assert own == [b"%s %d\n" % (name, i) for i in range(len(own))]
        assert len(own) == (done.stderr.count(name) if name == b"s" else 5_000)
    if sys.version_info < (3, 12, 4):
        return  # its TextIOWrapper can itself damage what threads write (python/cpython#119506)
    lines = done.stdout.splitlines(keepends=True)
    assert Counter(lines) == Counter(line for line in told if not line.startswith(b"s"))


SPEAKERS = """
import asyncio, atexit, itertools, signal, sys
lines = itertools.count()
def say(name):
    number = next(lines)
    stream = sys.stderr if number % 3 == 0 else sys.stdout
    stream.write(f'{number} {name}\\n')
async def task(name):
    for i in range(1_000):
        say(name)
        if i % 50 == 0:
            await asyncio.sleep(0)
async def main():
    await asyncio.gather(*(task(name) for name in ('task a', 'task b', 'task c')))
def numbers(name):
    for _ in range(2_000):
        say(name)
        yield
class Ending:
    def __del__(self):
        say('ending')
def leave():
    for _ in range(2_000):
        say('atexit')
atexit.register(leave)
asyncio.run(main())
for _ in zip(numbers('generator a'), numbers('generator b')):
    pass
for _ in range(2_000):
    Ending()
signal.signal(signal.SIGUSR1, lambda *_: say('signal'))
for _ in range(2_000):
    signal.raise_signal(signal.SIGUSR1)
"""


@pytest.mark.parametrize("capture", ["proxies", "proxies+fd"])
def test_every_speaker_of_a_thread_is_recorded_in_order(capture: str, tmp_path: Path) -> None:
    """Tasks, generators, finalizers, signal and exit handlers write the bytes they write without
    a recorder, and the trace has them in the order of the writes to both streams."""
    (tmp_path / "main.py").write_text(SPEAKERS)
    plain = run_plain(["main.py"], tmp_path)
    done = record(["--io-capture", capture, "main.py"], tmp_path, tmp_path / "out")
    assert (done.returncode, done.stdout, done.stderr) == (0, plain.stdout, plain.stderr)
    events = ct.load(tmp_path / "out" / "trace.ct").events
    streams: dict[str, bytes] = {"stdout": b"", "stderr": b""}
    for event in events:
        streams[json.loads(event["metadata"])["stream"]] += event["content"]
    assert streams == {"stdout": plain.stdout, "stderr": plain.stderr}
    numbers = [int(event["content"].split()[0]) for event in events]
    assert numbers == list(range(13_000))


@pytest.mark.parametrize("option", ["--io-capture=off", "--trace-filter=off.toml"])
def test_output_is_not_recorded_when_it_is_not_wanted(option: str, tmp_path: Path) -> None:
    """By the setting, or by the ``[io]`` table of a filter."""
    write_filter(tmp_path / "off.toml", "capture = false")
    assert run(tmp_path, "print(1)\n", option).written == []


def test_a_filter_can_leave_one_stream(tmp_path: Path) -> None:
    """Only those that ``[io]`` names are recorded."""
    write_filter(tmp_path / "one.toml", 'capture = true\nstreams = ["stderr"]')
    done = run(
        tmp_path,
        "import os, sys\nprint(1)\nos.write(1, b'1')\nprint(2, file=sys.stderr)\n",
        "--trace-filter=one.toml",
    )
    assert [(event.stream, event.text) for event in done.written] == [("stderr", b"2\n")]


def write_filter(path: Path, io: str) -> None:
    """A filter with an ``[io]`` table and no rules."""
    path.write_text(
        f'[meta]\nname = "io"\nversion = 1\n[io]\n{io}\n'
        '[scope]\ndefault_exec = "inherit"\ndefault_value_action = "inherit"\n'
    )


@NEEDS_MONITORING
@pytest.mark.parametrize("policy", ["disable", "abort"])
def test_a_failed_recording_leaves_the_methods_as_they_were(policy: str, tmp_path: Path) -> None:
    """Nothing is hooked any more when the recorder has been taken out."""
    program = (
        "import ctypes, io, sys\n"
        "def entry():\n"
        "    descriptor = id(io.TextIOWrapper.__dict__['write'])\n"
        "    method = ctypes.c_void_p.from_address(descriptor + 5 * 8).value\n"
        "    return ctypes.c_void_p.from_address(method + 8).value\n"
        "import codetracer_core\n"
        "before = entry()\n"
        "codetracer_core.start('inner')\n"
        "during = entry()\n"
        "try:\n"
        f"    {FREE_TOOL}\n"
        "    def new(): pass\n"
        "    new()\n"
        # No event comes from an id that was freed.
        "    if sys.version_info >= (3, 14): codetracer_core.stop()\n"
        "except Exception as error:\n"
        "    print(type(error).__name__)\n"
        "after = entry()\n"
        "print(before == after, before != during)\n"
    )
    (tmp_path / "main.py").write_text(program)
    done = run_plain(["main.py"], tmp_path, environment={"CODETRACER_ON_RECORDER_ERROR": policy})
    assert done.stdout.splitlines()[-1] == b"True True", done.stderr


FREE_TOOL = "sys.monitoring.free_tool_id(5)"
