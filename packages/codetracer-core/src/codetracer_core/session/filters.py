"""The filters of a session: built-in, the project's, the environment's and the caller's."""

from __future__ import annotations

import os

from codetracer_core.errors import UsageError
from codetracer_core.session.errors import InvalidValueError, as_recorder_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TypeAlias

    from codetracer_filter import TraceFilterConfig

    FilterArgument: TypeAlias = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None

__all__ = [
    "FILTER_VARIABLE",
    "explicit_filters",
    "filter_entries",
    "load_filters",
    "program_directory",
]

FILTER_VARIABLE = "CODETRACER_TRACE_FILTER"


class FilterTypeError(UsageError, TypeError):
    """A filter was given as something that is no path."""


def explicit_filters(
    given: FilterArgument, environ: Mapping[str, str] | None = None
) -> list[str | os.PathLike[str]]:
    """The filters named by `environ`, when there is one, and then those `given`.

    Raises FilterTypeError, a TypeError, for what is neither text nor path, and InvalidValueError, a
    ValueError, for a text that names nothing.
    """
    chain: list[str | os.PathLike[str]] = []
    if environ is not None and environ.get(FILTER_VARIABLE):
        chain.append(environ[FILTER_VARIABLE])
    if given is None:
        return chain
    single = isinstance(given, str | os.PathLike) or not hasattr(given, "__iter__")
    parts: Iterable[object] = (given,) if single else given  # type: ignore[assignment]
    for part in parts:
        if not isinstance(part, str | os.PathLike):
            raise FilterTypeError(
                "ERR_INVALID_ARGUMENT",
                f"a trace filter is named by its path, not by a {type(part).__name__}",
            )
        if isinstance(part, str) and not part.replace("::", "").strip():
            raise InvalidValueError(
                "ERR_INVALID_ARGUMENT", f"the text {part!r} names no trace filter: give a path"
            )
        chain.append(part)
    return chain


def program_directory(program: str) -> str:
    """The folder that the search for a project's filter starts from, for ``sys.argv[0]`` `program`.

    Code without a file (``-c``, ``-m``, standard input) belongs to the working directory.
    """
    if program.strip() in ("", "-", "-c", "-m"):
        return os.getcwd()
    path = os.path.abspath(program)
    return path if os.path.isdir(path) else os.path.dirname(path)


def load_filters(
    explicit: Sequence[str | os.PathLike[str]],
    directory: str | None,
    *,
    framework: str | None = None,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
) -> TraceFilterConfig:
    """Load the whole chain for a program that lives in `directory` (None: no project's filter).

    `framework` is ``"pytest"`` or ``"unittest"`` for a chain with its filter; `only` and `skip` are
    scope selectors, which come last. Raises RecorderError with everything that is wrong.
    """
    import codetracer_filter

    try:
        return codetracer_filter.load_chain(
            explicit, program_dir=directory, framework=framework, only=only, skip=skip
        )
    except codetracer_filter.FilterError as error:  # loaded only when there is an exception
        raise as_recorder_error(error) from error


def filter_entries(config: TraceFilterConfig) -> list[dict[str, object]]:
    """The chain as the trace's metadata lists it."""
    return [
        {
            "name": source.meta.name,
            "version": source.meta.version,
            "path": source.path,
            "sha256": source.sha256,
        }
        for source in config.sources
    ]
