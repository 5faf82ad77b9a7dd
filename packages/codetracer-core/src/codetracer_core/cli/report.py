"""What the command says on standard error: failures, notices and the closing line."""

from __future__ import annotations

import os

from codetracer_core.session.errors import as_recorder_error
from codetracer_core.session.reporting import report_no_start, stderr_identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codetracer_core.errors import RecorderError
    from codetracer_policy import RecorderPolicy

__all__ = ["Progress", "Stderr", "counted", "human_size", "report_failure", "shell_operand"]

_PREFIX = "codetracer-core: "


class Stderr:
    """The standard error that this process was started with.

    The recorded program may replace ``sys.stderr``, close its descriptor, or give the descriptor
    to another file; lines go to the descriptor, and only while it is still the same file. When the
    process was started without one, the descriptor belongs to some file that was opened since.
    """

    def __init__(self) -> None:
        self.identity = stderr_identity()
        """The file that it was at the start; None when there was none."""
        self._stand_in = self.identity

    def know_stand_in(self) -> None:
        """Take for the same what it leads to now: a session mirrors it through a pipe."""
        self._stand_in = stderr_identity()

    @property
    def there(self) -> bool:
        """Whether the descriptor is still the file that it was, or what stands in for that."""
        return self.identity is not None and stderr_identity() in (self.identity, self._stand_in)

    def line(self, text: str) -> None:
        """Write `text` as one line of ours; a standard error that is gone takes nothing."""
        if not self.there:
            return
        one_line = " ".join(text.split("\n"))
        try:
            os.write(2, f"{_PREFIX}{one_line}\n".encode("utf-8", "backslashreplace"))
        except OSError:
            return


class Progress:
    """Says how far a trace is made, once it has taken a second, and then every second."""

    def __init__(self, stderr: Stderr) -> None:
        from time import monotonic

        self._clock = monotonic
        self._next = monotonic() + 1
        self._stderr = stderr

    def __call__(self, done: int, total: int) -> None:
        """`done` of `total` parts of the work are done."""
        if self._clock() >= self._next:
            self._next = self._clock() + 1
            self._stderr.line(f"making the trace: {100 * done // max(total, 1)} %")


def report_failure(
    error: Exception, stderr: Stderr | None = None, *, policy: RecorderPolicy | None = None
) -> int:
    """Say what went wrong in one line; return the exit status, 2 for a misuse and else 1.

    Where `policy` asks for them, a line of JSON for programs and one of the log go with it; None
    stands for the policy of the process.
    """
    known: RecorderError = as_recorder_error(error)
    stderr = stderr or Stderr()
    stderr.line(f"error: {known}")
    report_no_start(known, policy, stderr.identity)
    return 2 if known.kind == "Usage" else 1


def human_size(size: int) -> str:
    """`size` bytes as people read it: ``512 B``, ``3.4 KB``, ``120 MB``."""
    amount = float(size)
    units = ["TB", "GB", "MB", "KB", "B"]
    while amount >= 1000 and len(units) > 1:
        amount /= 1000
        units.pop()
    digits = 1 if units[-1] != "B" and amount < 10 else 0
    return f"{amount:.{digits}f} {units[-1]}"


def counted(number: int, what: str) -> str:
    """`number` of things called `what`: ``1 call``, ``1,200 calls``."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def shell_operand(path: str) -> str:
    """`path` as a shell takes it for one operand of a command.

    Not by ``shlex``, whose import a recorded program would notice.
    """
    if path.startswith("-"):
        path = f"./{path}"
    if path.isascii() and all(mark.isalnum() or mark in "@%+=:,./_-" for mark in path):
        return path
    quote = "'\"'\"'"
    return "'" + path.replace("'", quote) + "'"
