"""Tells from the source where the body of an ``except`` begins, and where a ``with`` swallows."""

from __future__ import annotations

import ast
import dis
import sys
from bisect import bisect_right
from functools import cache
from types import CodeType
from typing import NamedTuple

_ENDS_OF_WITH = {
    "WITH_EXCEPT_START",
    # The same of ``async with``, which is awaited.
    "END_SEND" if sys.version_info >= (3, 12) else "JUMP_BACKWARD_NO_INTERRUPT",
}
"""What comes before the branch that tells whether a ``with`` swallows an exception."""

Range = tuple[int | None, int | None, int | None, int | None]


class Instruction(NamedTuple):
    """An instruction, and the part of the source that it was made of."""

    name: str
    where: Range


class Clauses:
    """The ``except`` clauses of one code object."""

    def __init__(self, code: CodeType) -> None:
        self._first_lines = _bodies(code.co_filename)
        self._instructions = {
            each.offset: Instruction(each.opname, tuple(each.positions or ()))  # type: ignore[arg-type]
            for each in dis.get_instructions(code)
            if each.opname != "NOT_TAKEN"  # does nothing, behind a branch (CPython 3.14)
        }
        self._order = sorted(self._instructions)
        self._table = dis._parse_exception_table(code)  # type: ignore[attr-defined]

    def at(self, offset: int) -> Instruction:
        """The instruction to which the code unit at `offset` belongs."""
        return self._instructions[self._order[bisect_right(self._order, offset) - 1]]

    def handler(self, offset: int) -> str:
        """The first instruction of the handler for what is raised at `offset`; empty for none."""
        targets = [entry.target for entry in self._table if entry.start <= offset < entry.end]
        return self._instructions[targets[0]].name if targets else ""

    def body_of_branch(self, source: int, target: int) -> int | None:
        """None unless the branch from `source` to `target` means that an exception is caught; else
        the line of the step with which the body begins, 0 when there is none to come."""
        if source not in self._instructions:  # behind an `async for` (CPython 3.14)
            return None
        branch, first = self._instructions[source], self.at(target)
        at = self._order.index(source)
        is_jump = self._order[at + 1] != target
        # CPython 3.11 has other names for branches that lead backwards.
        name = branch.name.replace("FORWARD_", "")
        if name == "POP_JUMP_IF_TRUE":
            before = {self._instructions[offset].name for offset in self._order[at - 2 : at]}
            return 0 if is_jump and before & _ENDS_OF_WITH else None
        if name == "POP_JUMP_IF_NONE" and is_jump:
            return None
        line = self._first_lines.get(first.where)
        if line is None or not (first.name == "POP_TOP" or first.name.startswith("STORE_")):
            return None
        return 0 if line == first.where[0] else line

    def body_of_handler(self, handler: int) -> int | None:
        """The same for a handler that catches whatever reaches it."""
        first = self._instructions[self._order[self._order.index(handler) + 1]]
        if self._instructions[handler].name != "PUSH_EXC_INFO" or first.name != "POP_TOP":
            return None
        return self._first_lines.get(first.where) or first.where[0]


@cache
def _bodies(filename: str) -> dict[Range, int]:
    """The line of the first statement of each ``except`` clause, by where the clause is."""
    with open(filename, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    return {
        (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset): node.body[0].lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
    }
