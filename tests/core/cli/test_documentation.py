"""The documents say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from codetracer_core.cli import record, show
from codetracer_core.cli.arguments import Command

ROOT = Path(__file__).parents[3]
SOURCES = ROOT / "packages" / "codetracer-core" / "src" / "codetracer_core"


def test_every_error_code_is_documented() -> None:
    """Each code that core raises has a row in docs/errors.md."""
    documented = set(re.findall(r"`(ERR_[A-Z_]+)`", (ROOT / "docs" / "errors.md").read_text()))
    used = {
        code
        for source in SOURCES.rglob("*.py")
        for code in re.findall(r'"(ERR_[A-Z_]+)"', source.read_text())
    }
    assert len(used) > 10
    assert used - documented == set()


def options_of(command: Command) -> str:
    """The part of the help that lists the options."""
    return command.help().partition("options:")[2].partition("examples:")[0]


def test_every_option_is_documented() -> None:
    """Each option of the two commands has a row in docs/cli.md."""
    text = (ROOT / "docs" / "cli.md").read_text()
    for command in (record.COMMAND, show.COMMAND):
        for option in re.findall(r"(?<!\S)--?[a-z][a-z-]*", options_of(command)):
            assert f"`{option}" in text, option
