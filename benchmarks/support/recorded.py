"""Recording a call in this process, without making a trace of it."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from codetracer_core.journal.writer import JournalWriter
from codetracer_core.runtime.filtering import FilterCoordinator
from codetracer_core.runtime.tracer import RuntimeTracer
from codetracer_filter import TraceFilterEngine, load_chain
from codetracer_policy import CaptureLimits

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from codetracer_core.runtime.tracer import RecorderStats

__all__ = ["JournalSize", "Recording"]


@dataclass(frozen=True, slots=True)
class JournalSize:
    """What a recording came to."""

    stats: RecorderStats
    bytes: int
    """Of the journal's file, its head and metadata included."""


class Recording:
    """A ``with`` block that is recorded into a journal, which is removed afterwards.

    It starts and stops the recorder as a session does, but leaves out the trace: what is timed
    inside the block is the program and the events, nothing else.
    """

    def __init__(self, filters: tuple[str, ...] = ()) -> None:
        """`filters` are the paths of filter files that apply after the built-in one."""
        self._filters = filters
        self.size: JournalSize | None = None
        """Known when the block has been left."""

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="codetracer-benchmark-"))
        self._writer = JournalWriter.create(self._folder, {}, CaptureLimits())
        engine = TraceFilterEngine(load_chain(self._filters, program_dir=None))
        coordinator = FilterCoordinator(engine, main_script=None)
        self._tracer = RuntimeTracer(self._writer, coordinator, on_recorder_error="abort")
        self._tracer.install()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._tracer.uninstall()
        stats = self._tracer.stats()
        self._writer.finish({})
        self.size = JournalSize(stats, self._writer.path.stat().st_size)
        shutil.rmtree(self._folder)
