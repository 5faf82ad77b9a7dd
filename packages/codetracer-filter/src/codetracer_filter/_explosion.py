r"""Which regular expressions can take exponential time on some text.

`re` tries every way in which a text can be cut into the turns of a loop. When one text can be
cut in two ways inside a loop, n such texts in a row can be cut in 2**n ways, and `(\w+_?)+$` needs
seconds for 26 letters. The check builds, for each outermost loop, the automaton whose states are
the characters of the pattern, and looks for a state that comes back to itself on one text along
two different ways.
"""

from __future__ import annotations

import re

from codetracer_filter._globs import PatternError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Pair = tuple[int, int]

__all__ = ["check_explosion"]

_LOOP = 8
"""Inside a loop, a repeat of this many turns is a loop as well; a smaller one is written out."""

_EXACT_LOOP = 64
"""The same for repeats of one exact number, which leave nothing to try."""

_MAX_STATES = 400
_MAX_PAIRS = 20_000
_LATIN = [chr(code) for code in range(256)]
_ALL = (1 << 257) - 1
"""A set of characters is an integer: bit n is character n, bit 256 stands for all others."""

_REFUSED = {
    "ASSERT": ("look-around is not supported", "match the wanted text itself"),
    "ASSERT_NOT": ("look-around is not supported", "write a later rule for the exceptions"),
    "ATOMIC_GROUP": ("atomic groups are not supported", "write a plain group '(?:...)'"),
    "GROUPREF": ("back-references are not supported", "write the repeated text out"),
    "GROUPREF_EXISTS": ("conditional groups are not supported", "write the alternatives with '|'"),
    "POSSESSIVE_REPEAT": ("possessive repeats are not supported", "remove the second '+'"),
}


def check_explosion(pattern: str) -> None:
    """Raise `PatternError` if ``pattern`` can take exponential time, or `re.error` if malformed."""
    # The parser is the module that `re` itself compiles with; it is the only way to see the
    # structure of a pattern exactly as the matcher will.
    parser: Any = __import__("re._parser", fromlist=["parse"])
    tree = parser.parse(pattern)
    fold = bool(tree.state.flags & re.IGNORECASE) or ("(?" in pattern and "i" in pattern)
    _walk(tree, fold=fold)


def _name(operation: Any) -> str:
    return str(operation)


def _walk(tree: Any, *, fold: bool) -> None:
    """Check the loops of ``tree`` from the outside in, and refuse unsupported operations."""
    for operation, argument in tree:
        name = _name(operation)
        if name in _REFUSED:
            raise PatternError(*_REFUSED[name])
        if name == "BRANCH":
            for choice in argument[1]:
                _walk(choice, fold=fold)
        elif name == "SUBPATTERN":
            _walk(argument[-1], fold=fold)
        elif name in ("MAX_REPEAT", "MIN_REPEAT"):
            low, high, body = argument
            _walk(body, fold=fold)
            if int(high) > 1 and not _is_plain(body):
                _Automaton(fold=fold).check_loop(low, body)


def _is_plain(tree: Any) -> bool:
    """Whether a loop body has neither alternatives nor repeats, so that it cannot be cut twice."""
    for operation, argument in tree:
        name = _name(operation)
        if name in ("BRANCH", "MAX_REPEAT", "MIN_REPEAT"):
            return False
        if name == "SUBPATTERN" and not _is_plain(argument[-1]):
            return False
    return True


class _Part:
    """The states a part of a pattern can begin and end with, and how many ways it can be empty."""

    __slots__ = ("empty", "first", "last")

    def __init__(self, first: list[int], last: list[int], *, empty: int) -> None:
        self.first = first
        self.last = last
        self.empty = empty


