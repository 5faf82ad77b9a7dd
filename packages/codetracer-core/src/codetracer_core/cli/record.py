"""``codetracer-core record``: run a program as ``python`` would, and record it."""

from __future__ import annotations

import atexit
import os
import sys

from codetracer_core import api
from codetracer_core.cli import program as programs
from codetracer_core.cli.arguments import Command, Option
from codetracer_core.cli.imports import OwnImports
from codetracer_core.cli.report import (
    Stderr,
    counted,
    human_size,
    report_failure,
    shell_operand,
)
from codetracer_core.errors import RecorderError
from codetracer_core.session.bootstrap import TraceSessionBootstrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from codetracer_core.session.recording import FinishedTrace, TraceSession

__all__ = ["COMMAND", "run"]

COMMAND = Command(
    "record",
    usage="""\
codetracer-core record [OPTION]... SCRIPT [ARGUMENT]...
       codetracer-core record [OPTION]... -m MODULE [ARGUMENT]...
       codetracer-core record [OPTION]... -c CODE [ARGUMENT]...""",
    about="""\
Run a program exactly as python would, and record it. Everything from the program's
name on belongs to the program. The exit status is the program's.""",
    options=(
        Option(
            ("-o", "--out-dir"),
            "folder of the trace, made if need be (default: ./trace-out);\n"
            "an older trace in it is replaced",
            "DIR",
        ),
        Option(
            ("--trace-filter",),
            "a filter file, which applies after the built-in filter and\n"
            "the project's; may be repeated",
            "FILE",
        ),
        Option(("-q", "--quiet"), "print neither progress nor the line at the end"),
    ),
    examples="""\
  codetracer-core record app.py --port 8000
  codetracer-core record --out-dir traces/run1 -m json.tool data.json
  codetracer-core record --trace-filter only-mine.toml app.py
""",
)
_PROGRAM_OPTIONS = ("-m", "-c")


def run(words: Sequence[str]) -> int:
    """Record the program that `words` name; return its exit status.

    Raises RecorderError when it cannot be started, and the exception that ends the program when
    that is a SystemExit or a KeyboardInterrupt.
    """
    given = COMMAND.parse(words, program_options=_PROGRAM_OPTIONS)
    if given.given("--help"):
        from codetracer_core.cli.output import print_lines

        print_lines(COMMAND.help().splitlines())
        return 0
    program = programs.find_program(given.rest)
    api.refuse_second()
    out_dir = given.last("--out-dir", "trace-out")
    if not out_dir:
        raise COMMAND.misuse("--out-dir names no folder")
    if not all(words.replace("::", "").strip() for words in given.every("--trace-filter")):
        raise COMMAND.misuse("--trace-filter names no file")
    bootstrap = TraceSessionBootstrap.prepare(
        out_dir,
        trace_filter=given.every("--trace-filter"),
        filter_environ=os.environ,
        argv=program.argv,
        main_script=program.main_script,
    )
    session = api.begin(bootstrap, muted=True)
    closing = _Closing(session, program.name, out_dir, quiet=given.given("--quiet"))
    # Exit handlers run in reverse order, and threads are waited for before them: this one, being
    # there first, comes when nothing of the program is left to run.
    atexit.register(closing)
    namespace = programs.prepare(program)
    closing.imports.hide()
    session.unmute()
    ending = programs.run(program, namespace)
    closing.status = ending.status
    if ending.error is None:
        return ending.status
    if isinstance(ending.error, KeyboardInterrupt):
        closing.signalled = True
        # The interpreter dies by SIGINT when this reaches it; the traceback was shown already.
        sys.excepthook = _show_nothing
    raise ending.error


class _Closing:
    """Finishes the recording when the program is over, and says what came of it."""

    def __init__(self, session: TraceSession, program: str, out_dir: str, *, quiet: bool) -> None:
        self.imports = OwnImports()
        self.status = 0
        self.signalled = False
        self._session = session
        self._program = program
        self._out_dir = out_dir
        self._quiet = quiet
        self._stderr = Stderr()

    def __call__(self) -> None:
        # In a forked child there is nothing to finish; the program may have stopped the session.
        if self._session.active or self._session.finished is not None:
            self._session.mute()
            with self.imports.restored():
                self._finish()
        if self.signalled:
            _restate_interrupt()

    def _finish(self) -> None:
        try:
            finished = self._session.finished or self._session.stop(
                exit_code=None if self.signalled else self.status,
                exit_label="<SIGINT>",
                progress=None if self._quiet else _Progress(self._stderr),
            )
        except RecorderError as error:
            self._fail(error)
            return
        except KeyboardInterrupt:
            self._stderr.line(
                "interrupted while the trace was made; the journal is complete:"
                f" codetracer-core show {shell_operand(self._out_dir)} makes it"
            )
            return
        if finished is None:
            return
        if not self._quiet:
            self._stderr.line(self._summary(finished))
        if finished.failure is not None:
            self._fail(finished.failure)

    def _fail(self, error: RecorderError) -> None:
        report_failure(error, self._stderr)
        if self.status == 0 and not self.signalled:
            # The status is settled by now; only leaving at once can still change it.
            _flush_streams()
            os._exit(1)

    def _summary(self, finished: FinishedTrace) -> str:
        if not finished.steps and finished.skipped_main is not None:
            rule = finished.skipped_main.rule
            reason = f"the rule {rule}" if rule is not None else "the default of the filters"
            return f"nothing was recorded: {self._program} is skipped by {reason}"
        if not finished.steps:
            return "nothing was recorded: no code ran that has a file and that the filters trace"
        return (
            f"{counted(finished.steps, 'step')}, {counted(finished.calls, 'call')},"
            f" {human_size(finished.size)} in {finished.path};"
            f" see them with: codetracer-core show {shell_operand(self._out_dir)}"
        )


class _Progress:
    """Says how far a trace is made, once it has taken a second, and then every second."""

    def __init__(self, stderr: Stderr) -> None:
        from time import monotonic

        self._clock = monotonic
        self._next = monotonic() + 1
        self._stderr = stderr

    def __call__(self, done: int, total: int) -> None:
        if self._clock() >= self._next:
            self._next = self._clock() + 1
            self._stderr.line(f"making the trace: {100 * done // max(total, 1)} %")


def _restate_interrupt() -> None:
    """Make the interpreter die by SIGINT after all.

    It remembers that the last text it ran was interrupted; making the trace may have run some.
    """
    try:
        exec("raise KeyboardInterrupt")
    except KeyboardInterrupt:
        return


def _flush_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: BLE001 - a stream of the program may fail in any way
            continue


def _show_nothing(*_exception: object) -> None:
    """Stand in for ``sys.excepthook`` when the exception was shown already."""
