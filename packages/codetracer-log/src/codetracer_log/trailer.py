"""The last word about a failure for programs: one line of JSON on the real standard error."""

from __future__ import annotations

from codetracer_log import _destination
from codetracer_log._failure import Failure, first_report
from codetracer_log._pipeline import TRAILER

__all__ = ["emit_error_trailer", "trailer_line"]


def emit_error_trailer(error: BaseException) -> bool:
    """Write the trailer of ``error``, unless this failure has had one, perhaps before wrapping.

    The line has the keys ``context``, ``error_code``, ``error_kind``, ``message``, ``run_id`` and
    ``trace_id``, the last one null outside sessions. Never raises for a standard error that is
    closed or broken. Returns whether a line was written.
    """
    line = trailer_line(error)
    return line is not None and _destination.write_to_stderr(line)


def trailer_line(error: BaseException) -> bytes | None:
    """The trailer of ``error``; None when this failure has had one, or none can be made."""
    if not first_report(error, "trailer"):
        return None
    failure = Failure(error)
    return TRAILER.line(
        {
            "context": dict(sorted(failure.context.items())),
            "error_code": failure.code,
            "error_kind": failure.kind,
            "message": failure.message,
        }
    )
