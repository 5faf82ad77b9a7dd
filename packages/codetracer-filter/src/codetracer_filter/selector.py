"""Selectors: ``kind:match:pattern``, what they look at and whether a name fits."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from codetracer_filter._globs import PatternError, expand_braces, name_glob_matcher
from codetracer_filter._messages import ERR_FILTER_PATTERN, ERR_FILTER_SELECTOR, display, nearest
from codetracer_filter._records import field, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codetracer_filter._files import PathTest

__all__ = [
    "SCOPE_KINDS",
    "VALUE_KINDS",
    "MatchType",
    "Selector",
    "SelectorError",
    "SelectorKind",
    "parse_selector",
]


class SelectorKind(StrEnum):
    """What a selector looks at: a scope (module, file, object) or the name of a value."""

    PKG = "pkg"
    FILE = "file"
    OBJ = "obj"
    LOCAL = "local"
    GLOBAL = "global"
    ARG = "arg"
    RET = "ret"
    ATTR = "attr"


class MatchType(StrEnum):
    """How a pattern is compared."""

    GLOB = "glob"
    REGEX = "regex"
    LITERAL = "literal"
    WORD = "word"


SCOPE_KINDS = (SelectorKind.PKG, SelectorKind.FILE, SelectorKind.OBJ)
VALUE_KINDS = (
    SelectorKind.LOCAL,
    SelectorKind.GLOBAL,
    SelectorKind.ARG,
    SelectorKind.RET,
    SelectorKind.ATTR,
)


class SelectorError(ValueError):
    """A selector text that cannot be used: a code, what is wrong, and what to write instead.

    ``refused_regex`` is the pattern when it is a regular expression that is refused.
    """

    def __init__(
        self, code: str, message: str, remedy: str, refused_regex: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = remedy
        self.refused_regex = refused_regex


@record(frozen=True, slots=True)
class Selector:
    """One compiled selector. Two selectors are equal when they were written alike.

    ``root`` is the directory that a ``file`` selector's relative pattern starts from.
    """

    text: str
    kind: SelectorKind
    match_type: MatchType
    pattern: str
    root: str | None = None
    _name_test: Callable[[str], bool] | None = field(default=None, repr=False, compare=False)
    _path_test: PathTest | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        return self.text

    def matches(self, name: str) -> bool:
        """Whether ``name`` fits: a module, an object or the name of a value, by ``kind``.

        A ``file`` selector takes ``name`` as an absolute path; see `matches_path`.
        """
        if self._name_test is None:
            return self.matches_path(name, None)
        return self._name_test(name)

    def matches_path(self, path: str, relative: str | None) -> bool:
        """Whether an absolute path fits a ``file`` selector.

        ``relative`` is the same path seen from ``root``, or None when it is not below it.
        """
        return self._path_test is not None and self._path_test(path, relative)


def parse_selector(text: str, kinds: tuple[SelectorKind, ...], root: str | None = None) -> Selector:
    """Parse and compile ``text``; raises `SelectorError` when it cannot be one of ``kinds``."""
    kind_text, colon, rest = text.partition(":")
    if not colon:
        raise SelectorError(
            ERR_FILTER_SELECTOR,
            "the selector is empty" if not text else f"the selector {display(text)} has no ':'",
            f"write 'kind:pattern', for example '{kinds[0]}:{text or 'name'}'",
        )
    if kind_text not in kinds:
        raise SelectorError(ERR_FILTER_SELECTOR, *_wrong_kind(kind_text, text, kinds))
    kind = SelectorKind(kind_text)
    match_text, colon, pattern = rest.partition(":")
    match_type = MatchType.GLOB
    if colon:
        match_type = _match_type(match_text, kind, rest)
    else:
        pattern = rest
    if not pattern:
        raise SelectorError(
            ERR_FILTER_SELECTOR,
            f"the selector {display(text)} has an empty pattern",
            f"write what to look for, or '{kind}:*' for everything",
        )
    try:
        if kind is SelectorKind.FILE:
            path_test = _path_test(match_type, pattern, root)
            return Selector(text, kind, match_type, pattern, root, None, path_test)
        name_test = _name_test(match_type, pattern)
    except PatternError as error:
        raise SelectorError(
            ERR_FILTER_PATTERN,
            f"the {match_type} in {display(text)} cannot be used: {error.message}",
            error.remedy,
            pattern if match_type is MatchType.REGEX else None,
        ) from None
    if kind is SelectorKind.RET and match_type is MatchType.WORD:
        name_test = _on_own_name(name_test)
    return Selector(text, kind, match_type, pattern, None, name_test, None)


def _wrong_kind(kind_text: str, text: str, kinds: tuple[SelectorKind, ...]) -> tuple[str, str]:
    if kind_text in SCOPE_KINDS + VALUE_KINDS:
        home = "value_patterns" if kind_text in VALUE_KINDS else "scope.rules"
        message = f"a selector of kind '{kind_text}' cannot stand here"
        return message, f"move it to {home}, or use one of {', '.join(kinds)}"
    message = f"the selector {display(text)} has the unknown kind {display(kind_text)}"
    return message, nearest(kind_text, kinds)


def _match_type(match_text: str, kind: SelectorKind, rest: str) -> MatchType:
    try:
        return MatchType(match_text)
    except ValueError:
        what = f"the unknown match type {display(match_text)}" if match_text else "no match type"
        raise SelectorError(
            ERR_FILTER_SELECTOR,
            f"the selector {display(f'{kind}:{rest}')} has {what}",
            nearest(match_text, tuple(MatchType))
            + f"; a pattern that holds a colon needs one, as in {display(f'{kind}:glob:{rest}')}",
        ) from None


def _name_test(match_type: MatchType, pattern: str) -> Callable[[str], bool]:
    if match_type is MatchType.LITERAL:
        return pattern.__eq__
    if match_type is MatchType.WORD:
        return _word_test(pattern)
    if match_type is MatchType.REGEX:
        from codetracer_filter._regex import regex_matcher

        return regex_matcher(pattern)
    return name_glob_matcher(pattern)


# A list of words is usually repeated for each kind of value.
@lru_cache(maxsize=8)
def _word_test(pattern: str) -> Callable[[str], bool]:
    from codetracer_filter._words import split_words, word_matcher

    phrases = []
    for choice in expand_braces(pattern):
        phrase = split_words(choice)
        if not phrase:
            raise PatternError(f"{display(choice)} holds no word", "write at least one letter")
        phrases.append(phrase)
    return word_matcher(phrases)


def _path_test(match_type: MatchType, pattern: str, root: str | None) -> PathTest:
    from codetracer_filter import _files

    if match_type is MatchType.GLOB:
        return _files.glob_test(pattern, root)
    if match_type is MatchType.LITERAL:
        return _files.literal_test(pattern, root)
    return _files.search_test(pattern, _name_test(match_type, pattern))


def _on_own_name(test: Callable[[str], bool]) -> Callable[[str], bool]:
    """Let ``test`` see a function's own name, without its module and enclosing scopes."""
    return lambda name: test(name.rpartition(".")[2])
