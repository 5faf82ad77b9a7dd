"""The documents say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from codetracer_core.cli import record, show
from codetracer_core.cli.arguments import Command
from codetracer_core.cli.program import PROGRAM_OPTIONS

ROOT = Path(__file__).parents[3]


def options_of(command: Command) -> set[str]:
    """Every spelling of every option of `command`."""
    return {name for option in command.options for name in option.spellings}


def documented_options(text: str, command: str) -> set[str]:
    """The options in the first column of the tables below a command's heading."""
    section = text.partition(f"## `codetracer-core {command}`")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`-[^|]*)\|", section, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(--?[a-z][a-z-]*)", row)}


@pytest.mark.parametrize("command", [record.COMMAND, show.COMMAND], ids=lambda c: c.name)
def test_the_documented_options_are_those_that_there_are(command: Command) -> None:
    """Each option of a command has a row in docs/cli.md, and each row an option."""
    text = (ROOT / "docs" / "cli.md").read_text()
    programs = set(PROGRAM_OPTIONS) if command is record.COMMAND else set()
    documented = documented_options(text, command.name)
    assert documented | {"-h", "--help"} == options_of(command) | programs | {"-h", "--help"}
