"""Chunks become frames in their order, whichever of them are compressed in a thread."""

from __future__ import annotations

import importlib
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetracer_core._zstd import decompress
from codetracer_core.ctfs.materialiser_frames import FrameThread

SMALL, LARGE = 100, 200_000


@given(st.lists(st.sampled_from((0, SMALL, LARGE)), max_size=12))
def test_every_chunk_becomes_one_frame(sizes: list[int]) -> None:
    """Chunks of any size come back in order, though the memory of each is used again in turn."""
    memory = bytearray(LARGE), bytearray(LARGE)
    frames: list[bytes] = []
    with FrameThread(frames.append) as thread:
        for number, size in enumerate(sizes):
            own = memory[number % 2]
            own[:] = bytes([number]) * LARGE
            thread.add(memoryview(own)[:size])
    expected = [bytes([number]) * size for number, size in enumerate(sizes)]
    assert [decompress(frame, LARGE) for frame in frames] == expected


def test_a_frame_that_cannot_be_appended_ends_the_thread() -> None:
    """What appending raises comes out, and the chunk that is being compressed is waited for."""

    def refuse(_frame: bytes) -> None:
        raise OSError("the disk is full")

    chunk = memoryview(bytearray(LARGE))
    thread = FrameThread(refuse)
    with pytest.raises(OSError, match="full"), thread:  # noqa: PT012 - the end is raised through
        thread.add(chunk)
        thread.add(chunk)
    # The thread reads no memory any more: it can be given back.
    chunk.release()


def test_chunks_are_compressed_without_a_thread_when_none_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At the end of the interpreter, where no thread can start, the frames are the same."""

    monkeypatch.setattr("sys.is_finalizing", lambda: True)
    frames: list[bytes] = []
    with FrameThread(frames.append) as thread:
        thread.add(memoryview(b"a" * LARGE))
        thread.add(memoryview(b"b" * LARGE))
    assert [decompress(frame, LARGE)[:1] for frame in frames] == [b"a", b"b"]


@pytest.mark.timeout(60)
def test_chunks_are_compressed_beside_a_program_that_replaces_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a program puts in the place of ``_thread`` is not asked for a thread: one of gevent
    would only run when the recorder gives way to it."""
    monkeypatch.delitem(sys.modules, "codetracer_core.ctfs.materialiser_frames")
    monkeypatch.setattr("_thread.start_new_thread", lambda *_arguments: 1)
    module = importlib.import_module("codetracer_core.ctfs.materialiser_frames")
    frames: list[bytes] = []
    with module.FrameThread(frames.append) as thread:
        thread.add(memoryview(b"a" * LARGE))
        thread.add(memoryview(b"b" * LARGE))
    assert [decompress(frame, LARGE)[:1] for frame in frames] == [b"a", b"b"]
