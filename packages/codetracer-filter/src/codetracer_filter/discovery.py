"""The usual chain: the built-in filter, the project's own, and the ones named by the caller."""

from __future__ import annotations

import os

from codetracer_filter.loader import builtin_filter, load_config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from codetracer_filter.model import TraceFilterConfig

__all__ = ["PROJECT_FILTER", "discover_project_filter", "load_chain", "split_chain"]

PROJECT_FILTER = os.path.join(".codetracer", "trace-filter.toml")


def discover_project_filter(directory: str | os.PathLike[str]) -> str | None:
    """The nearest ``.codetracer/trace-filter.toml`` in ``directory`` or above it, or None.

    A directory of that name is passed over.
    """
    current = os.path.realpath(directory)
    while True:
        candidate = os.path.join(current, PROJECT_FILTER)
        if os.path.isfile(candidate):
            return candidate
        parent = os.path.dirname(current)
        if parent == current:
            return None
        current = parent


def split_chain(text: str) -> list[str]:
    """Split ``a.toml::b.toml`` into its paths; blanks around them and empty parts are dropped."""
    return [part for part in (piece.strip() for piece in text.split("::")) if part]


def load_chain(
    explicit: Sequence[str | os.PathLike[str]] = (),
    *,
    program_dir: str | os.PathLike[str] | None,
) -> TraceFilterConfig:
    """Load the chain for a program that lives in ``program_dir``.

    First comes the built-in default filter, then the project's filter found from
    ``program_dir`` upwards (None looks for none), then ``explicit``, whose texts may each hold
    several paths separated by ``::``. Raises `FilterError` with every problem of the chain.
    """
    paths: list[str] = []
    if program_dir is not None:
        project = discover_project_filter(program_dir)
        if project is not None:
            paths.append(project)
    for entry in explicit:
        paths.extend(split_chain(entry) if isinstance(entry, str) else [os.fspath(entry)])
    return load_config(paths, (builtin_filter("default"),))
