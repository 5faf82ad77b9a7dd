"""What a trace says about the program, the interpreter and the recorder."""

from __future__ import annotations

import os
import sys
import time

from codetracer_core import __version__
from codetracer_core.session.names import RECORDER_NAME
from codetracer_core.session.processes import process_started

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["SessionMetadata", "collect_metadata", "main_script_of", "storable"]


class SessionMetadata:
    """The recorded program as it was when the session started. All texts are valid Unicode.

    ``main_script`` is the absolute path of the main script, None for code without a file and where
    it is not known; ``started_at`` counts seconds since the epoch.
    """

    __slots__ = ("args", "main_script", "program", "started_at", "workdir")

    def __init__(
        self,
        *,
        program: str,
        args: tuple[str, ...],
        workdir: str,
        main_script: str | None,
        started_at: float,
    ) -> None:
        self.program = program
        self.args = args
        self.workdir = workdir
        self.main_script = main_script
        self.started_at = started_at

    def renewed(self) -> SessionMetadata:
        """The same program, as it is now."""
        return SessionMetadata(
            program=self.program,
            args=self.args,
            workdir=_workdir(),
            main_script=self.main_script,
            started_at=time.time(),
        )

    def as_journal(self, filters: Iterable[Mapping[str, object]]) -> dict[str, object]:
        """The journal's metadata frame, for a session with these `filters`."""
        return {
            "program": self.program,
            "args": list(self.args),
            "workdir": self.workdir,
            "main_script": self.main_script,
            "interpreter": {
                "implementation": sys.implementation.name,
                "version": ".".join(map(str, sys.version_info[:3])),
                "executable": storable(sys.executable or ""),
            },
            "recorder": {"name": RECORDER_NAME, "version": __version__},
            "trace_filter": {"filters": [dict(entry) for entry in filters]},
            "pid": os.getpid(),
            "process_started": process_started(),
            "started_at": self.started_at,
        }


def collect_metadata(
    argv: Sequence[object] | None = None, main_script: str | None = None
) -> SessionMetadata:
    """Describe the program with `argv` (``sys.argv`` unless given) and `main_script`.

    Whatever the program has done to ``sys.argv`` or the working directory, this does not fail:
    what cannot be told is ``<unknown>``.
    """
    if argv is None:
        argv = getattr(sys, "argv", ())
    words = [storable(word) for word in argv if isinstance(word, str)]
    return SessionMetadata(
        program=words[0] if words else "<unknown>",
        args=tuple(words[1:]),
        workdir=_workdir(),
        main_script=None if main_script is None else storable(main_script),
        started_at=time.time(),
    )


def _workdir() -> str:
    try:
        return storable(os.getcwd())
    except OSError:
        return "<unknown>"


def main_script_of(module: object) -> str | None:
    """The absolute path of the file that `module`, the ``__main__`` of a program, was read from."""
    file = getattr(module, "__file__", None)
    return os.path.abspath(file) if isinstance(file, str) and file else None


def storable(text: str) -> str:
    """`text` with lone surrogates, as undecodable arguments have them, spelt as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
