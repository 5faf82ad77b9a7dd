"""``codetracer-core record``: run a program as ``python`` would, and record it."""

from __future__ import annotations

import atexit
import os

from codetracer_core import api
from codetracer_core.cli import program as programs
from codetracer_core.cli import running
from codetracer_core.cli.arguments import Words
from codetracer_core.cli.closing import Closing
from codetracer_core.cli.imports import OwnImports
from codetracer_core.cli.policy_options import policy_in_spite_of_options, policy_of_options
from codetracer_core.cli.record_options import (
    COMMAND,
    check_filters,
    follow_children,
    is_disabled,
    out_dir_of,
    output_of,
)
from codetracer_core.cli.report import Stderr, report_failure
from codetracer_core.session.bootstrap import TraceSessionBootstrap
from codetracer_core.session.environment import DISABLED_VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMMAND", "run"]


def run(words: Sequence[str]) -> int:
    """Record the program that `words` name; return its exit status.

    A failure to start is reported here. Raises the exception that ends the program when that is a
    SystemExit or a KeyboardInterrupt.
    """
    given = Words()
    try:
        COMMAND.parse(words, program_options=programs.PROGRAM_OPTIONS, into=given)
        return _run(given)
    except Exception as error:  # noqa: BLE001 - one line with a code, no traceback
        return report_failure(error, policy=policy_in_spite_of_options(given))


def _run(given: Words) -> int:
    if given.given("--help"):
        from codetracer_core.cli.output import print_lines

        print_lines(COMMAND.help().splitlines())
        return 0
    quiet = given.given("--quiet")
    program = programs.find_program(given.rest, literal=given.ended)
    if is_disabled(os.environ):
        if not quiet:
            Stderr().line(f"not recording: {DISABLED_VARIABLE} is set")
        return _run_unrecorded(program)
    api.refuse_second()
    out_dir = out_dir_of(COMMAND, given, os.environ)
    check_filters(COMMAND, given)
    bootstrap = TraceSessionBootstrap.prepare(
        out_dir,
        trace_filter=given.every("--trace-filter"),
        filter_environ=os.environ,
        only=given.every("--only"),
        skip=given.every("--skip"),
        framework=program.framework,
        framework_filters=not given.given("--no-framework-filters"),
        policy=policy_of_options(given) or None,
        argv=program.argv,
        main_script=program.main_script,
        home=program.home,
        activation_path=given.last("--activation-path", "") or None,
        output=output_of(given),
    )
    stderr = Stderr()
    session = api.begin(bootstrap, muted=True)
    follow_children(os.environ, session, given)
    only = given.every("--only")
    closing = Closing(
        session,
        program.name,
        out_dir,
        stderr=stderr,
        quiet=quiet,
        bootstrap=bootstrap,
        only=only,
    )
    # Exit handlers run in reverse order, and threads are waited for before them: this one, being
    # there first, comes when nothing of the program is left to run.
    atexit.register(closing)
    namespace = running.prepare(program)
    closing.imports.hide()
    return closing.leave(running.run(program, namespace, session.sources, session.unmute))


def _run_unrecorded(program: programs.Program) -> int:
    """Run `program` in the same way, with no session."""
    imports = OwnImports()
    namespace = running.prepare(program)
    imports.hide()
    return running.leave(running.run(program, namespace))
