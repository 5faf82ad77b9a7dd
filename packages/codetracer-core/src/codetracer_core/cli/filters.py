"""``codetracer-core filters``: the chain of filters that a recording has, and what it decides."""

from __future__ import annotations

import json
import os

from codetracer_core.cli.arguments import Command, Option
from codetracer_core.cli.chain import chain_of
from codetracer_core.cli.output import print_lines
from codetracer_core.cli.program import PROGRAM_OPTIONS, find_program
from codetracer_core.cli.record_options import FILTER_OPTIONS
from codetracer_core.session.errors import as_recorder_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from codetracer_core.cli.arguments import Words

__all__ = ["COMMAND", "EXPLAIN", "run"]

_FORMATS = ("text", "json")
_FORMAT = Option(("--format",), "text (for people, the default) or json", "text|json")

COMMAND = Command(
    "filters",
    usage="""\
codetracer-core filters [OPTION]... [PROGRAM [ARGUMENT]...]
       codetracer-core filters explain [OPTION]... SCOPE...""",
    about="""\
Print the chain of filters that a recording of PROGRAM would have: every source, rule and
default, in the order in which they apply. PROGRAM and the options are those of
codetracer-core record; without PROGRAM the chain is that of the working directory.""",
    options=(*FILTER_OPTIONS, _FORMAT),
    examples="""\
  codetracer-core filters app.py
  codetracer-core filters --only 'pkg:shop.*' --pytest
  codetracer-core filters explain src/shop/cart.py:Cart.add
""",
)

EXPLAIN = Command(
    "filters explain",
    usage="codetracer-core filters explain [OPTION]... SCOPE...",
    about="""\
Say whether the code of each SCOPE is recorded, which rule decides it, and what becomes of its
values. SCOPE is FILE:QUALNAME, MODULE:QUALNAME or a dotted name.""",
    options=(
        Option(
            ("--value",),
            "also say what becomes of a value: local, global, arg, attr or\n"
            "ret, and its name; may be repeated",
            "KIND:NAME",
        ),
        Option(("--module",), "the __name__ that the code's module has", "NAME"),
        Option(
            ("--program",),
            "take the chain of this program (default: the working\ndirectory's)",
            "SCRIPT",
        ),
        Option(("--framework",), "take the chain of this test framework", "pytest|unittest"),
        *FILTER_OPTIONS,
        _FORMAT,
    ),
    examples="""\
  codetracer-core filters explain src/shop/cart.py:Cart.add
  codetracer-core filters explain --value local:password shop.login:check
""",
)


def run(words: Sequence[str]) -> int:
    """Print what `words` ask for; return the exit status. Raises RecorderError."""
    given = COMMAND.parse(words, program_options=PROGRAM_OPTIONS)
    if given.given("--help"):
        print_lines(COMMAND.help().splitlines())
    elif given.rest[:1] == ("explain",) and not given.ended:
        _explain(given.rest[1:], given)
    else:
        _show(given)
    return 0


def _show(given: Words) -> None:
    from codetracer_filter.cli.show import chain_entry, chain_lines

    as_json = COMMAND.choice(given, "--format", _FORMATS) == "json"
    program = find_program(given.rest, literal=given.ended) if given.rest else None
    config = chain_of(
        COMMAND,
        given,
        home="" if program is None else program.home,
        framework=None if program is None else program.framework,
    )
    print_lines([json.dumps(chain_entry(config), indent=2)] if as_json else chain_lines(config))


def _explain(words: Sequence[str], before: Words) -> None:
    """Explain scopes; options may also stand `before` the word that asks for it."""
    from codetracer_filter import TraceFilterEngine
    from codetracer_filter.cli.errors import CommandError
    from codetracer_filter.cli.explain import explain

    given = EXPLAIN.parse(words, into=before)
    if given.given("--help"):
        print_lines(EXPLAIN.help().splitlines())
        return
    if not given.rest:
        raise EXPLAIN.misuse("no scope is named")
    as_json = EXPLAIN.choice(given, "--format", _FORMATS) == "json"
    config = chain_of(
        EXPLAIN,
        given,
        home=given.last("--program", ""),
        framework=given.last("--framework", "") or None,
    )
    engine = TraceFilterEngine(config)
    try:
        explanations = [
            explain(
                engine,
                scope,
                given.every("--value"),
                directory=os.getcwd(),
                module=given.last("--module", "") or None,
            )
            for scope in given.rest
        ]
    except CommandError as error:
        raise as_recorder_error(error) from error
    if as_json:
        print_lines([json.dumps([found.entry() for found in explanations], indent=2)])
        return
    for number, found in enumerate(explanations):
        print_lines([*([""] if number else []), *found.lines()])
