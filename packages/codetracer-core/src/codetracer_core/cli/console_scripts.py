"""Console scripts: programs of this environment that shells know by name, such as ``pytest``."""

from __future__ import annotations

import os
import re
import sys

from codetracer_core.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ConsoleScript", "find_console_script"]

_HEAD = 4096
_GROUPS = ("console_scripts", "gui_scripts")

# Installers write these two lines where a path is too long for the kernel, or has blanks in it;
# the second form finds the interpreter beside the script.
_EXEC = re.compile(r"'''exec' (?:\"([^\"$]+)\"|([^\s\"']+)) ")
_EXEC_BESIDE = re.compile(r"'''exec' \"\$\(dirname -- \"\$\(realpath -- \"\$0\"\)\"\)\"/'([^']+)' ")


class ConsoleScript:
    """A console script: the file ``path``, or the ``source`` that a file there would have.

    ``source`` is None where the file exists.
    """

    __slots__ = ("path", "source")

    def __init__(self, path: str, source: str | None = None) -> None:
        self.path = path
        self.source = source


def find_console_script(name: str) -> ConsoleScript:
    """The script `name` of this environment, or else one on PATH that this interpreter runs.

    An environment keeps its scripts beside its interpreter. A package that is on ``sys.path``
    without being installed there has an entry point and no script. Raises UsageError when there is
    nothing of that name, or nothing that can be recorded.
    """
    folder = os.path.dirname(sys.executable or "")
    own = os.path.join(folder, name)
    if _is_ours(own):
        return ConsoleScript(own)
    source = _entry_point(name)
    if source is not None:
        return ConsoleScript(own, source)
    candidates = [path for path in (own, *_on_path(name)) if _is_executable(path)]
    for path in candidates:
        if _is_ours(path):
            return ConsoleScript(path)
    raise _rejected(name, candidates[0]) if candidates else _unknown(name, folder)


def _on_path(name: str) -> Iterator[str]:
    return (os.path.join(folder, name) for folder in os.get_exec_path() if folder)


def _is_executable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _is_ours(path: str) -> bool:
    """Whether `path` is a script that starts the interpreter that runs now.

    Interpreters of environments are links to one file, so the folder tells which one it is.
    """
    interpreter = _interpreter_of(path) if _is_executable(path) else None
    if interpreter is None or not sys.executable:
        return False
    here, there = os.path.dirname(sys.executable), os.path.dirname(interpreter)
    try:
        return os.path.samefile(here, there) and os.path.samefile(sys.executable, interpreter)
    except OSError:
        return False


def _interpreter_of(path: str) -> str | None:
    """The program that the script `path` names in its first lines; None when it is no script."""
    try:
        with open(path, "rb") as file:
            lines = file.read(_HEAD).decode("utf-8", "surrogateescape").splitlines()
    except OSError:
        return None
    if not lines or not lines[0].startswith("#!"):
        return None
    words = lines[0][2:].split()
    if not words:
        return None
    tool = os.path.basename(words[0])
    if tool == "env":
        command = next((word for word in words[1:] if not word.startswith("-")), "")
        return next(filter(_is_executable, _on_path(command)), None) if command else None
    if tool == "sh" and len(lines) > 1:
        if match := _EXEC.match(lines[1]):
            return match[1] or match[2]
        if match := _EXEC_BESIDE.match(lines[1]):
            return os.path.join(os.path.dirname(os.path.realpath(path)), match[1])
    return words[0]


def _entry_point(name: str) -> str | None:
    """What an installer would write into the script for the entry point `name`; None without it."""
    from importlib.metadata import entry_points

    for group in _GROUPS:
        for entry in entry_points(group=group, name=name):
            first = entry.attr.partition(".")[0]
            return (
                f"import sys\nfrom {entry.module} import {first}\n"
                f"if __name__ == '__main__':\n    sys.exit({entry.attr}())\n"
            )
    return None


def _rejected(name: str, path: str) -> UsageError:
    interpreter = _interpreter_of(path)
    if interpreter is not None and "python" in os.path.basename(interpreter):
        return UsageError(
            "ERR_OTHER_INTERPRETER",
            f"{name} belongs to another interpreter: install codetracer-core there and use"
            f" {interpreter} -m codetracer_core record {name}",
            path=path,
            interpreter=interpreter,
        )
    return UsageError(
        "ERR_NOT_PYTHON",
        f"{name} is no Python program, so it cannot be recorded: name a Python script, a console"
        " script or -m MODULE",
        path=path,
    )


def _unknown(name: str, folder: str) -> UsageError:
    from difflib import get_close_matches

    known: list[str] = []
    for place in (os.curdir, folder):
        try:
            known += os.listdir(place)
        except OSError:
            continue
    near = get_close_matches(name, known, n=1, cutoff=0.75)
    guess = f" (did you mean {near[0]}?)" if near else ""
    return UsageError(
        "ERR_SCRIPT_NOT_FOUND",
        f"the script {name!r} cannot be opened, and no console script of this environment"
        f" ({folder}) or on PATH has that name{guess}: check its path",
    )
