"""How the trace of a session comes out: in which form, when, and with or without its journal."""

from __future__ import annotations

from codetracer_core.errors import UsageError
from codetracer_core.session.errors import InvalidTypeError, UnsupportedFormatError

__all__ = ["FORMAT_CT", "FORMAT_JSON", "FORMAT_VARIABLE", "OutputOptions", "parse_format"]

FORMAT_CT = "ct"
FORMAT_JSON = "json"
FORMAT_VARIABLE = "CODETRACER_FORMAT"

_MATERIALISE = ("now", "later")
# What callers of the reference implementation say for its binary forms.
_ALIASES = dict.fromkeys(
    ("ct", "ctfs", "binary", "bin", "binaryv0", "binary_v0", "b0"), FORMAT_CT
) | {"json": FORMAT_JSON}


class OutputOptions:
    """How the trace of a session comes out.

    ``format`` is ``"ct"``, one container, or ``"json"``, one array of events. With ``materialise``
    ``"later"`` stopping only seals the journal, and the first command that needs the trace makes
    it. ``keep_journal`` false removes the journal once the trace is made from it.

    Raises UsageError for another value, and for options that contradict each other.
    """

    __slots__ = ("format", "keep_journal", "materialise")

    def __init__(
        self,
        *,
        format: str = FORMAT_CT,  # noqa: A002 - the name that callers know
        materialise: str = "now",
        keep_journal: bool = True,
    ) -> None:
        self.format = parse_format(format)
        if materialise not in _MATERIALISE:
            raise _misuse(f"materialise is {materialise!r}: use one of {', '.join(_MATERIALISE)}")
        if materialise == "later" and self.format == FORMAT_JSON:
            raise _misuse("a trace in JSON is made at once: leave out materialise later")
        if materialise == "later" and not keep_journal:
            raise _misuse("a trace that is made later needs its journal: keep it")
        self.materialise = materialise
        self.keep_journal = keep_journal


def parse_format(text: object) -> str:
    """The format that `text` names in any case, one of ``"ct"`` and ``"json"``.

    Raises UnsupportedFormatError, a ValueError, and InvalidTypeError for what is no text.
    """
    if not isinstance(text, str):
        raise InvalidTypeError(
            "ERR_INVALID_ARGUMENT", f"a format is named by a text, not by a {type(text).__name__}"
        )
    known = _ALIASES.get(text.strip().lower())
    if known is None:
        raise UnsupportedFormatError(text, tuple(_ALIASES))
    return known


def _misuse(message: str) -> UsageError:
    return UsageError("ERR_INVALID_ARGUMENT", message)
