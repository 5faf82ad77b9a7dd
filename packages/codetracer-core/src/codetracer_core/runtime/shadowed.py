"""Finds the globals of a function that variables of its comprehensions have the names of.

CPython compiles a comprehension into the function around it (PEP 709). Its variables then look like
local ones of the function, which goes on reading globals of the same names.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

__all__ = ["shadowed_globals"]


def shadowed_globals(code: CodeType, names: tuple[str, ...], arguments: int) -> set[str]:
    """The globals that `code` reads although variables of its own, `names`, are called so.

    The first `arguments` of the variables are parameters, which cannot share their name.
    """
    possible = {*names[arguments:]}.intersection(code.co_names)
    return possible.intersection(_globals_read(code)) if possible else possible


def _globals_read(code: CodeType) -> set[str]:
    from opcode import opmap

    extended, load = opmap["EXTENDED_ARG"], opmap["LOAD_GLOBAL"]
    found: set[str] = set()
    instructions = code.co_code
    argument = 0
    for operation, low in zip(instructions[::2], instructions[1::2], strict=True):
        argument = argument << 8 | low
        if operation == extended:
            continue
        if operation == load:
            # The lowest bit says whether a NULL is pushed, too.
            found.add(code.co_names[argument >> 1])
        argument = 0
    return found
