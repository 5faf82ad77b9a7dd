"""Regular expressions in the subset that RE2 and Python share, refused when they can explode."""

from __future__ import annotations

import re

from codetracer_filter._globs import PatternError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MAX_CANDIDATE", "regex_matcher"]

MAX_CANDIDATE = 1_024
"""Characters of a candidate that a regex looks at; the rest is ignored."""

_ESCAPES = frozenset("AbBdDsSwWaftnrvxuUz")
_CODE_POINT = re.compile(r"\\[xuU]\{([0-9A-Fa-f]{1,6})\}")
_FLAGS = re.compile(r"\(\?([a-zA-Z]*)(-[a-zA-Z]*)?([:)])")
_LOOP_SIGNS = (")*", ")+", "){", "++", "*+", "?+", "}+")
"""Without one of these no group is repeated, nor is a repeat possessive; blanks may part them in a
verbose pattern."""

_MARKED_GROUPS = (
    ("(?=", "look-around", "match the wanted text itself, or use two rules"),
    ("(?!", "look-around", "write a later rule for the exceptions"),
    ("(?<=", "look-around", "match the wanted text itself, or use two rules"),
    ("(?<!", "look-around", "write a later rule for the exceptions"),
    ("(?>", "an atomic group", "write a plain group '(?:...)'"),
    ("(?(", "a conditional group", "write the alternatives with '|'"),
    ("(?P=", "a back-reference", "write the repeated text out"),
    ("(?P>", "a recursive group", "write the text out"),
    ("(?#", "a comment group", "put the comment into the file, after '#'"),
)


def regex_matcher(pattern: str) -> Callable[[str], bool]:
    """Make a test whether ``pattern`` is found anywhere in a text.

    Raises `PatternError` for a pattern outside the shared subset, a malformed one, and one
    whose running time can grow exponentially with the text.
    """
    translation = _Translation(pattern)
    translated = translation.run()
    try:
        if translation.is_verbose or any(sign in translated for sign in _LOOP_SIGNS):
            from codetracer_filter._explosion import check_explosion

            check_explosion(translated)
        search = re.compile(translated).search
    except re.error as error:
        place = "" if error.pos is None else f" at character {error.pos + 1}"
        raise PatternError(f"{error.msg}{place}", "correct the regular expression") from None
    except (RecursionError, OverflowError):
        raise PatternError("it is nested too deeply or too large", "write it simpler") from None

    def matches(text: str) -> bool:
        return search(text[:MAX_CANDIDATE]) is not None

    return matches


class _Translation:
    """One pass over a pattern: refuse what is not shared, respell what Python spells otherwise."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._out: list[str] = []
        self._multi_line = False
        self.is_verbose = False
        """Whether blanks and comments in the pattern are left out."""

    def run(self) -> str:
        """Return the pattern for `re`; raises `PatternError`."""
        pattern = self._pattern
        while self._at < len(pattern):
            char = pattern[self._at]
            if char == "\\":
                self._escape()
            elif char == "[":
                self._class()
            elif pattern.startswith("(?", self._at):
                self._marked_group()
            elif char == "#" and self.is_verbose:
                end = pattern.find("\n", self._at)
                self._at = len(pattern) if end < 0 else end
            else:
                # Python's plain `$` also matches before a final newline.
                self._copy(1, r"\Z" if char == "$" and not self._multi_line else char)
        return "".join(self._out)

    def _copy(self, length: int, text: str) -> None:
        self._out.append(text)
        self._at += length

    def _escape(self) -> None:
        pattern, at = self._pattern, self._at
        following = pattern[at + 1 : at + 2]
        if not following:
            raise PatternError("the pattern ends in a lone backslash", r"write '\\' for one")
        code_point = _CODE_POINT.match(pattern, at)
        if code_point is not None:
            number = int(code_point.group(1), 16)
            if number > 0x10FFFF:
                raise PatternError("a code point is too large", "use at most 10FFFF")
            self._copy(len(code_point.group()), re.escape(chr(number)))
        elif following == "z":
            self._copy(2, r"\Z")
        elif following in "pP":
            raise PatternError(
                "Unicode properties are not supported", r"use '\w', '\d' or a range such as [a-z]"
            )
        elif following in "0123456789":
            raise PatternError("back-references are not supported", "write the repeated text out")
        elif following.isascii() and following.isalpha() and following not in _ESCAPES:
            remedy = r"write '\z' for the end of the text" if following == "Z" else "remove it"
            raise PatternError(f"the escape '\\{following}' is not supported", remedy)
        else:
            self._copy(2, "\\" + following)

    def _class(self) -> None:
        pattern = self._pattern
        opened = self._at
        self._copy(1, "[")
        if pattern.startswith("^", self._at):
            self._copy(1, "^")
        if pattern.startswith("]", self._at):
            self._copy(1, r"\]")
        while self._at < len(pattern):
            char = pattern[self._at]
            if char == "]":
                self._copy(1, "]")
                return
            if char == "\\":
                self._escape()
            elif char == "[":
                raise PatternError(
                    "classes inside a class are not supported",
                    r"write '\[' for a bracket, 'a-z' for [:lower:], '\d' for [:digit:]",
                )
            elif pattern[self._at : self._at + 2] in ("&&", "--", "~~"):
                raise PatternError("set operations are not supported", "list the characters")
            elif char == "|":
                self._copy(1, r"\|")  # Python warns of two in a row
            else:
                self._copy(1, char)
        raise PatternError(
            f"the '[' at character {opened + 1} is never closed", r"close it with ']' or write '\['"
        )

    def _marked_group(self) -> None:
        pattern, at = self._pattern, self._at
        for marker, name, remedy in _MARKED_GROUPS:
            if pattern.startswith(marker, at):
                raise PatternError(f"{name} ('{marker}') is not supported", remedy)
        if pattern.startswith("(?<", at):
            self._copy(3, "(?P<")
            return
        if pattern.startswith("(?P<", at):
            self._copy(4, "(?P<")
            return
        flags = _FLAGS.match(pattern, at)
        if flags is None:
            raise PatternError(f"an unknown group at character {at + 1}", "write '(?:...)'")
        switched_on, switched_off, end = flags.groups()
        unknown = set(switched_on + (switched_off or "")[1:]) - set("imsx")
        if unknown:
            raise PatternError(
                f"the flag '{min(unknown)}' is not supported", "use only the flags i, m, s and x"
            )
        if end == ")" and (self._out or switched_off):
            raise PatternError(
                "flags in the middle of a pattern are not supported",
                "put them first, or around a part as in '(?i:part)'",
            )
        self._multi_line |= "m" in switched_on
        self.is_verbose |= "x" in switched_on
        self._copy(len(flags.group()), flags.group())
