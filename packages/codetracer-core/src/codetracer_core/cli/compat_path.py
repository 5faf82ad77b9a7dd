"""``codetracer-core compat-path``: the folder for PYTHONPATH of programs that use another name."""

from __future__ import annotations

from codetracer_core.cli.arguments import Command
from codetracer_core.cli.output import print_lines
from codetracer_core.compat import FOLDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMMAND", "run"]

COMMAND = Command(
    "compat-path",
    usage="codetracer-core compat-path",
    about="""\
Print the folder that makes codetracer_python_recorder mean this recorder, for programs
and debuggers that know it by that name.""",
    options=(),
    examples="""\
  PYTHONPATH=$(codetracer-core compat-path) python -m codetracer_python_recorder app.py
""",
)


def run(words: Sequence[str]) -> int:
    """Print the folder; raises UsageError for any argument."""
    given = COMMAND.parse(words)
    if given.given("--help"):
        print_lines(COMMAND.help().splitlines())
    elif given.rest:
        raise COMMAND.misuse(f"there is nothing to do with {given.rest[0]!r}")
    else:
        print_lines([FOLDER])
    return 0
