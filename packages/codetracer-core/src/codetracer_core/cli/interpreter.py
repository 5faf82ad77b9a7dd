"""What the command line of the interpreter itself says."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["command_text", "own_words", "skips_first_line"]

_WITH_VALUE = "WX"
_LONG_WITH_VALUE = "--check-hash-based-pycs"


def own_words() -> list[str]:
    """The words of the command line up to the program's name, with the interpreter's first."""
    return sys.orig_argv[: len(sys.orig_argv) - len(sys.argv) + 1]


def skips_first_line() -> bool:
    """Whether the option ``-x`` is there."""
    return _find(own_words(), "x") is not None


def command_text() -> str | None:
    """The program that ``-c`` gives, None when another kind of program runs."""
    words = sys.orig_argv
    found = _find(words, "c")
    if found is None:
        return None
    word, index = found
    attached = words[word][index + 1 :]
    return attached or (words[word + 1] if word + 1 < len(words) else None)


def _find(words: Sequence[str], letter: str) -> tuple[int, int] | None:
    """Where the option `letter` of the interpreter stands: the word, and the place in it."""
    number = 1
    while number < len(words) and words[number].startswith("-") and words[number] != "-":
        word = words[number]
        if word.startswith("--"):
            number += word == _LONG_WITH_VALUE
        else:
            for index, option in enumerate(word[1:], 1):
                if option == letter:
                    return number, index
                if option in "cm":
                    return None
                if option in _WITH_VALUE:
                    number += index + 1 == len(word)
                    break
        number += 1
    return None
