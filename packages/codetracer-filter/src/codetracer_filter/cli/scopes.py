"""Scopes as people write them: ``FILE:QUALNAME``, ``MODULE:QUALNAME`` or a dotted name."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from importlib.machinery import PathFinder

from codetracer_filter._messages import display
from codetracer_filter._modules import module_of_file
from codetracer_filter.cli.errors import ERR_FILTER_SCOPE, CommandError

__all__ = ["ScopeQuery", "parse_scope"]

_MODULE_BODY = "<module>"
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


@dataclass(frozen=True, slots=True)
class ScopeQuery:
    """One piece of code to ask a filter about.

    ``path`` is absolute; ``module`` is None when the engine is to find it. ``notes`` say what was
    assumed.
    """

    path: str
    qualname: str
    module: str | None
    notes: tuple[str, ...] = ()


def parse_scope(text: str, directory: str, module: str | None = None) -> ScopeQuery:
    """Read ``text``; files and modules are looked for from ``directory``, and nothing is imported.

    ``module`` is the name that the code's globals are taken to have. Raises `CommandError` when
    ``text`` names no scope.
    """
    name, qualname = _split(text)
    if _is_path(name, directory):
        return _in_file(name, qualname or _MODULE_BODY, directory, module)
    if not name or not all(part.isidentifier() for part in name.split(".")):
        raise CommandError(
            ERR_FILTER_SCOPE,
            f"{display(text)} names no scope; write FILE:QUALNAME, MODULE:QUALNAME or a dotted"
            " name",
        )
    if qualname is None:
        return _dotted(name, directory, module)
    found = _find_module(name, directory)
    if found is None:
        return _unfound(name, qualname, directory, module)
    return ScopeQuery(found, qualname, module or name)


def _split(text: str) -> tuple[str, str | None]:
    """Split at the last colon that is not the one of a Windows drive."""
    start = 2 if _DRIVE.match(text) else 0
    head, colon, tail = text[start:].rpartition(":")
    if not colon:
        return text, None
    return text[:start] + head, tail or None


def _is_path(name: str, directory: str) -> bool:
    return (
        "/" in name
        or "\\" in name
        or name.endswith((".py", ".pyw"))
        or name.startswith("<")
        or (not name.isidentifier() and os.path.isfile(os.path.join(directory, name)))
    )


def _in_file(name: str, qualname: str, directory: str, module: str | None) -> ScopeQuery:
    if name.startswith("<") or _DRIVE.match(name):
        return ScopeQuery(name, qualname, module)
    path = os.path.abspath(os.path.join(directory, os.path.expanduser(name)))
    notes = []
    if not os.path.exists(path):
        notes.append(f"there is no file {path}")
    if module is None:
        module = module_of_file(path)
        if module is not None:
            notes.append(f"the module is taken to be {module}; --module says otherwise")
    return ScopeQuery(path, qualname, module, tuple(notes))


def _dotted(name: str, directory: str, module: str | None) -> ScopeQuery:
    """Take the longest prefix that is a module for the module, and the rest for the object."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        prefix = ".".join(parts[:end])
        found = _find_module(prefix, directory)
        if found is not None:
            return ScopeQuery(found, ".".join(parts[end:]) or _MODULE_BODY, module or prefix)
    # Classes have capitals by convention; a lone name is a module.
    end = next((at for at, part in enumerate(parts) if at and part[:1].isupper()), len(parts) - 1)
    end = max(end, 1)
    return _unfound(".".join(parts[:end]), ".".join(parts[end:]) or _MODULE_BODY, directory, module)


def _unfound(name: str, qualname: str, directory: str, module: str | None) -> ScopeQuery:
    path = os.path.join(os.path.abspath(directory), *name.split(".")) + ".py"
    note = f"no module {name} was found; its file is taken to be {path}"
    return ScopeQuery(path, qualname, module or name, (note,))


def _find_module(name: str, directory: str) -> str | None:
    """The file of a module, looked for without importing it or what holds it."""
    search: list[str] | None = [os.path.abspath(directory), *sys.path]
    origin: str | None = None
    for part in name.split("."):
        if search is None:
            return None
        try:
            spec = PathFinder.find_spec(part, search)
        except (ImportError, ValueError, OSError):
            return None
        if spec is None:
            return None
        origin = spec.origin
        locations = spec.submodule_search_locations
        search = None if locations is None else list(locations)
    return origin
