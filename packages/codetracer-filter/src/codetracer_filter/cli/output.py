"""What the command prints: text for people or JSON for tools, and failures in one line."""

from __future__ import annotations

import json
import os
import sys

from codetracer_filter.cli.errors import ERR_FILTER_OUTPUT, CommandError
from codetracer_filter.errors import ErrorKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["print_failure", "print_json", "print_lines"]

_PREFIX = "codetracer-filter: error: "


def print_json(entry: Mapping[str, object]) -> None:
    """Write one JSON object; raises `CommandError` when standard output takes nothing."""
    print_lines([json.dumps(entry, indent=2)])


def print_lines(lines: Iterable[str]) -> None:
    """Write ``lines`` to standard output, whatever its encoding can express.

    Returns early when the reader of a pipe has gone. Raises `CommandError` when standard output
    is closed or takes nothing more.
    """
    stream = sys.stdout
    if stream is None:
        raise CommandError(
            ERR_FILTER_OUTPUT,
            "standard output is closed; open it, or use a pipe",
            ErrorKind.ENVIRONMENT,
        )
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    try:
        stream.write("".join(f"{line}\n" for line in lines))
        stream.flush()
    except OSError as error:
        # What is left in the buffer would be written, and fail, once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if isinstance(error, BrokenPipeError):
            return
        raise CommandError(
            ERR_FILTER_OUTPUT,
            f"standard output cannot be written ({error.strerror}); check the space and the rights"
            " of where it goes",
            ErrorKind.ENVIRONMENT,
        ) from error


def print_failure(text: str) -> None:
    """Write one line to standard error; one that is gone takes nothing."""
    if sys.stderr is None:
        return
    line = " ".join(text.splitlines())
    try:
        sys.stderr.write(f"{_PREFIX}{line}\n")
        sys.stderr.flush()
    except OSError:
        return
