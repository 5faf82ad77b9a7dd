"""Chunks: where they end, and that each can be read alone."""

from __future__ import annotations

import mmap
from pathlib import Path

import pytest

from core.recorder.support import PROGRAMS, Decoder, Recording, record
from naive import journal


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return record(PROGRAMS / "chunks.py", tmp_path_factory.mktemp("chunks"))


def steps(events: list[journal.Event]) -> list[journal.Event]:
    """What the records say, without the threads' bookkeeping."""
    return [event for event in events if event[0] not in ("switch", "thread start")]


def test_chunks_end_inside_calls_generators_and_threads(recorded: Recording) -> None:
    """The program that the other tests read has what they are about."""
    decoder = Decoder()
    open_frames: set[str] = set()
    borders = 0
    for chunk in journal.chunks(recorded.journal)[:-1]:
        decoder.next_chunk(chunk)
        borders += 1
        for thread, stack in decoder.stacks.items():
            names = [decoder.functions[frame.function].name for frame in stack]
            open_frames.update(names if thread == 0 else [f"thread {name}" for name in names])
    assert borders >= 4
    assert {"<__main__>", "outer", "nested", "generate", "thread threaded"} <= open_frames


def test_a_chunk_can_be_read_without_those_before_it(recorded: Recording) -> None:
    """Each chunk defines what it names and states each variable again, so that it gives the same
    events alone as in its place."""
    whole = Decoder()
    for chunk in journal.chunks(recorded.journal):
        before = len(whole.events)
        whole.next_chunk(chunk)
        alone = Decoder()
        alone.only_chunk(chunk)
        assert len(alone.events) > 100
        assert steps(alone.events) == steps(whole.events[before:])


def test_no_more_than_the_innermost_1024_frames_stand_at_the_start_of_a_chunk(
    tmp_path: Path,
) -> None:
    """A deep recursion does not fill chunks with its stack, and its chunks still go on rightly."""
    script = tmp_path / "deep.py"
    script.write_text(
        "import random, sys\n"
        "sys.setrecursionlimit(10_000)\n"
        "texts = random.Random(1)\n"
        "def down(n):\n"
        "    text = texts.randbytes(500).hex()\n"
        "    value = down(n - 1) + 1 if n else 0\n"
        "    return value\n"
        "print(down(3000))\n",
        encoding="utf-8",
    )
    deep = record(script, tmp_path)
    assert deep.outcome.output == "3000\n"
    whole = Decoder()
    chunks = journal.chunks(deep.journal)
    for chunk in chunks:
        whole.next_chunk(chunk)
    assert max(frames_at_start(chunk) for chunk in chunks[1:]) == 1024
    returns = [event[3] for event in whole.events if event[0] == "return" and event[2] == "down"]
    assert returns == list(range(3001))


def can_ask_for_pages() -> bool:
    """Whether this is Linux 5.14 or later."""
    try:
        mmap.mmap(-1, mmap.PAGESIZE).madvise(23)
    except (AttributeError, OSError):
        return False
    return True


@pytest.mark.skipif(not can_ask_for_pages(), reason="the system cannot be asked for pages")
def test_a_program_does_not_wait_for_the_pages_of_its_chunks(tmp_path: Path) -> None:
    """Those of the first two are there soon, though hardly one has been written to."""
    script = tmp_path / "asking.py"
    script.write_text(
        "import re, time\n"
        "def resident():\n"
        "    with open('/proc/self/smaps') as file:\n"
        "        mappings = file.read().split('.ring\\n')[1:]\n"
        "    return max(int(re.search(r'Rss: +(\\d+)', mapping)[1]) for mapping in mappings)\n"
        "end = time.monotonic() + 20\n"
        "while resident() < 1024 and time.monotonic() < end:\n"
        "    time.sleep(0.01)\n"
        "print(resident() >= 1024)\n",
        encoding="utf-8",
    )
    assert record(script, tmp_path).outcome.output == "True\n"


def frames_at_start(chunk: bytes) -> int:
    """The open frames of the main thread that a chunk states before anything happens."""
    data = journal.Bytes(chunk[128 : 128 + int.from_bytes(chunk[80:84], "little")])
    decoder = Decoder()
    decoder.alone = True
    while data.data[data.at] != 0x0C:
        decoder.unit(data, data.u8())
    return len(decoder.stacks[0])