class _Automaton:
    """The position automaton of one loop."""

    def __init__(self, *, fold: bool) -> None:
        self._fold = fold
        self._sets: list[int] = []
        self._follow: list[list[int]] = []
        self._empty_twice = False

    def check_loop(self, low: Any, body: Any) -> None:
        """Raise `PatternError` when some text runs through the loop in two ways.

        A loop of few turns is held to the same rule: such loops inside each other multiply.
        """
        self._loop(low, body)
        if self._ambiguous():
            raise PatternError(
                "it can take exponential time: one text fits a repeated part in many ways",
                "make the repeated parts begin or end with something the others cannot match",
            )

    def _state(self, characters: int) -> _Part:
        if len(self._sets) == _MAX_STATES:
            raise PatternError("its loops are too large to be checked", "write it simpler")
        self._sets.append(characters)
        self._follow.append([])
        number = len(self._sets) - 1
        return _Part([number], [number], empty=0)

    def _connect(self, before: list[int], after: list[int]) -> None:
        for state in before:
            self._follow[state].extend(after)

    def _ways(self, number: int) -> int:
        """Note when there is more than one way to match nothing; count no further."""
        self._empty_twice |= number > 1
        return min(number, 2)

    def _sequence(self, tree: Any) -> _Part:
        whole = _Part([], [], empty=1)
        for operation, argument in tree:
            whole = self._join(whole, self._part(_name(operation), argument))
        return whole

    def _join(self, left: _Part, right: _Part) -> _Part:
        self._connect(left.last, right.first)
        return _Part(
            left.first + right.first if left.empty else left.first,
            left.last + right.last if right.empty else right.last,
            empty=self._ways(left.empty * right.empty),
        )

    def _part(self, name: str, argument: Any) -> _Part:
        if name == "SUBPATTERN":
            return self._sequence(argument[-1])
        if name == "BRANCH":
            choices = [self._sequence(choice) for choice in argument[1]]
            return _Part(
                [state for choice in choices for state in choice.first],
                [state for choice in choices for state in choice.last],
                empty=self._ways(sum(choice.empty for choice in choices)),
            )
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            return self._repeat(*argument)
        if name == "AT":
            return _Part([], [], empty=1)
        return self._state(self._characters(name, argument))

    def _repeat(self, low: Any, high: Any, body: Any) -> _Part:
        times = int(high)
        if times < _LOOP or (low == high and times <= _EXACT_LOOP and _is_plain(body)):
            rest = _Part([], [], empty=1)
            for turn in reversed(range(times)):
                rest = self._join(self._sequence(body), rest)
                rest.empty = self._ways(rest.empty + (turn >= low))
            return rest
        return self._loop(low, body)

    def _loop(self, low: Any, body: Any) -> _Part:
        part = self._sequence(body)
        # A turn that matches nothing can stand at any place among the others.
        self._empty_twice |= part.empty > 0
        self._connect(part.last, part.first)
        return _Part(part.first, part.last, empty=self._ways(part.empty + (low == 0)))

    def _characters(self, name: str, argument: Any) -> int:
        if name == "ANY":
            return _ALL
        if name == "LITERAL":
            return self._literal(argument)
        if name == "NOT_LITERAL":
            return _ALL & ~self._literal(argument) | 1 << 256
        members, negated = 0, False
        for operation, value in argument:
            kind = _name(operation)
            if kind == "NEGATE":
                negated = True
            elif kind == "LITERAL":
                members |= self._literal(value)
            elif kind == "RANGE":
                for code in range(value[0], min(value[1], 256) + 1):
                    members |= self._literal(code)
                if value[1] > 255:
                    members |= 1 << 256
            else:
                members |= _category(_name(value))
        return _ALL & ~members | 1 << 256 if negated else members

    def _literal(self, code: int) -> int:
        if code > 255:
            return 1 << 256
        if not self._fold:
            return 1 << code
        char = chr(code)
        return sum(1 << min(ord(c), 256) for c in {char, char.lower(), char.upper()[0]})

    def _ambiguous(self) -> bool:
        """Whether a state comes back to itself on one text along two ways."""
        if self._empty_twice or any(len(set(after)) < len(after) for after in self._follow):
            return True
        reached = self._pairs()
        reaching = self._backwards(reached)
        return any(left != right and (left, right) in reaching for left, right in reached)

    def _pairs(self) -> dict[Pair, list[Pair]]:
        """The pairs of states that one text can lead to from one state, with their successors."""
        todo = [(state, state) for state in range(len(self._sets))]
        found: dict[Pair, list[Pair]] = {pair: [] for pair in todo}
        while todo:
            left, right = todo.pop()
            after = [
                (a, b)
                for a in self._follow[left]
                for b in self._follow[right]
                if self._sets[a] & self._sets[b]
            ]
            found[left, right] = after
            for pair in after:
                if pair not in found:
                    found[pair] = []
                    todo.append(pair)
            if len(found) > _MAX_PAIRS:
                raise PatternError("its loops are too large to be checked", "write it simpler")
        return found

    @staticmethod
    def _backwards(graph: dict[Pair, list[Pair]]) -> set[Pair]:
        """The pairs from which a pair of twice the same state can be reached."""
        before: dict[Pair, list[Pair]] = {pair: [] for pair in graph}
        for pair, after in graph.items():
            for target in after:
                before[target].append(pair)
        todo = [pair for pair in graph if pair[0] == pair[1]]
        seen = set(todo)
        while todo:
            for pair in before[todo.pop()]:
                if pair not in seen:
                    seen.add(pair)
                    todo.append(pair)
        return seen


def _category(name: str) -> int:
    """The characters of ``\\d``, ``\\s``, ``\\w`` and their opposites, by the parser's name."""
    shorthand = {"DIGIT": "d", "SPACE": "s", "WORD": "w"}[name.rpartition("_")[2]]
    if "_NOT_" in name:
        shorthand = shorthand.upper()
    matches = re.compile(rf"\{shorthand}").match
    return sum(1 << code for code, char in enumerate(_LATIN) if matches(char)) | 1 << 256
