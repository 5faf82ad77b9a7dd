"""Codes of problems, and how their messages quote and suggest.

What reads filters needs these; the classes of errors are loaded when something is wrong.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "ERR_FILTER_INHERIT",
    "ERR_FILTER_INVALID",
    "ERR_FILTER_NOT_FOUND",
    "ERR_FILTER_PATTERN",
    "ERR_FILTER_SCHEMA",
    "ERR_FILTER_SELECTOR",
    "ERR_FILTER_SYNTAX",
    "ERR_FILTER_UNREADABLE",
    "ERR_FILTER_VALUE",
    "ERR_FILTER_VERSION",
    "WARN_FILTER_REGEX",
    "WARN_FILTER_REPEATED",
    "display",
    "excerpt",
    "nearest",
]

ERR_FILTER_INHERIT = "ERR_FILTER_INHERIT"
ERR_FILTER_INVALID = "ERR_FILTER_INVALID"
ERR_FILTER_NOT_FOUND = "ERR_FILTER_NOT_FOUND"
ERR_FILTER_PATTERN = "ERR_FILTER_PATTERN"
ERR_FILTER_SCHEMA = "ERR_FILTER_SCHEMA"
ERR_FILTER_SELECTOR = "ERR_FILTER_SELECTOR"
ERR_FILTER_SYNTAX = "ERR_FILTER_SYNTAX"
ERR_FILTER_UNREADABLE = "ERR_FILTER_UNREADABLE"
ERR_FILTER_VALUE = "ERR_FILTER_VALUE"
ERR_FILTER_VERSION = "ERR_FILTER_VERSION"
WARN_FILTER_REGEX = "WARN_FILTER_REGEX"
WARN_FILTER_REPEATED = "WARN_FILTER_REPEATED"

_DISPLAY_LIMIT = 120


def display(text: str) -> str:
    """Quote ``text`` for a message: control characters escaped, cut after 120 characters."""
    return f"'{_tame(text)}'"


def excerpt(text: str) -> str:
    """``text`` in one line without quotes: blanks and line ends made one space, cut and escaped."""
    return _tame(" ".join(text.split()))


def _tame(text: str) -> str:
    shown = text if len(text) <= _DISPLAY_LIMIT else text[:_DISPLAY_LIMIT] + "…"
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in shown
    )


def nearest(word: str, choices: Sequence[str]) -> str:
    """Phrase the remedy for ``word``: the closest of ``choices`` if any, and all of them."""
    from difflib import get_close_matches

    close = get_close_matches(word, choices, n=1, cutoff=0.6)
    listed = ", ".join(choices)
    return f"did you mean '{close[0]}'? (one of {listed})" if close else f"use one of {listed}"
