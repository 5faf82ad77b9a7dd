"""Chunks of values that are made in a thread of their own, where values are large."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from codetracer_core._zstd import Compressor
from codetracer_core.ctfs import materialiser_helper
from codetracer_core.ctfs.materialiser import materialise
from codetracer_core.ctfs.materialiser_helper import ValueHelper
from core.materialise.builder import Builder, Function
from core.materialise.comparison import folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codetracer_core.ctfs.materialiser_expander import Expander

# A chunk of values has at most 4 MiB.
LARGE = 40_000
STEPS = 1_000


@pytest.fixture(scope="module")
def journal() -> Iterator[Path]:
    """A recording whose steps repeat a large value."""
    builder = Builder(chunk_bytes=1 << 16)
    builder.call(Function(1, "f", line=2, slots=("i", "large")))
    for number in range(STEPS):
        builder.step(3, {0: number, 1: "x" * LARGE})
    with folder() as directory:
        yield builder.write(directory)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the thread came to run, each time that it was started on this processor or two."""
    seen: list[bool] = []
    start = ValueHelper.start

    def watched(helper: ValueHelper, main_script: bytes, expander: Expander) -> None:
        start(helper, main_script, expander)
        seen.append(helper.is_running)

    monkeypatch.setattr(ValueHelper, "start", watched)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    return seen


def test_a_thread_makes_the_same_trace(
    journal: Path, started: list[bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trace has the same bytes whether one processor or two have made it."""
    two = materialise(journal, tmp_path, name="two.ct").path.read_bytes()
    assert started == [True]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    one = materialise(journal, tmp_path, name="one.ct").path.read_bytes()
    assert started == [True]
    assert one == two


@pytest.mark.parametrize(
    ("last", "small", "threads"),
    [pytest.param(LARGE, 0, 1), pytest.param(100 * LARGE, 0, 2), pytest.param(LARGE, 2_000, 1)],
)
def test_a_thread_that_begins_early_makes_the_same_trace(
    last: int,
    small: int,
    threads: int,
    started: list[bool],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a thread makes before all sizes are known is dropped where they turn out others."""
    # More than a chunk: how many of the first values go into one is known by then.
    monkeypatch.setattr(materialiser_helper, "_BYTES", 5 << 20)
    builder = Builder(chunk_bytes=1 << 16)
    builder.call(Function(1, "f", line=2, slots=("i", "large")))
    for number in range(200):
        builder.step(3, {0: number, 1: "xy"[number % 2] * LARGE})
    builder.step(4, {1: "z" * last})
    for number in range(small):
        builder.step(5, {0: number, 1: 0})
    journal = builder.write(tmp_path)
    two = materialise(journal, tmp_path, name="two.ct").path.read_bytes()
    assert started == [True] * threads
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    assert materialise(journal, tmp_path, name="one.ct").path.read_bytes() == two


def test_a_failure_of_the_thread_is_raised(
    journal: Path, started: list[bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes wrong in the thread is raised where the trace is made, and no part of one stays."""

    def fail(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr(Compressor, "builtin", lambda _: (fail, 0))
    with pytest.raises(MemoryError):
        materialise(journal, tmp_path)
    assert started == [True]
    assert list(tmp_path.iterdir()) == []
