"""Globs: brace alternatives, and the translation of globs over dotted names."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PatternError", "expand_braces", "name_glob_matcher", "set_classes_aside"]

_MAX_ALTERNATIVES = 1_000
_PLAIN = re.compile(r"[^\\\[\]{},]+")


class PatternError(ValueError):
    """A pattern that cannot be used: what is wrong with it, and what to write instead."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def expand_braces(pattern: str) -> list[str]:
    """Write out ``{a,b}`` groups, nested ones too; empty alternatives are left out.

    A backslash and a character class keep their braces. Raises `PatternError` for a brace
    without its partner and for more alternatives than are sensible.
    """
    results, end = _sequence(pattern, 0, nested=False)
    if end < len(pattern):
        raise PatternError("a '}' has no '{' before it", "write '\\}' for a brace in a name")
    return results


def _sequence(pattern: str, at: int, *, nested: bool) -> tuple[list[str], int]:
    """Expand from ``at`` to the end, or inside a group to the next comma or closing brace."""
    results = [""]
    while at < len(pattern):
        char = pattern[at]
        if char == "}" or (char == "," and nested):
            break
        if char == "{":
            choices, at = _group(pattern, at)
            results = [head + tail for head in results for tail in choices]
            if len(results) > _MAX_ALTERNATIVES:
                raise PatternError(
                    f"the braces stand for more than {_MAX_ALTERNATIVES} patterns",
                    "use fewer alternatives or several rules",
                )
            continue
        plain = _PLAIN.match(pattern, at)
        end = _token_end(pattern, at) if plain is None else plain.end()
        results = [head + pattern[at:end] for head in results]
        at = end
    return results, at


def _group(pattern: str, at: int) -> tuple[list[str], int]:
    """Expand the group that opens at ``at``; return its alternatives and the offset behind it."""
    opened = at
    choices: list[str] = []
    while at < len(pattern):
        found, at = _sequence(pattern, at + 1, nested=True)
        choices.extend(choice for choice in found if choice)
        if at < len(pattern) and pattern[at] == "}":
            return choices or [""], at + 1
    raise PatternError(
        f"the '{{' at character {opened + 1} is never closed", "close it with '}' or write '\\{'"
    )


def _token_end(pattern: str, at: int) -> int:
    """The offset behind the escape, character class or single character at ``at``."""
    if pattern[at] == "\\":
        if at + 1 == len(pattern):
            raise PatternError("the pattern ends in a lone backslash", "write '\\\\' for one")
        return at + 2
    if pattern[at] != "[":
        return at + 1
    start = at + 1
    if pattern[start : start + 1] in ("!", "^"):
        start += 1
    end = pattern.find("]", start + 1)
    if end < 0:
        raise PatternError(
            f"the '[' at character {at + 1} is never closed", "close it with ']' or write '\\['"
        )
    return end + 1


def _class_regex(token: str) -> str:
    """Translate a character class such as ``[!a-z]`` to its regular expression."""
    body = token[1:-1]
    negated = body[:1] in ("!", "^")
    if negated:
        body = body[1:]
    parts = []
    at = 0
    while at < len(body):
        first = body[at]
        if at + 2 < len(body) and body[at + 1] == "-":
            last = body[at + 2]
            if last < first:
                raise PatternError(
                    f"the range '{first}-{last}' runs backwards", f"write '{last}-{first}'"
                )
            parts.append(f"{re.escape(first)}-{re.escape(last)}")
            at += 3
        else:
            parts.append(re.escape(first))
            at += 1
    return f"[{'^' if negated else ''}{''.join(parts)}]"


def set_classes_aside(pattern: str) -> tuple[str, dict[str, str]]:
    """Put a placeholder for each character class of a brace-free glob.

    Returns the pattern, and the regular expression of the class for each placeholder: a character
    that the pattern does not hold. Raises `PatternError` for an unclosed class or a reversed range.
    """
    classes: dict[str, str] = {}
    unused = (char for char in map(chr, range(0xE000, 0xF8FF)) if char not in pattern)
    parts = []
    at = 0
    while at < len(pattern):
        end = _token_end(pattern, at)
        part = pattern[at:end]
        if part[0] == "[":
            expression = _class_regex(part)
            part = next(unused, "")
            if not part:
                raise PatternError("it has thousands of classes", "use fewer or several rules")
            classes[part] = expression
        parts.append(part)
        at = end
    return "".join(parts), classes


def _name_regex(pattern: str) -> str:
    """Translate a brace-free glob over names, in which ``*`` also crosses dots."""
    fixed = [""]
    at = 0
    while at < len(pattern):
        end = _token_end(pattern, at)
        char = pattern[at]
        if char == "*":
            fixed.append("")
        elif char == "?":
            fixed[-1] += "."
        elif char == "[":
            fixed[-1] += _class_regex(pattern[at:end])
        else:
            fixed[-1] += re.escape(pattern[end - 1])
        at = end
    if len(fixed) == 1:
        return fixed[0]
    # Each stretch between stars has a fixed length, so its first occurrence is as good as any
    # other: the atomic group keeps the engine from trying the rest, which could take for ever.
    first, *middle, last = fixed
    inner = "".join(f"(?>.*?{stretch})" for stretch in middle if stretch)
    return f"{first}{inner}.*{last}"


def name_glob_matcher(pattern: str) -> Callable[[str], bool]:
    """Make a test for whole names; raises `PatternError` for a malformed glob."""
    regex = "|".join(_name_regex(choice) for choice in expand_braces(pattern))
    fullmatch = re.compile(regex, re.DOTALL).fullmatch

    def matches(name: str) -> bool:
        return fullmatch(name) is not None

    return matches
