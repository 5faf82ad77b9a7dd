"""A tracer written in Python that hands its events on to the C part."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from types import CodeType

import pytest

from codetracer_core.journal.writer import JournalWriter
from codetracer_core.monitoring.callbacks import CALLBACK_SPECS, monitoring_mask
from codetracer_core.monitoring.install import Installation
from codetracer_core.runtime.events import EVENTS, HANDLER_EVENTS, LOCAL_EVENTS, EventPipeline
from codetracer_core.runtime.filtering import FilterCoordinator
from codetracer_filter import TraceFilterEngine, load_chain
from codetracer_policy import CaptureLimits
from core.recorder.drive import recording
from core.recorder.support import SHOW_ALL, by_thread
from core.recorder.test_sessions import FILE, ONLY_PROGRAM
from naive import journal

PROGRAM = """\
def numbers(n):
    for i in range(n):
        try:
            yield i
        except KeyError as error:
            kept = error


def fails(n):
    return 1 // n


def work(n):
    made = numbers(n)
    total = next(made) + next(made)
    made.throw(KeyError("in"))
    try:
        fails(0)
    except ZeroDivisionError:
        total += 1
    text = [str(i) for i in range(n)]
    return sorted(text, key=lambda one: -int(one)), total


def late(n):
    return n
"""


class Onlooker:
    """Hands every event on and notes those of the program."""

    interest = EVENTS

    def __init__(self, pipeline: EventPipeline) -> None:
        self.seen: list[str] = []
        for spec in CALLBACK_SPECS:
            if EVENTS & spec.event:

                def handle(code: CodeType, *rest: object, spec=spec) -> object:  # type: ignore[no-untyped-def]
                    if code.co_filename == FILE:
                        self.seen.append(spec.method)
                    return pipeline.pass_on(spec, code, *rest)

                setattr(self, spec.method, handle)


def never(*_: object) -> None:
    pytest.fail("recording has failed")


def record_through_python(folder: Path, filter_file: Path, run: Callable[[], object]) -> list[str]:
    """Record what `run` does with a tracer in Python; returns the methods that were called."""
    writer = JournalWriter.create(folder, {}, CaptureLimits())
    engine = TraceFilterEngine(load_chain([filter_file], program_dir=None))
    pipeline = EventPipeline()
    installation = Installation.claim(EVENTS)
    pipeline.open(
        installation.tool_id,
        monitoring_mask(LOCAL_EVENTS),
        monitoring_mask(HANDLER_EVENTS),
        resolve=FilterCoordinator(engine, main_script=None).resolve,
        is_activation=None,
        on_failure=never,
        on_sealed=writer.start_thread,
        on_wake=never,
        on_exit=never,
        adopt_running=False,
    )
    onlooker = Onlooker(pipeline)
    installation.start(onlooker, never, local=LOCAL_EVENTS)
    run()
    installation.silence()
    assert pipeline.close() is None
    installation.remove()
    writer.finish({})
    return onlooker.seen


def test_a_tracer_in_python_records_what_the_native_one_does(tmp_path: Path) -> None:
    """Events that go through Python make the same records, and Python sees each of them."""
    names: dict[str, Callable[..., object]] = {}
    exec(compile(PROGRAM, FILE, "exec"), names)
    filter_file = tmp_path / "filter.toml"
    filter_file.write_text(SHOW_ALL + ONLY_PROGRAM, encoding="utf-8")
    for folder in ("python", "native"):
        (tmp_path / folder).mkdir()
    gc.collect()
    seen = record_through_python(tmp_path / "python", filter_file, lambda: names["work"](4))
    tracer, writer = recording(tmp_path / "native", FILE, str(filter_file))
    tracer.install()
    names["work"](4)
    tracer.uninstall()
    writer.finish({})
    (through_python,) = (tmp_path / "python").glob("*.ctj")
    events = by_thread(journal.load(through_python))
    assert events == by_thread(journal.load(writer.path))
    assert len(events["MainThread"]) > 40
    assert {"on_py_start", "on_py_throw", "on_line", "on_py_return", "on_py_unwind"} <= set(seen)


def test_an_event_of_code_that_does_not_run_is_refused() -> None:
    """There is no frame to read then."""
    with pytest.raises(LookupError):
        EventPipeline().pass_on(CALLBACK_SPECS[0], never.__code__, 0)
