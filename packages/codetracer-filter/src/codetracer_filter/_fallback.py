"""What to write in place of a regular expression that is refused."""

from __future__ import annotations

import re

from codetracer_filter._messages import display

__all__ = ["fallback_for_regex"]

_LONGEST = 100
_TOKEN = re.compile(
    r"(?P<set>\\[pP](?:\{[^}]*\}|.)|\[\^?\]?(?:\[:\w+:\]|\\.|[^\]\\])*\]?)"
    r"|\\(?P<escaped>.)"
    r"|(?P<repeat>[*+?]|\{\d*,?\d*\})"
    r"|(?P<plain>.)",
    re.DOTALL,
)
_FLAGS = re.compile(r"\(\?[a-zA-Z]")


def fallback_for_regex(kind: str, pattern: str) -> str:
    """Phrase what to use in place of ``pattern``: a glob that fits at least the same, if any."""
    glob = _glob(pattern)
    if glob is None or len(glob) > _LONGEST or not glob.isprintable():
        return "use glob, literal or word selectors in its place"
    return f"use a glob in its place, such as {display(f'{kind}:glob:{glob}')}"


def _glob(pattern: str) -> str | None:
    """A glob with the literal stretches of ``pattern``, and ``*`` for all else.

    None when it has flags, alternatives outside groups, or no literal stretch.
    """
    if _FLAGS.match(pattern):
        return None
    stretches: list[list[str]] = [[]]
    depth = 0
    ends = False
    for token in _TOKEN.finditer(pattern):
        plain, escaped = token["plain"], token["escaped"]
        ends = not depth and (plain == "$" or escaped in ("z", "Z"))
        if plain == "(":
            depth += 1
            stretches.append([])
        elif plain == ")":
            depth = max(depth - 1, 0)
        elif depth or plain in ("^", "$") or escaped in ("A", "z", "Z", "b", "B"):
            continue
        elif plain == "|":
            return None
        elif token["repeat"] is not None:
            # What is repeated is the last character, or a group or set that is left out already.
            del stretches[-1][-1:]
            stretches.append([])
        elif token["set"] is not None or plain == "." or (escaped and escaped.isalnum()):
            stretches.append([])
        else:
            char = plain or escaped
            stretches[-1].append(f"\\{char}" if char in "*?[]{},\\" else char)
    literal = ["".join(stretch) for stretch in stretches]
    if not any(literal):
        return None
    starts = pattern.startswith(("^", r"\A")) and bool(literal[0])
    ends = ends and bool(literal[-1])
    inner = "*".join(stretch for stretch in literal if stretch)
    return ("" if starts else "*") + inner + ("" if ends else "*")
