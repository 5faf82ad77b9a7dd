"""When a recording begins, when it ends, and what becomes of a failure in between."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from codetracer_core.errors import RecorderError

__all__ = ["LifecycleController", "is_of_program", "place_of"]

_OWN_PACKAGES = frozenset(
    {"codetracer_core", "codetracer_filter", "codetracer_log", "codetracer_policy", "pathspec"}
)
"""The recorder and what it calls while the program runs."""

_FILTER_MODULES = ("codetracer_core.runtime.filtering", "codetracer_filter.engine")


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
        detach: Callable[[], object],
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
        try:
            return os.path.realpath(filename) == self._activation_path
        except (OSError, ValueError):  # no path at all
            return False

    def fail(self, failure: RecorderError) -> None:
        """Recording cannot go on: take the recorder out, then apply the error policy.

        Called in a thread of the program. With the policy abort, `failure` is raised there.
        """
        if self.failure is None:
            self.failure = failure
        self._detach()
        if self._abort:
            raise failure


def is_of_program(error: BaseException) -> bool:
    """Whether `error`, which has come out of a call of ours, was raised by code of the program.

    A signal handler runs wherever it is due, also inside the recorder. Its frames are then in the
    traceback, and code that is neither ours nor the standard library's is the program's.
    KeyboardInterrupt and SystemExit are never ours.
    """
    if not isinstance(error, Exception):
        return True
    packages = {name.partition(".")[0] for name in _modules_of(error)}
    return not packages <= _OWN_PACKAGES | sys.stdlib_module_names


def place_of(error: BaseException) -> str:
    """The part of the recorder in which `error` came up: ``"filter"`` or ``"recorder"``."""
    is_filters = any(name in _FILTER_MODULES for name in _modules_of(error))
    return "filter" if is_filters else "recorder"


def _modules_of(error: BaseException) -> Iterator[str]:
    """The modules of the frames that `error` went through, "" for one without a name."""
    traceback = error.__traceback__
    while traceback is not None:
        name = dict.get(traceback.tb_frame.f_globals, "__name__")
        yield name if isinstance(name, str) else ""
        traceback = traceback.tb_next
