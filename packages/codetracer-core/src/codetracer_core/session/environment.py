"""Environment variables of the command line, and those that only look like the recorder's."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DISABLED_VARIABLE", "OUT_DIR_VARIABLE", "misspelt_variables", "unknown_variables"]

DISABLED_VARIABLE = "CODETRACER_PYTHON_RECORDER_DISABLED"
"""When true, programs run without being recorded."""

OUT_DIR_VARIABLE = "CODETRACER_PYTHON_RECORDER_OUT_DIR"
"""Where traces go when no option says so."""

_PREFIX = "CODETRACER_"
_OF_OTHERS = (
    "CODETRACER_LONG_",
    "CODETRACER_MANAGED_UPLOAD_",
    "CODETRACER_NATIVE_",
    "CODETRACER_OMNISCIENT_DB_",
    "CODETRACER_TEST_",
    "CODETRACER_TRACE_FILTER_PERF",
)
"""How those begin that belong to builds, to tests and to other recorders."""
_ALIKE = 0.75


def unknown_variables(environ: Mapping[str, str]) -> dict[str, str | None]:
    """The variables of `environ` that begin like ours and mean nothing.

    The value is the name that was probably meant, None where no name is near.
    """
    candidates = [name for name in environ if name.startswith(_PREFIX)]
    if not candidates:
        return {}
    known = _known_variables()
    unknown = sorted(set(candidates) - known)
    return {name: _nearest(name, known) for name in unknown if not name.startswith(_OF_OTHERS)}


def misspelt_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Those of the unknown variables whose names are near to one of ours, with that."""
    return {name: near for name, near in unknown_variables(environ).items() if near is not None}


def _known_variables() -> set[str]:
    from codetracer_core.session.filters import FILTER_VARIABLE
    from codetracer_core.session.names import PARENT_VARIABLE, TRACE_VARIABLE
    from codetracer_core.session.output import FORMAT_VARIABLE
    from codetracer_policy import VARIABLES

    ours = {TRACE_VARIABLE, PARENT_VARIABLE, FILTER_VARIABLE, FORMAT_VARIABLE}
    ours |= {DISABLED_VARIABLE, OUT_DIR_VARIABLE}
    return ours | {variable.name for variable in VARIABLES}


def _nearest(name: str, known: set[str]) -> str | None:
    from difflib import get_close_matches

    # What all of them begin with makes no two alike.
    rest = {word.removeprefix(_PREFIX): word for word in sorted(known)}
    near = get_close_matches(name.removeprefix(_PREFIX), rest, n=1, cutoff=_ALIKE)
    return rest[near[0]] if near else None
