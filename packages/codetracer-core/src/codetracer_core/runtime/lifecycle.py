"""When a recording begins, when it ends, and what becomes of a failure in between."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codetracer_core.errors import RecorderError

__all__ = ["LifecycleController"]


class LifecycleController:
    """The life of one recording: its id, its activation file, its end, and why it failed.

    ``failure`` is why recording ended before the program did; None when it did not.
    """

    def __init__(
        self,
        trace_id: str,
        *,
        on_recorder_error: str,
        activation_path: str | None,
        detach: Callable[[], None],
    ) -> None:
        """`on_recorder_error` is ``"disable"`` or ``"abort"``.

        `activation_path` is absolute and real. `detach` takes the recorder out of the program.
        """
        self.trace_id = trace_id
        self.failure: RecorderError | None = None
        self._abort = on_recorder_error == "abort"
        self._activation_path = activation_path
        self._detach = detach

    @property
    def is_activated_by_file(self) -> bool:
        """Whether only what runs above a frame of one file is recorded."""
        return self._activation_path is not None

    def is_activation(self, filename: str) -> bool:
        """Whether `filename`, of a code object, leads to the activation file."""
        if filename.startswith("<"):
            return False
        return os.path.realpath(filename) == self._activation_path

    def fail(self, failure: RecorderError) -> None:
        """Recording cannot go on: take the recorder out, then apply the error policy.

        Called in a thread of the program. With the policy abort, `failure` is raised there.
        """
        if self.failure is None:
            self.failure = failure
        self._detach()
        if self._abort:
            raise failure
