"""Parsing of command lines by a table of options.

``argparse`` would cost a recorded program ten milliseconds, and cannot stop at the program's name.
"""

from __future__ import annotations

from codetracer_core.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Command", "Option", "Words"]

_HELP_COLUMN = 26


class Option:
    """An option: ``names`` as they are written, the main one last.

    With a ``metavar`` it takes a value: the next word, or attached (``-oDIR``, ``--out-dir=DIR``).
    """

    __slots__ = ("about", "metavar", "names")

    def __init__(self, names: tuple[str, ...], about: str, metavar: str | None = None) -> None:
        self.names = names
        self.about = about
        self.metavar = metavar


class Words:
    """A parsed command line: the values given to each option by its main name, and the rest.

    An option without value has an empty text for each time it was given.
    """

    __slots__ = ("options", "rest")

    def __init__(self, options: dict[str, list[str]], rest: tuple[str, ...]) -> None:
        self.options = options
        self.rest = rest

    def given(self, name: str) -> bool:
        """Whether option `name` was given."""
        return name in self.options

    def last(self, name: str, default: str) -> str:
        """The value that counts: the one given last."""
        return self.options.get(name, [default])[-1]

    def every(self, name: str) -> list[str]:
        """All values given to option `name`."""
        return self.options.get(name, [])


_HELP = Option(("-h", "--help"), "show this help")


class Command:
    """A command's options and the text of its help."""

    def __init__(
        self, name: str, *, usage: str, about: str, options: Sequence[Option], examples: str
    ) -> None:
        self.name = name
        self._usage = usage
        self._about = about
        self._options = (*options, _HELP)
        self._examples = examples
        self._by_name = {name: option for option in self._options for name in option.names}

    def help(self) -> str:
        """The text that ``--help`` prints."""
        rows = "".join(_help_row(option) for option in self._options)
        return (
            f"usage: {self._usage}\n\n{self._about}\n\n"
            f"options:\n{rows}\nexamples:\n{self._examples}"
        )

    def parse(self, words: Sequence[str], *, program_options: tuple[str, ...] = ()) -> Words:
        """Cut `words` into options and the rest.

        With `program_options` (``-m``, ``-c``) the rest begins at the first word that is no option
        of ours or is one of these, and holds everything from there on; without, options may stand
        anywhere. ``--`` ends the options in both cases. Raises UsageError.
        """
        options: dict[str, list[str]] = {}
        rest: list[str] = []
        queue = list(words)
        while queue:
            word = queue.pop(0)
            if word == "--":
                rest += queue
                break
            operand = word == "-" or not word.startswith("-")
            if program_options and (operand or word.startswith(program_options)):
                rest += [word, *queue]
                break
            if operand:
                rest.append(word)
            else:
                option, value = self._option(word, queue)
                options.setdefault(option.names[-1], []).append(value)
        return Words(options, tuple(rest))

    def misuse(self, problem: str) -> UsageError:
        """The error that says `problem` and where help is."""
        return UsageError("ERR_COMMAND_LINE", f"{problem}; see codetracer-core {self.name} --help")

    def _option(self, word: str, queue: list[str]) -> tuple[Option, str]:
        """The option that `word` begins, and its value, for which `queue` may be asked."""
        if word.startswith("--"):
            name, attached, value = word.partition("=")
        else:
            name, value = word[:2], word[2:]
            attached = value
        option = self._by_name.get(name)
        if option is None:
            raise self.misuse(f"there is no option {name}{self._guess(name)}")
        if option.metavar is None:
            if not attached:
                return option, ""
            if word.startswith("--"):
                raise self.misuse(f"{name} takes no value")
            queue.insert(0, f"-{value}")
            return option, ""
        if attached:
            return option, value
        if not queue:
            raise self.misuse(f"{name} needs a value: {option.metavar}")
        return option, queue.pop(0)

    def _guess(self, name: str) -> str:
        from difflib import get_close_matches

        near = get_close_matches(name, self._by_name, n=1)
        return f" (did you mean {near[0]}?)" if near else ""


def _help_row(option: Option) -> str:
    head = "  " + ", ".join(option.names) + (f" {option.metavar}" if option.metavar else "")
    blank = " " * _HELP_COLUMN
    first, *more = option.about.split("\n")
    if len(head) < _HELP_COLUMN:
        lines = [f"{head:<{_HELP_COLUMN}}{first}"]
    else:
        lines = [head, blank + first]
    return "".join(f"{line}\n" for line in [*lines, *(blank + line for line in more)])
