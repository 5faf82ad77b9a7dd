"""The usual chain: the built-in filter, the project's own, and the ones named by the caller."""

from __future__ import annotations

import os

from codetracer_filter.loader import ConfigAggregator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from codetracer_filter.model import TraceFilterConfig

__all__ = [
    "FRAMEWORKS",
    "PROJECT_FILTER",
    "discover_project_filter",
    "load_chain",
    "split_chain",
]

FRAMEWORKS = ("pytest", "unittest")
"""The test frameworks that a built-in filter knows."""

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
    framework: str | None = None,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
) -> TraceFilterConfig:
    """Load the chain for a program that lives in ``program_dir``.

    First comes the built-in default filter, then the one for ``framework`` (one of `FRAMEWORKS`),
    then the project's filter found from ``program_dir`` upwards (None looks for none), then
    ``explicit``, whose texts may each hold several paths separated by ``::``. Last come scope
    selectors of a command line: with any ``only`` nothing else is traced, and what ``skip``
    selects is not traced in any case. Raises `FilterError` with every problem of the chain.
    """
    aggregator = ConfigAggregator()
    aggregator.add_builtin("default")
    if framework is not None:
        aggregator.add_builtin(framework, among=FRAMEWORKS)
    if program_dir is not None:
        project = discover_project_filter(program_dir)
        if project is not None:
            aggregator.add_file(project)
    for entry in explicit:
        for path in split_chain(entry) if isinstance(entry, str) else (entry,):
            aggregator.add_file(path)
    if only or skip:
        aggregator.add_selectors(only, skip)
    return aggregator.finish()
