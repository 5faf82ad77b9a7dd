"""Files as the engine sees them: where each lies, and which rules fit all of its code."""

from __future__ import annotations

import os

from codetracer_filter._files import absolute_name, relative_to
from codetracer_filter._system import is_link, real_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeVar

    from codetracer_filter.model import ScopeRule

    K = TypeVar("K")
    V = TypeVar("V")

__all__ = ["CompiledScopeRule", "FileFacts", "FileTable", "remember"]

_MEMORY_LIMIT = 4_096


def remember(memory: dict[K, V], key: K, value: V) -> None:
    """Keep ``value``; programs that compile text under ever new names must not fill the memory."""
    if len(memory) >= _MEMORY_LIMIT:
        memory.clear()
    memory[key] = value


class CompiledScopeRule:
    """A rule as the engine walks it: its place among the rules of the chain, and its test."""

    __slots__ = ("index", "matches", "rule")

    def __init__(self, index: int, rule: ScopeRule) -> None:
        self.index = index
        self.rule = rule
        self.matches = rule.selector.matches


class FileFacts:
    """What is the same for all code of a file."""

    __slots__ = ("matched", "path", "relative")

    def __init__(self, path: str, relative: str | None, matched: list[CompiledScopeRule]) -> None:
        self.path = path
        self.relative = relative
        self.matched = matched


class FileTable:
    """Answers, once for each file name, where the file lies and which ``file`` rules fit it."""

    def __init__(
        self,
        rules: Iterable[CompiledScopeRule],
        roots: Iterable[str | None],
        directory: str,
    ) -> None:
        """``rules`` are the ``file`` rules of a chain and ``roots`` those of its sources.

        Relative file names start at ``directory``.
        """
        self._rules = tuple(rules)
        # The innermost root first: it names modules, and most files lie in it.
        known = {root for root in roots if root is not None}
        self._roots = tuple(sorted(known, key=len, reverse=True))
        self._directory = directory
        self._facts: dict[str, FileFacts] = {}
        self._real_folders: dict[str, str] = {}

    def facts(self, filename: str) -> FileFacts:
        """What is known of the file called ``filename`` by its code."""
        facts = self._facts.get(filename)
        if facts is None:
            facts = self._look_at(filename)
            remember(self._facts, filename, facts)
        return facts

    def _look_at(self, filename: str) -> FileFacts:
        path = absolute_name(filename, self._directory)
        below = self._below_roots(path)
        matched = []
        for compiled in self._rules:
            selector = compiled.rule.selector
            if selector.matches_path(path, below.get(selector.root)):
                matched.append(compiled)
        closest = next((below[root] for root in self._roots if root in below), None)
        return FileFacts(path, closest, matched)

    def _below_roots(self, path: str) -> dict[str | None, str]:
        """The path relative to each root that holds it.

        Roots are free of symbolic links; a path that goes through one is tried as it is first.
        """
        if not self._roots or path.startswith("<"):
            return {}
        below: dict[str | None, str] = {}
        real: str | None = None
        for root in self._roots:
            relative = relative_to(path, root)
            if relative is None:
                real = real or self._real_path(path)
                relative = relative_to(real, root)
            if relative is not None:
                below[root] = relative
        return below

    def _real_path(self, path: str) -> str:
        """``path`` free of symbolic links; what folders are is remembered."""
        if is_link(path):
            return real_path(path)
        folder, name = os.path.split(path)
        real = self._real_folders.get(folder)
        if real is None:
            real = real_path(folder)
            remember(self._real_folders, folder, real)
        return f"{real.rstrip('/')}/{name}"
