"""Module names: what ``pkg`` and ``obj`` selectors are compared with."""

from __future__ import annotations

import os
import re

from codetracer_filter._system import is_file

__all__ = ["choose_module", "module_of_file"]

_DOTTED = re.compile(r"[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*")


def choose_module(hint: str | None, relative: str | None, path: str) -> str | None:
    """The module name of a file's code, or None when there is none to be had.

    ``hint`` is the ``__name__`` of the globals and wins when it is a dotted name. Otherwise the
    path ``relative`` to a filter's root is turned into one, and at last the packages that hold
    ``path`` are read off the disk.
    """
    if hint is not None:
        hint = hint.strip()
        if _DOTTED.fullmatch(hint):
            return hint
    if relative is not None:
        name = _from_relative(relative)
        if name is not None:
            return name
    return None if path.startswith("<") else module_of_file(path)


def _from_relative(relative: str) -> str | None:
    name = relative.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    return name if _DOTTED.fullmatch(name) else None


def module_of_file(path: str) -> str | None:
    """The module name that the packages on disk give a file, or None for no dotted name."""
    directory, file = os.path.split(path)
    stem = file.removesuffix(".py")
    parts = [] if stem == "__init__" else [stem]
    while is_file(os.path.join(directory, "__init__.py")):
        directory, name = os.path.split(directory)
        parts.append(name)
    name = ".".join(reversed(parts))
    return name if _DOTTED.fullmatch(name) else None
