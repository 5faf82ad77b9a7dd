"""Writing a first filter file for a project."""

from __future__ import annotations

import os

from codetracer_filter.cli.errors import ERR_FILTER_EXISTS, ERR_FILTER_OUTPUT, CommandError
from codetracer_filter.discovery import PROJECT_FILTER
from codetracer_filter.errors import ErrorKind

__all__ = ["starter_text", "write_starter"]


def starter_text() -> str:
    """A filter that changes nothing, with examples in comments."""
    path = os.path.join(os.path.dirname(__file__), "starter.toml")
    text: bytes = globals()["__spec__"].loader.get_data(path)
    return text.decode("utf-8")


def write_starter(path: str | None, *, force: bool = False) -> str:
    """Write the starter to ``path`` and return where it is.

    None stands for the working directory; in a directory it becomes the project's filter. Folders
    are made. Raises `CommandError` when there is such a file, unless ``force``, and when it cannot
    be written.
    """
    target = os.path.abspath(os.path.expanduser(path or "."))
    if os.path.isdir(target):
        target = os.path.join(target, PROJECT_FILTER)
    if os.path.lexists(target) and not force:
        raise CommandError(
            ERR_FILTER_EXISTS,
            f"{target} exists; edit it, name another file, or replace it with --force",
            context={"path": target},
        )
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            file.write(starter_text())
    except OSError as error:
        raise CommandError(
            ERR_FILTER_OUTPUT,
            f"{target} cannot be written ({error.strerror}); check the rights and the space there",
            ErrorKind.ENVIRONMENT,
            {"path": target},
        ) from None
    return target
