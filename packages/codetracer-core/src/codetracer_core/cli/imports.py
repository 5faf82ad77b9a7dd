"""Two views of the import system: the recorder's own, and the one that the program finds.

The recorder has imported parts of the standard library, and packages that it depends on, before
the program starts. A program whose folder holds a ``json.py`` or ``tomli.py`` of its own must get
that one, as under ``python``; and what the recorder imports later must not come from there.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import Any

__all__ = ["OwnImports"]

# Modules with state that the interpreter shares with the first copy.
_KEPT = frozenset({"encodings", "threading"})

# The program may use the recorder, which must be the one that records it.
_OURS = ("codetracer_core", "codetracer_filter", "codetracer_log", "codetracer_policy")


class OwnImports:
    """The state of the import system when this object is made, for the recorder to come back to."""

    def __init__(self) -> None:
        self._modules = dict(sys.modules)
        self._path = [entry for entry in sys.path if entry]
        self._meta_path = list(sys.meta_path)
        self._path_hooks = list(sys.path_hooks)

    def hide(self, start: int | None = None) -> None:
        """Take from ``sys.modules`` what ``python`` would not have imported by now.

        That is the part of the standard library, written in Python, that came after the first
        `start` modules, by default those of the interpreter's own start, and other packages of
        which the first folder of ``sys.path`` holds another one. The recorder keeps using them.
        """
        loaded = list(sys.modules)
        if start is None:
            start = loaded.index("site") + 1 if "site" in sys.modules else len(loaded)
        families: dict[str, list[str]] = {}
        for name in loaded[start:]:
            top = name.partition(".")[0]
            if top not in _KEPT and not top.startswith(_OURS):
                families.setdefault(top, []).append(name)
        earlier = {name.partition(".")[0] for name in loaded[:start]}
        for top, names in families.items():
            if top not in earlier and _is_in_the_way(top, names):
                # A package goes as a whole: a new parent would lack the submodules that stayed.
                for name in names:
                    del sys.modules[name]

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Import as the recorder does inside this block, and as the program did after it."""
        theirs = dict(sys.modules), sys.path, sys.meta_path, sys.path_hooks
        self._install(self._modules, self._path, self._meta_path, self._path_hooks)
        try:
            yield
        finally:
            self._install(*theirs)

    @staticmethod
    def _install(
        modules: dict[str, ModuleType],
        path: list[str],
        meta_path: list[Any],
        path_hooks: list[Any],
    ) -> None:
        sys.path = path
        sys.meta_path = meta_path
        sys.path_hooks = path_hooks
        # The interpreter knows this dictionary by its address.
        sys.modules.clear()
        sys.modules.update(modules)


def _is_in_the_way(top: str, names: list[str]) -> bool:
    """Whether the program may not find the module `top` with the submodules `names`."""
    if top in sys.stdlib_module_names:
        return all(_is_source(name, sys.modules[name]) for name in names)
    return top in names and _is_replaced(top, sys.modules[top])


def _is_replaced(name: str, module: ModuleType) -> bool:
    """Whether the first folder of ``sys.path`` holds another module called `name`."""
    # Not `from`: CPython 3.14 would import warnings, for names of old that this may ask for.
    import importlib.machinery as machinery

    first = sys.path[:1]
    unknown = [entry for entry in first if entry not in sys.path_importer_cache]
    theirs = machinery.PathFinder.find_spec(name, first)
    for entry in unknown:
        # Its listing of the folder would be older than the program.
        sys.path_importer_cache.pop(entry, None)
    if theirs is None or theirs.origin is None:
        return False
    ours = getattr(module, "__spec__", None)
    origin = ours.origin if ours is not None else None
    return origin is None or os.path.realpath(theirs.origin) != os.path.realpath(origin)


def _is_source(name: str, module: ModuleType) -> bool:
    """Whether `module` was read from a source file, or is only a second `name` of something."""
    spec = getattr(module, "__spec__", None)
    return spec is None or spec.name != name or (spec.origin or "").endswith(".py")
