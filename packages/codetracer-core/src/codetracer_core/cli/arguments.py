"""Parsing of command lines by a table of options.

``argparse`` would cost a recorded program ten milliseconds, and cannot stop at the program's name.
"""

from __future__ import annotations

from codetracer_core.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["OFF", "ON", "Command", "Option", "Words", "guess"]

ON = "on"
OFF = "off"
_HELP_COLUMN = 26


class Option:
    """An option: ``names`` as they are written, the main one last.

    With a ``metavar`` it takes a value: the next word, or attached (``-oDIR``, ``--out-dir=DIR``).
    With ``negatable`` there is a ``--no-NAME`` beside each long name, which says the opposite.
    """

    __slots__ = ("about", "metavar", "names", "negatable")

    def __init__(
        self,
        names: tuple[str, ...],
        about: str,
        metavar: str | None = None,
        *,
        negatable: bool = False,
    ) -> None:
        self.names = names
        self.about = about
        self.metavar = metavar
        self.negatable = negatable

    @property
    def spellings(self) -> dict[str, str]:
        """Each way to write the option, with the value that it stands for."""
        spellings = dict.fromkeys(self.names, ON)
        if self.negatable:
            spellings |= {f"--no-{name[2:]}": OFF for name in self.names}
        return spellings


class Words:
    """A parsed command line: the values given to each option by its main name, and the rest.

    An option without value has the text ``on`` for each time it was given, or ``off`` where it was
    negated. ``ended`` says whether the rest follows a ``--``.
    """

    __slots__ = ("ended", "options", "rest")

    def __init__(self) -> None:
        self.options: dict[str, list[str]] = {}
        self.rest: tuple[str, ...] = ()
        self.ended = False

    def given(self, name: str) -> bool:
        """Whether option `name` was given."""
        return name in self.options

    def switch(self, name: str) -> bool | None:
        """Whether option `name`, which takes no value, is on; None when it was not given."""
        values = self.options.get(name)
        return None if values is None else values[-1] == ON

    def last(self, name: str, default: str) -> str:
        """The value that counts: the one given last."""
        return self.options.get(name, [default])[-1]

    def every(self, name: str) -> list[str]:
        """All values given to option `name`."""
        return self.options.get(name, [])


_HELP = Option(("-h", "--help"), "show this help")


class Command:
    """A command's ``options`` and the text of its help."""

    def __init__(
        self, name: str, *, usage: str, about: str, options: Sequence[Option], examples: str
    ) -> None:
        self.name = name
        self._usage = usage
        self._about = about
        self.options = (*options, _HELP)
        self._examples = examples
        self._by_name = {name: option for option in self.options for name in option.spellings}

    def help(self) -> str:
        """The text that ``--help`` prints."""
        rows = "".join(_help_row(option) for option in self.options)
        return (
            f"usage: {self._usage}\n\n{self._about}\n\n"
            f"options:\n{rows}\nexamples:\n{self._examples}"
        )

    def parse(
        self,
        words: Sequence[str],
        *,
        program_options: tuple[str, ...] = (),
        into: Words | None = None,
    ) -> Words:
        """Cut `words` into options and the rest.

        With `program_options` (``-m``, ``--pytest``) the rest begins at the first word that is no
        option of ours or is one of these, and holds everything from there on; without, options may
        stand anywhere. ``--`` ends the options in both cases. What is understood goes to `into`, so
        that it is known also when a later word is wrong. Raises UsageError.
        """
        given = Words() if into is None else into
        rest: list[str] = []
        queue = list(words)
        while queue:
            word = queue.pop(0)
            if word == "--":
                given.ended = True
                rest += queue
                break
            operand = word == "-" or not word.startswith("-")
            if program_options and (operand or _names_program(word, program_options)):
                rest += [word, *queue]
                break
            if operand:
                rest.append(word)
            else:
                option, value = self._option(word, queue)
                given.options.setdefault(option.names[-1], []).append(value)
        given.rest = tuple(rest)
        return given

    def misuse(self, problem: str) -> UsageError:
        """The error that says `problem` and where help is."""
        return UsageError("ERR_COMMAND_LINE", f"{problem}; see codetracer-core {self.name} --help")

    def choice(self, given: Words, name: str, choices: Sequence[str]) -> str:
        """The value of option `name`, in any case; the first of `choices` when it was not given.

        Raises UsageError when it is none of them.
        """
        text = given.last(name, choices[0])
        if text.lower() in choices:
            return text.lower()
        listed = ", ".join(choices[:-1])
        raise self.misuse(
            f"{name} cannot be {text!r}{guess(text.lower(), choices)}:"
            f" use {listed} or {choices[-1]}"
        )

    def _option(self, word: str, queue: list[str]) -> tuple[Option, str]:
        """The option that `word` begins, and its value, for which `queue` may be asked."""
        if word.startswith("--"):
            name, attached, value = word.partition("=")
        else:
            name, value = word[:2], word[2:]
            attached = value
        option = self._by_name.get(name)
        if option is None:
            raise self.misuse(f"there is no option {name}{guess(name, self._by_name)}")
        if option.metavar is None:
            if attached and word.startswith("--"):
                raise self.misuse(f"{name} takes no value")
            if attached:
                queue.insert(0, f"-{value}")
            return option, option.spellings[name]
        if attached:
            return option, value
        if not queue:
            raise self.misuse(f"{name} needs a value: {option.metavar}")
        return option, queue.pop(0)


def _names_program(word: str, program_options: tuple[str, ...]) -> bool:
    """Whether `word` is one of `program_options`, of which short ones may have text attached."""
    return word in program_options or (
        not word.startswith("--") and word.startswith(program_options)
    )


def guess(text: str, known: Iterable[str]) -> str:
    """A question after the nearest of `known` in brackets; nothing when none is near."""
    from difflib import get_close_matches

    near = get_close_matches(text, known, n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _help_row(option: Option) -> str:
    names = [f"--[no-]{name[2:]}" if option.negatable else name for name in option.names]
    head = "  " + ", ".join(names) + (f" {option.metavar}" if option.metavar else "")
    blank = " " * _HELP_COLUMN
    first, *more = option.about.split("\n")
    if len(head) < _HELP_COLUMN:
        lines = [f"{head:<{_HELP_COLUMN}}{first}"]
    else:
        lines = [head, blank + first]
    return "".join(f"{line}\n" for line in [*lines, *(blank + line for line in more)])
