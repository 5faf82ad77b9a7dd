"""Which filters were in force: name, version, path and digest of each source of a chain."""

from __future__ import annotations

from codetracer_filter._records import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from codetracer_filter.model import FilterSource

__all__ = ["FilterSummary", "FilterSummaryEntry", "summarise"]


@record(frozen=True, slots=True)
class FilterSummaryEntry:
    """One source; ``sha256`` is the lower-case hexadecimal digest of the bytes that were read."""

    name: str
    version: int
    path: str
    sha256: str


@record(frozen=True, slots=True)
class FilterSummary:
    """The sources of a chain in the order they apply."""

    entries: tuple[FilterSummaryEntry, ...]


def summarise(sources: Iterable[FilterSource]) -> FilterSummary:
    """Describe ``sources`` for a trace's metadata."""
    return FilterSummary(
        tuple(
            FilterSummaryEntry(
                name=source.meta.name,
                version=source.meta.version,
                path=source.path,
                sha256=source.sha256,
            )
            for source in sources
        )
    )
