"""Names as words: the splitting behind the ``word`` match type."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["split_words", "word_matcher"]

_LETTERS = re.compile(r"[^\W\d_]+")


def split_words(name: str) -> tuple[str, ...]:
    """Split ``name`` into lower-case words.

    Borders are every character that is no letter, and inside letters the step from lower to
    upper case and the last capital before a lower-case letter: ``APIKey2`` is ``api``, ``key``.
    """
    words: list[str] = []
    for run in _LETTERS.findall(name):
        if run.islower() or run.isupper():
            words.append(run.lower())
        else:
            words.extend(_split_camel(run))
    return tuple(words)


def _split_camel(run: str) -> list[str]:
    words = []
    start = 0
    for at in range(1, len(run)):
        if not run[at].isupper():
            continue
        ends_acronym = at + 1 < len(run) and run[at + 1].islower()
        if not run[at - 1].isupper() or ends_acronym:
            words.append(run[start:at].lower())
            start = at
    words.append(run[start:].lower())
    return words


def word_matcher(phrases: Iterable[tuple[str, ...]]) -> Callable[[str], bool]:
    """Make a test for names in which the words of one of ``phrases`` occur consecutively."""
    phrases = tuple(phrases)
    single = frozenset(phrase[0] for phrase in phrases if len(phrase) == 1)
    # Words hold no space, so a phrase between spaces is found only at word borders.
    several = tuple({f" {' '.join(phrase)} " for phrase in phrases if len(phrase) > 1})

    def matches(name: str) -> bool:
        words = split_words(name)
        if not single.isdisjoint(words):
            return True
        if not several or len(words) < 2:
            return False
        spaced = f" {' '.join(words)} "
        return any(phrase in spaced for phrase in several)

    return matches
