"""Recording a block of this process as a session does, without making a trace of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codetracer_core.session.bootstrap import TraceSessionBootstrap
from codetracer_core.session.output import OutputOptions
from codetracer_core.session.recording import TraceSession

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

__all__ = ["Recording"]


class Recording:
    """A ``with`` block that is recorded into a journal, with the default settings.

    What is timed inside the block is the program and its events; starting and stopping are not.
    """

    def __init__(
        self, folder: Path, filters: Sequence[Path] = (), activation: Path | None = None
    ) -> None:
        """The journal is made in `folder`. `filters` apply after the built-in one.

        With `activation`, a source file, only what happens below its code is recorded.
        """
        self._bootstrap = TraceSessionBootstrap.prepare(
            folder,
            trace_filter=list(filters),
            policy_environ={},
            argv=[],
            activation_path=activation,
            output=OutputOptions(materialise="later"),
        )

    def __enter__(self) -> Self:
        self._session = TraceSession.begin(self._bootstrap)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        finished = self._session.stop()
        if finished is None or finished.path is None:
            raise RuntimeError("the recording has left no journal")
        self.journal = finished.path
        self.steps = finished.steps
        self.calls = finished.calls
