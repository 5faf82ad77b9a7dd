"""Parsing of command lines: the parser of every command, and where a program's own words begin."""

from __future__ import annotations

import argparse

from codetracer_core.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

__all__ = ["CommandParser", "split_at_program"]


class CommandParser(argparse.ArgumentParser):
    """An argument parser whose misuse is a UsageError, and whose options cannot be abbreviated."""

    def __init__(self, command: str, *, usage: str, description: str, epilog: str) -> None:
        super().__init__(
            prog=f"codetracer-core {command}",
            usage=usage,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        raise UsageError("ERR_COMMAND_LINE", f"{message}; see {self.prog} --help")


def split_at_program(
    words: Sequence[str], with_value: Sequence[str], enders: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Cut `words` into the recorder's options and the program with everything that belongs to it.

    The program begins at the first word that is no option, at an option of `enders` (``-m`` and
    ``-c``, also with the value attached), or after ``--``. Options `with_value` take the next word.
    """
    index = 0
    while index < len(words):
        word = words[index]
        if word == "--":
            return list(words[:index]), list(words[index + 1 :])
        if word == "-" or not word.startswith("-") or word.startswith(tuple(enders)):
            break
        index += 2 if word in with_value else 1
    return list(words[:index]), list(words[index:])
