"""The command line of ``codetracer-filter``."""

from __future__ import annotations

import argparse

from codetracer_filter.cli.errors import ERR_FILTER_COMMAND_LINE, CommandError
from codetracer_filter.discovery import FRAMEWORKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

__all__ = ["parse_arguments"]

_EXAMPLES = """\
examples:
  codetracer-filter init
  codetracer-filter check .codetracer/trace-filter.toml
  codetracer-filter explain src/shop/cart.py:Cart.total local:session ret
  codetracer-filter explain shop.cart.Cart.total --format json
  codetracer-filter show --filter mine.toml
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line with a code."""

    def error(self, message: str) -> NoReturn:
        raise CommandError(ERR_FILTER_COMMAND_LINE, f"{message}; see {self.prog} --help")


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line; raises `CommandError` for a misuse, SystemExit after ``--help``."""
    parser = _Parser(
        prog="codetracer-filter",
        description="Check trace filters, and explain what they decide.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("-V", "--version", action="store_true", help="show the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)

    check = _command(commands, "check", "report every problem of filter files")
    check.add_argument("files", nargs="+", metavar="FILE", help="a filter file, or several: A::B")

    explain = _command(commands, "explain", "say which rule decides about code and its values")
    explain.add_argument(
        "scope", metavar="SCOPE", help="FILE:QUALNAME, MODULE:QUALNAME or a dotted name"
    )
    explain.add_argument(
        "values",
        nargs="*",
        metavar="KIND:NAME",
        help="a value: local, global, arg or attr with its name, or ret",
    )
    explain.add_argument(
        "--module", metavar="NAME", help="the name of the code's module, such as __main__"
    )
    _add_chain(explain)

    init = commands.add_parser(
        "init", help="write a first filter file", allow_abbrev=False, description=None
    )
    init.add_argument(
        "path", nargs="?", metavar="PATH", help="a file, or a folder (default: this one)"
    )
    init.add_argument("--force", action="store_true", help="replace a file that is there")

    _add_chain(_command(commands, "show", "print a chain: sources, defaults and rules in order"))

    options = parser.parse_args(argv)
    if options.command is None and not options.version:
        parser.error("no command is given; use one of check, explain, init, show")
    return options


def _command(
    commands: argparse._SubParsersAction[_Parser], name: str, summary: str
) -> argparse.ArgumentParser:
    """A command that prints text or JSON."""
    made = commands.add_parser(name, help=summary, description=f"{summary}.", allow_abbrev=False)
    made.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help="text for people (the default) or json for tools",
    )
    return made


def _add_chain(parser: argparse.ArgumentParser) -> None:
    """The options that say which chain is meant; they are those of a recording."""
    chain = parser.add_argument_group("which chain")
    chain.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="FILE",
        help="a filter file behind the project's; repeatable",
    )
    chain.add_argument(
        "--directory",
        default=".",
        metavar="DIR",
        help="where the program lives and the project's filter is looked for (default: here)",
    )
    chain.add_argument("--no-project", action="store_true", help="leave the project's filter out")
    chain.add_argument("--framework", choices=FRAMEWORKS, help="as for a run of this framework")
    chain.add_argument(
        "--only", action="append", default=[], metavar="SELECTOR", help="trace nothing else"
    )
    chain.add_argument(
        "--skip", action="append", default=[], metavar="SELECTOR", help="do not trace this"
    )
