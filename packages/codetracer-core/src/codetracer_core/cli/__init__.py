"""The command ``codetracer-core``: one module a command, loaded when it is asked for."""

from __future__ import annotations

import sys

from codetracer_core.monitoring.capabilities import SUPPORTED_VERSIONS, report_refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMMANDS", "help_text", "main"]

COMMANDS = {
    "record": "run a program and record it",
    "show": "print a recorded trace",
    "recover": "make the trace of a program that was killed or crashed",
    "doctor": "say whether recording works here, and with which settings",
    "filters": "print the filters of a recording, and explain what they decide",
    "compat-path": "print the folder that stands in for codetracer_python_recorder",
}
"""What each command does, by its name."""

_HELP = """\
usage: codetracer-core COMMAND ...

Records a Python program, every line with its variables, and shows the trace.

commands:
  record        {record}
  show          {show}
  recover       {recover}
  doctor        {doctor}
  filters       {filters}
  compat-path   {compat-path}

options:
  -h, --help     show this help; after a command, the help of that command
  -V, --version  show the version

examples:
  codetracer-core record app.py --port 8000
  codetracer-core record --out-dir traces/run1 -m json.tool data.json
  codetracer-core show trace-out
  codetracer-core show --calls trace-out
  codetracer-core recover trace-out
  codetracer-core doctor
  codetracer-core filters explain src/shop/cart.py:Cart.add
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with the arguments `argv` (``sys.argv[1:]`` unless given).

    Returns the exit status: that of the recorded program, or 2 for a misuse and 1 for a failure of
    ours, each with one line on standard error. A recorded program that calls ``sys.exit`` or is
    interrupted ends this function by that exception, as it ends ``python``.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    # The doctor says it with all else that it finds, where its modules can be loaded.
    has_doctor = sys.version_info >= SUPPORTED_VERSIONS[0]
    if (words[:1] != ["doctor"] or not has_doctor) and report_refusal():
        return 1
    try:
        return _dispatch(words)
    except Exception as error:  # noqa: BLE001 - the last resort: one line with a code, no traceback
        from codetracer_core.cli.report import report_failure

        return report_failure(error)


def help_text() -> str:
    """What ``codetracer-core --help`` prints."""
    return _HELP.format(**COMMANDS)


def _dispatch(words: list[str]) -> int:
    from codetracer_core.errors import UsageError

    command = words[0] if words else None
    if command in COMMANDS:
        from importlib import import_module

        from codetracer_core.cli.light_pathlib import import_pathlib

        import_pathlib()
        run: int = import_module(f"codetracer_core.cli.{command.replace('-', '_')}").run(words[1:])
        return run
    if command in ("-h", "--help"):
        return _print(help_text())
    if command in ("-V", "--version"):
        from codetracer_core import __version__

        return _print(f"codetracer-core {__version__}")
    from codetracer_core.cli.arguments import guess

    problem = "no command is given"
    if command is not None:
        problem = f"there is no command {command!r}{guess(command, COMMANDS)}"
    raise UsageError(
        "ERR_COMMAND_LINE",
        f"{problem}: use one of {', '.join(COMMANDS)}, or --help",
    )


def _print(text: str) -> int:
    from codetracer_core.cli.output import print_lines

    print_lines(text.splitlines())
    return 0
