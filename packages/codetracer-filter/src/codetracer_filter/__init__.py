"""Trace filters: decide from TOML files which code is traced and which values may be kept."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    __version__: str

    from codetracer_filter.discovery import discover_project_filter, load_chain, split_chain
    from codetracer_filter.engine import TraceFilterEngine
    from codetracer_filter.errors import ErrorKind, FilterDiagnostic, FilterError, FilterProblem
    from codetracer_filter.model import (
        ExecDecision,
        ExecDirective,
        FilterMeta,
        FilterSource,
        InlineFilter,
        IoConfig,
        IoStream,
        ScopeRule,
        TraceFilterConfig,
        ValueAction,
        ValueKind,
        ValuePattern,
    )
    from codetracer_filter.redaction import redact
    from codetracer_filter.resolution import ScopeContext, ScopeResolution
    from codetracer_filter.selector import MatchType, Selector, SelectorKind
    from codetracer_filter.summary import FilterSummary, FilterSummaryEntry
    from codetracer_filter.values import ValuePolicy

__all__ = [
    "ErrorKind",
    "ExecDecision",
    "ExecDirective",
    "FilterDiagnostic",
    "FilterError",
    "FilterMeta",
    "FilterProblem",
    "FilterSource",
    "FilterSummary",
    "FilterSummaryEntry",
    "InlineFilter",
    "IoConfig",
    "IoStream",
    "MatchType",
    "ScopeContext",
    "ScopeResolution",
    "ScopeRule",
    "Selector",
    "SelectorKind",
    "TraceFilterConfig",
    "TraceFilterEngine",
    "ValueAction",
    "ValueKind",
    "ValuePattern",
    "ValuePolicy",
    "discover_project_filter",
    "load_chain",
    "redact",
    "split_chain",
]

# A recorder imports this package inside somebody else's program, so each module is loaded
# when one of its names is first used.
_HOME = {
    "ErrorKind": "errors",
    "ExecDecision": "model",
    "ExecDirective": "model",
    "FilterDiagnostic": "errors",
    "FilterError": "errors",
    "FilterMeta": "model",
    "FilterProblem": "errors",
    "FilterSource": "model",
    "FilterSummary": "summary",
    "FilterSummaryEntry": "summary",
    "InlineFilter": "model",
    "IoConfig": "model",
    "IoStream": "model",
    "MatchType": "selector",
    "ScopeContext": "resolution",
    "ScopeResolution": "resolution",
    "ScopeRule": "model",
    "Selector": "selector",
    "SelectorKind": "selector",
    "TraceFilterConfig": "model",
    "TraceFilterEngine": "engine",
    "ValueAction": "model",
    "ValueKind": "model",
    "ValuePattern": "model",
    "ValuePolicy": "values",
    "discover_project_filter": "discovery",
    "load_chain": "discovery",
    "redact": "redaction",
    "split_chain": "discovery",
}


def __getattr__(name: str) -> object:
    """Import the module that defines the public name ``name`` and return the object."""
    if name == "__version__":
        from importlib.metadata import version

        return version("codetracer-filter")
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = __import__(f"{__name__}.{home}", fromlist=[name])
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    """List the public names, whether or not their modules have been loaded."""
    return sorted({*globals(), *__all__})
