"""Recording a call in this process, without making a trace of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codetracer_core.journal.writer import JournalWriter
from codetracer_core.runtime.filtering import FilterCoordinator
from codetracer_core.runtime.tracer import RuntimeTracer
from codetracer_filter import TraceFilterEngine, load_chain
from codetracer_policy import CaptureLimits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from codetracer_core.runtime.events import RecorderStats

__all__ = ["Recording"]


class Recording:
    """A ``with`` block that is recorded into a journal.

    It starts and stops the recorder as a session does, but makes no trace: what is timed inside
    the block is the program and the events, nothing else.
    """

    def __init__(self, folder: Path, filters: Sequence[Path] = ()) -> None:
        """The journal is made in `folder`. `filters` apply after the built-in one."""
        self._writer = JournalWriter.create(folder, {}, CaptureLimits())
        engine = TraceFilterEngine(load_chain(filters, program_dir=None))
        coordinator = FilterCoordinator(engine, main_script=None)
        self._tracer = RuntimeTracer(self._writer, coordinator, on_recorder_error="abort")

    def __enter__(self) -> Self:
        self._tracer.install()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._tracer.uninstall()
        self._writer.finish({})

    @property
    def journal(self) -> Path:
        """The journal's file, complete when the block has been left."""
        return self._writer.path

    @property
    def stats(self) -> RecorderStats:
        """What was recorded."""
        return self._tracer.stats()
