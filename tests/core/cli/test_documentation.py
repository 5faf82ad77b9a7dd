"""The documents say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from codetracer_core import cli
from codetracer_core.cli import doctor, filters, record, show
from codetracer_core.cli.arguments import Command
from codetracer_core.cli.program import PROGRAM_OPTIONS

ROOT = Path(__file__).parents[3]
COMMANDS: dict[str, tuple[Command, ...]] = {
    "record": (record.COMMAND,),
    "show": (show.COMMAND,),
    "doctor": (doctor.COMMAND,),
    "filters": (filters.COMMAND, filters.EXPLAIN),
}


def options_of(command: Command) -> set[str]:
    """Every spelling of every option of `command`."""
    return {name for option in command.options for name in option.spellings}


def documented_options(text: str, command: str) -> set[str]:
    """The options in the first column of the tables below a command's heading."""
    section = text.partition(f"## `codetracer-core {command}`")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`-[^|]*)\|", section, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(--?[a-z][a-z-]*)", row)}


@pytest.mark.parametrize("name", ["record", "show", "doctor", "filters"])
def test_the_documented_options_are_those_that_there_are(name: str) -> None:
    """Each option of a command has a row in docs/cli.md, and each row an option."""
    text = (ROOT / "docs" / "cli.md").read_text()
    helped = {"-h", "--help"}
    programs = set(PROGRAM_OPTIONS) if name == "record" else set()
    there = set().union(*(options_of(command) for command in COMMANDS[name]))
    assert documented_options(text, name) | helped == there | programs


def test_every_command_is_documented_and_helps() -> None:
    """The page, and the help without a command, name each one."""
    text = (ROOT / "docs" / "cli.md").read_text()
    for command in cli.COMMANDS:
        assert re.search(rf"`{command}`", text), command
        assert f"  {command} " in cli.help_text()
