"""The command ``codetracer-filter``: check, explain, init and show.

Exit statuses: 0 when all is well, 1 when filters cannot be used or something cannot be written,
2 for a misuse of the command line.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from codetracer_filter.errors import FilterError
    from codetracer_filter.model import TraceFilterConfig

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with the arguments ``argv`` (``sys.argv[1:]`` unless given)."""
    from codetracer_filter.cli.errors import CommandError
    from codetracer_filter.cli.options import parse_arguments
    from codetracer_filter.cli.output import print_failure
    from codetracer_filter.errors import ErrorKind, FilterError

    is_json = False
    try:
        options = parse_arguments(sys.argv[1:] if argv is None else argv)
        is_json = getattr(options, "format", None) == "json"
        return _run(options, is_json=is_json)
    except FilterError as error:
        return _report(error, is_json=is_json)
    except CommandError as error:
        print_failure(str(error))
        return 2 if error.kind is ErrorKind.USAGE else 1


def _run(options: argparse.Namespace, *, is_json: bool) -> int:
    from codetracer_filter.cli.output import print_json, print_lines

    if options.version:
        from codetracer_filter import __version__

        print_lines([f"codetracer-filter {__version__}"])
        return 0
    if options.command == "init":
        from codetracer_filter.cli.init import write_starter

        print_lines([f"wrote {write_starter(options.path, force=options.force)}"])
        return 0
    if options.command == "check":
        from codetracer_filter.cli.check import check_files

        result = check_files(options.files)
        print_json(result.entry()) if is_json else print_lines(result.lines())
        return 1 if result.problems else 0
    config = _load(options)
    if options.command == "show":
        from codetracer_filter.cli.show import chain_entry, chain_lines

        print_json(chain_entry(config)) if is_json else print_lines(chain_lines(config))
        return 0
    from codetracer_filter.cli.explain import explain
    from codetracer_filter.engine import TraceFilterEngine

    directory = os.path.abspath(options.directory)
    explanation = explain(
        TraceFilterEngine(config, directory=directory),
        options.scope,
        options.values,
        directory=directory,
        module=options.module,
    )
    print_json(explanation.entry()) if is_json else print_lines(explanation.lines())
    return 0


def _load(options: argparse.Namespace) -> TraceFilterConfig:
    from codetracer_filter.discovery import load_chain

    return load_chain(
        options.filter,
        program_dir=None if options.no_project else options.directory,
        framework=options.framework,
        only=options.only,
        skip=options.skip,
    )


def _report(error: FilterError, *, is_json: bool) -> int:
    """Print every problem of a chain: as JSON to standard output, else a line each."""
    from codetracer_filter.cli.check import diagnostic_entry, problem_entry
    from codetracer_filter.cli.output import print_failure, print_json

    if is_json:
        print_json(
            {
                "ok": False,
                "problems": [problem_entry(problem) for problem in error.problems],
                "warnings": [diagnostic_entry(warning) for warning in error.diagnostics],
            }
        )
    for problem in error.problems:
        print_failure(f"[{problem.code}] {problem}")
    return 1
