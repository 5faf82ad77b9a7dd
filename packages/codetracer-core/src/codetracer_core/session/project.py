"""The settings that a project gives its recordings: ``[tool.codetracer]`` in ``pyproject.toml``."""

from __future__ import annotations

import os

from codetracer_core.errors import EnvironmentError_, UsageError
from codetracer_core.session.filters import program_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codetracer_policy import PolicySource

__all__ = ["PROJECT_FILE", "project_settings"]

PROJECT_FILE = "pyproject.toml"
_MAX_BYTES = 1024 * 1024


def project_settings(program: str) -> PolicySource | None:
    """What the project of `program`, a ``sys.argv[0]``, wants; None when it says nothing.

    The nearest ``pyproject.toml`` above the program decides, whether it has the table or not. One
    that nowhere names ``codetracer`` is not parsed, so its mistakes are not ours to report. A
    relative ``log_file`` is meant relative to the file that it stands in.

    Raises UsageError when the file cannot be parsed or holds something else in the table's place,
    and EnvironmentError_ when it cannot be read. Names and values of settings are not checked here.
    """
    path = _nearest(os.path.realpath(program_directory(program)))
    if path is None:
        return None
    content = _read(path)
    if b"codetracer" not in content:
        return None
    table = _table(path, content)
    if not table:
        return None
    from codetracer_policy import PolicySource

    log_file = table.get("log_file")
    if isinstance(log_file, str) and log_file.strip():
        table["log_file"] = os.path.join(os.path.dirname(path), log_file)
    return PolicySource(table, path)


def _nearest(directory: str) -> str | None:
    """The first regular file of that name in `directory` or a folder above it."""
    while True:
        path = os.path.join(directory, PROJECT_FILE)
        if os.path.isfile(path):
            return path
        above = os.path.dirname(directory)
        if above == directory:
            return None
        directory = above


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise EnvironmentError_(
            "ERR_PROJECT_UNREADABLE",
            f"the settings of the project cannot be read: {error.strerror};"
            " change the rights of the file",
            path=path,
        ) from error
    if len(content) > _MAX_BYTES:
        raise EnvironmentError_(
            "ERR_PROJECT_UNREADABLE",
            "the settings of the project are in a file of more than 1 MiB; make it smaller",
            path=path,
        )
    return content


def _table(path: str, content: bytes) -> dict[str, object]:
    """The table ``tool.codetracer``, empty when there is none."""
    from tomli import loads

    try:
        tool = loads(content.decode("utf-8")).get("tool", {})
    except UnicodeDecodeError as error:
        raise _syntax(path, f"byte {error.start} is not UTF-8") from error
    except ValueError as error:  # no TOML, or a number of more digits than Python reads
        raise _syntax(path, str(error)) from error
    except RecursionError as error:
        raise _syntax(path, "it is nested too deeply") from error
    table = tool.get("codetracer", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise _syntax(path, "tool.codetracer is not a table")
    return table


def _syntax(path: str, problem: str) -> UsageError:
    return UsageError(
        "ERR_PROJECT_SYNTAX",
        f"the settings of the project cannot be read: {problem}; correct the file",
        path=path,
    )
