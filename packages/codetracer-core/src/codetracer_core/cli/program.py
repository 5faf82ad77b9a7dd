"""The program to record, found from the command line as ``python`` and shells find it."""

from __future__ import annotations

import os
import sys
from enum import Enum

from codetracer_core.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PROGRAM_OPTIONS", "Program", "ProgramKind", "find_program"]

PROGRAM_OPTIONS = ("-m", "-c", "--pytest", "--unittest")
"""The options that name a program; the words after them are the program's."""


class ProgramKind(Enum):
    """The ways of naming a program."""

    SCRIPT = "script"
    COMPILED = "compiled script"
    FOLDER = "folder or zip file"
    MODULE = "module"
    COMMAND = "command"
    STANDARD_INPUT = "standard input"
    ENTRY_POINT = "entry point"


class Program:
    """A program that exists, as far as that can be told before it runs.

    ``name`` is the path, module or code as it was given, ``argv`` what ``sys.argv`` is when the
    program starts, and ``words`` the part of a ``python`` command line that names the program and
    its arguments. ``path`` is the file or folder under the name that ``python`` gives it in
    tracebacks. ``source`` is the code of an entry point. ``installed`` says that the program is a
    command of the environment, whose work lies in the working directory, and ``framework`` which
    test framework it is.
    """

    __slots__ = ("argv", "framework", "installed", "kind", "name", "path", "source", "words")

    def __init__(
        self,
        kind: ProgramKind,
        name: str,
        argv: Sequence[str],
        words: Sequence[str],
        path: str | None = None,
        *,
        source: str = "",
        installed: bool = False,
        framework: str | None = None,
    ) -> None:
        self.kind = kind
        self.name = name
        self.argv = tuple(argv)
        self.words = tuple(words)
        self.path = path
        self.source = source
        self.installed = installed
        self.framework = framework

    @property
    def main_script(self) -> str | None:
        """The file of the main module, where it is known before the program runs."""
        if self.path is None:
            return None
        if self.kind is ProgramKind.SCRIPT:
            return self.path
        if self.kind is not ProgramKind.FOLDER:
            return None
        main = os.path.join(self.path, "__main__.py")
        return main if os.path.isfile(main) else None

    @property
    def home(self) -> str:
        """The path whose project the program belongs to; blank for the working directory."""
        return "" if self.installed else self.main_script or self.argv[0]


def find_program(words: Sequence[str], *, literal: bool = False) -> Program:
    """The program that `words`, the rest of a command line, start.

    With `literal` the first word is no option, as after ``--``. Raises UsageError when there is no
    such program.
    """
    if not words:
        raise UsageError(
            "ERR_NO_PROGRAM",
            "no program is given: name a script, a console script, -m MODULE or -c CODE;"
            " see codetracer-core record --help",
        )
    first = words[0]
    if not literal:
        for option, kind in (("-m", ProgramKind.MODULE), ("-c", ProgramKind.COMMAND)):
            if first.startswith(option):
                return _find_value(option, kind, words)
        if first in PROGRAM_OPTIONS:
            return _find_framework(first.removeprefix("--"), words[1:])
    if first == "-":
        return _standard_input(words)
    file = _find_file(first, words)
    if file is None:
        return _find_command(first, words[1:])
    if file.kind is ProgramKind.FOLDER and file.main_script is None and _may_be_command(first):
        # Projects keep the sources of their command in a folder of its name.
        try:
            return _find_command(first, words[1:])
        except UsageError:
            return file
    return file


def _find_value(option: str, kind: ProgramKind, words: Sequence[str]) -> Program:
    rest = list(words[1:])
    if words[0] != option:
        value = words[0][len(option) :]
    elif rest:
        value = rest.pop(0)
    else:
        raise UsageError("ERR_NO_PROGRAM", f"{option} needs a value: the {kind.value}")
    return Program(kind, value, (option, *rest), (option, value, *rest))


def _find_framework(framework: str, arguments: Sequence[str]) -> Program:
    """The command that people run tests with, as the environment has it."""
    if framework == "unittest":
        words = ("-m", framework, *arguments)
        return Program(
            ProgramKind.MODULE, framework, ("-m", *arguments), words, framework=framework
        )
    try:
        program = _find_command(framework, arguments)
    except UsageError as error:
        raise UsageError(
            error.code,
            f"--pytest needs pytest in this environment ({sys.prefix}), and it is not there:"
            " install it, or record with the interpreter that has it",
        ) from None
    program.framework = framework
    return program


def _standard_input(words: Sequence[str]) -> Program:
    if sys.stdin is None or os.isatty(0):
        raise UsageError(
            "ERR_NO_PROGRAM",
            "no program comes from standard input: pipe one in, or name a script",
        )
    return Program(ProgramKind.STANDARD_INPUT, "-", words, words, "<stdin>")


def _find_file(name: str, words: Sequence[str]) -> Program | None:
    """The file or folder `name`; None when there is none, and a command may be meant."""
    path = name if os.path.isabs(name) else os.path.join(os.getcwd(), name)
    try:
        with open(path, "rb") as file:
            compiled = _is_compiled(name, file.read(4))
        kind = ProgramKind.COMPILED if compiled else ProgramKind.SCRIPT
    except IsADirectoryError:
        kind = ProgramKind.FOLDER
    except FileNotFoundError as error:
        if _may_be_command(name):
            return None
        raise _cannot_open(name, error) from None
    except (OSError, ValueError) as error:
        raise _cannot_open(name, error) from None
    if kind is ProgramKind.SCRIPT and _has_importer(path):
        kind = ProgramKind.FOLDER
    return Program(kind, name, words, words, path)


def _cannot_open(name: str, error: Exception) -> UsageError:
    reason = error.strerror if isinstance(error, OSError) else error
    return UsageError(
        "ERR_SCRIPT_NOT_FOUND",
        f"the script {name!r} cannot be opened ({reason}): check its path",
    )


def _find_command(name: str, arguments: Sequence[str]) -> Program:
    """The console script `name`, as a shell in this environment would find it."""
    from codetracer_core.cli.console_scripts import find_console_script

    script = find_console_script(name)
    words = (script.path, *arguments)
    kind = ProgramKind.SCRIPT if script.source is None else ProgramKind.ENTRY_POINT
    return Program(
        kind, name, words, words, script.path, source=script.source or "", installed=True
    )


def _may_be_command(name: str) -> bool:
    """Whether shells would look for `name` on PATH."""
    return bool(name) and os.sep not in name


def _is_compiled(name: str, start: bytes) -> bool:
    """Whether a file called `name` that begins with `start` is bytecode of this interpreter."""
    from importlib.util import MAGIC_NUMBER

    if name.endswith(".pyc") and start != MAGIC_NUMBER:
        raise UsageError(
            "ERR_SCRIPT_NOT_FOUND",
            f"{name!r} is compiled for another version of Python; compile its source again",
        )
    return start == MAGIC_NUMBER


def _has_importer(path: str) -> bool:
    """Whether modules can be imported from the file `path`, as from a zip file."""
    for hook in sys.path_hooks:
        try:
            hook(path)
        except ImportError:
            continue
        return True
    return False
