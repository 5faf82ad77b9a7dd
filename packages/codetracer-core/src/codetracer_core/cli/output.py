"""What the commands print on standard output."""

from __future__ import annotations

import os
import sys

from codetracer_core.errors import EnvironmentError_

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

__all__ = ["print_lines"]

_BATCH = 512


def print_lines(lines: Iterable[str]) -> None:
    """Write `lines` to standard output in batches, whatever its encoding can express.

    Returns early when the reader of a pipe has gone. Raises EnvironmentError_ when standard output
    is closed or takes nothing more.
    """
    stream = sys.stdout
    if stream is None:
        raise EnvironmentError_("ERR_IO", "standard output is closed; open it, or use a pipe")
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    batch: list[str] = []
    try:
        for line in lines:
            batch.append(line)
            if len(batch) >= _BATCH:
                _write(stream, batch)
                batch.clear()
        _write(stream, batch)
    except BrokenPipeError:
        # Only where SIGPIPE does not end the process.
        return


def _write(stream: TextIO, lines: list[str]) -> None:
    try:
        stream.write("\n".join([*lines, ""]))
        stream.flush()
    except OSError as error:
        # What is left in the buffer would be written, and fail, once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        raise EnvironmentError_(
            "ERR_IO",
            f"standard output cannot be written ({error.strerror}); check the space and the rights"
            " of where it goes",
        ) from error
