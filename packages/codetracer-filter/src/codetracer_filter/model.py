"""The data of a filter chain: decisions, rules, sources and the configuration they add up to."""

from __future__ import annotations

import sys
from enum import StrEnum

from codetracer_filter._records import field, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    import hashlib
    from collections.abc import Iterable
    from os import PathLike

    from codetracer_filter.errors import FilterDiagnostic
    from codetracer_filter.selector import Selector
    from codetracer_filter.summary import FilterSummary

__all__ = [
    "ExecDecision",
    "ExecDirective",
    "FilterMeta",
    "FilterSource",
    "InlineFilter",
    "IoConfig",
    "IoStream",
    "ScopeRule",
    "TraceFilterConfig",
    "ValueAction",
    "ValueKind",
    "ValuePattern",
]


class ExecDirective(StrEnum):
    """What a rule says about running code; ``INHERIT`` leaves the decision as it was."""

    INHERIT = "inherit"
    TRACE = "trace"
    SKIP = "skip"


class ExecDecision(StrEnum):
    """What becomes of a scope: its events are recorded, or it is left alone."""

    TRACE = "trace"
    SKIP = "skip"


class ValueAction(StrEnum):
    """What becomes of a value: kept, replaced by a marker, or left out with its name."""

    ALLOW = "allow"
    REDACT = "redact"
    DROP = "drop"

    @property
    def strictness(self) -> int:
        """0 for allow, 1 for redact, 2 for drop: of two answers the larger one protects more."""
        return _STRICTNESS[self]


_SHA2 = "_sha2" if sys.version_info >= (3, 12) else "_sha256"
"""The module behind ``hashlib``, which would load OpenSSL."""

_STRICTNESS = {ValueAction.ALLOW: 0, ValueAction.REDACT: 1, ValueAction.DROP: 2}


class ValueKind(StrEnum):
    """Where a value was met. The texts are the selector kinds of the filter files."""

    LOCAL = "local"
    GLOBAL = "global"
    ARG = "arg"
    RETURN = "ret"
    ATTR = "attr"


class IoStream(StrEnum):
    """A stream that ``[io]`` may name."""

    STDOUT = "stdout"
    STDERR = "stderr"
    STDIN = "stdin"
    FILES = "files"


@record(frozen=True, slots=True)
class FilterMeta:
    """The ``[meta]`` table of a source."""

    name: str
    version: int
    description: str | None = None
    labels: tuple[str, ...] = ()


@record(frozen=True, slots=True)
class IoConfig:
    """The ``[io]`` table: whether output is captured, and of which streams."""

    capture: bool
    streams: tuple[IoStream, ...] = ()


@record(frozen=True, slots=True)
class ValuePattern:
    """One entry of ``value_patterns``: names that ``selector`` matches get ``action``.

    ``line`` is None only for patterns that were not read from text.
    """

    selector: Selector
    action: ValueAction
    reason: str | None = None
    line: int | None = None


@record(frozen=True, slots=True)
class ScopeRule:
    """One entry of ``scope.rules``, with the place it was written at.

    ``path`` is the source's path or inline label, ``index`` the zero-based position among the
    rules of that source and ``line`` its line there, counted from 1.
    """

    selector: Selector
    exec: ExecDirective
    value_default: ValueAction | None
    value_patterns: tuple[ValuePattern, ...]
    reason: str | None
    path: str
    index: int
    line: int | None

    def __str__(self) -> str:
        from codetracer_filter._messages import excerpt

        place = self.path if self.line is None else f"{self.path}:{self.line}"
        reason = f" ({excerpt(self.reason)})" if self.reason else ""
        return f"{place}: {excerpt(self.selector.text)}{reason}"


@record(frozen=True, slots=True)
class FilterSource:
    """One file or inline text of a chain.

    ``path`` is the absolute path of a file or ``<inline:LABEL>``. ``root`` is the absolute
    directory its relative ``file`` selectors start from, None for an inline source. ``data``
    is the text as it was read, for the digest. ``default_exec`` and ``default_value_action``
    are None where the source says ``inherit``.
    """

    path: str
    root: str | None
    data: bytes = field(repr=False)
    meta: FilterMeta
    default_exec: ExecDecision | None
    default_value_action: ValueAction | None
    io: IoConfig | None
    rules: tuple[ScopeRule, ...] = field(repr=False)

    @property
    def sha256(self) -> str:
        """The digest of ``data`` in lower-case hexadecimal."""
        try:
            digest: hashlib._Hash = __import__(_SHA2).sha256(self.data)
        except ImportError:
            from hashlib import sha256

            digest = sha256(self.data)
        return digest.hexdigest()


@record(frozen=True, slots=True)
class InlineFilter:
    """A filter given as text; its path in messages and summaries is ``<inline:LABEL>``."""

    label: str
    text: str


@record(frozen=True, slots=True)
class TraceFilterConfig:
    """A resolved chain: the sources in order, and what their defaults and rules add up to."""

    sources: tuple[FilterSource, ...]
    default_exec: ExecDecision
    default_value_action: ValueAction
    io: IoConfig | None
    rules: tuple[ScopeRule, ...] = field(repr=False)
    diagnostics: tuple[FilterDiagnostic, ...] = ()

    @classmethod
    def from_paths(
        cls,
        paths: Iterable[str | PathLike[str]],
        *,
        inline: Iterable[InlineFilter | tuple[str, str]] = (),
    ) -> TraceFilterConfig:
        """Load a chain: first the ``inline`` sources, then the files, in the order given.

        Raises `FilterError` with every problem of every source when the chain cannot be used.
        """
        from codetracer_filter.loader import load_config

        return load_config(paths, inline)

    @classmethod
    def builtin(cls) -> TraceFilterConfig:
        """Load the built-in default filter alone."""
        from codetracer_filter.loader import builtin_filter, load_config

        return load_config((), (builtin_filter("default"),))

    def summary(self) -> FilterSummary:
        """Name, version, path and SHA-256 of each source, in chain order."""
        from codetracer_filter.summary import summarise

        return summarise(self.sources)
