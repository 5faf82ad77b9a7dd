"""Makes programs at random: statements that change a handful of variables in every way there is."""

from __future__ import annotations

import random

ATOMS = [
    *("None", "True", "False", "0", "1", "-1", "63", "64", "2**31", "-(2**63)", "2**64", "10**25"),
    *("1.5", "-0.0", "float('nan')", "1j", "''", "'a'", "'é' * 3", "'x' * 1100", "b''", "b'\\xff'"),
    *("frozenset({1})", "Sub(3)", "SubText('s')", "...", "range(3)", "'y' * 40", "1e300"),
]
CONTAINERS = [
    *("[]", "{}", "set()", "()", "[0] * 5", "list(range(99))", "list(range(101))", "SubList([1])"),
    *("{i: str(i) for i in range(6)}", "{1, 'a'}", "(1, [2], {3: 4})", "SubDict(a=1)", "[[[[]]]]"),
    *("dict.fromkeys(range(101))", "set(range(101))", "('t',) * 101", "ValueError([1], 'v')"),
]
CHANGES = [
    "{v} = {e}",
    "{v} = {w}",
    "{v}, {w} = {w}, {v}",
    "{v} += 1",
    "{v} = [{w}, {v}]",
    "{v} = ({w},)",
    "{v} = {{'k': {w}, 2: {e}}}",
    "{v}.append({w})",
    "{v}.append({e})",
    "{v}.insert(0, {e})",
    "{v}.pop()",
    "{v}.extend([{e}, {e}])",
    "{v}[{i}] = {w}",
    "{v}[{i}] = {e}",
    "{v}['k'] = {w}",
    "{v}[{i}].append({e})",
    "{v}[{i}][{i}] = {e}",
    "{v}[0][0].append({w})",
    "{v}['k']['k'] = {e}",
    "{v}.reverse()",
    "{v}.clear()",
    "{v}.sort(key=str)",
    "{v}.add({e})",
    "{v}.add(str({i}))",
    "{v}.discard({i})",
    "{v}.update(a={e})",
    "{v}.update({{{i}: {w}}})",
    "{v}.popitem()",
    "{v}.setdefault('s', []).append({e})",
    "{v} = list({v})",
    "{v} = tuple({v})",
    "{v} = {v}[1:]",
    "{v} = {v} + {v}",
    "{v} *= 2",
    "{v} += 'text'",
    "{v} += 'long' * 30",
    "{v} += [{e}]",
    "{v}[1:2] = [{e}, {e}]",
    "del {v}[0]",
    "del {v}",
    "{v} = change({v}, {w})",
    "{v} = {w} if {v} else {e}",
    "{v} = [x for x in {w}]",
    "{v} = next(made)",
    "{v} = Plain()",
    "{v}.field = {w}",
    "{v} = lambda: {w}",
    "{v} = {v} - 1000",
    "{v} = {v} + 31",
    "{v} = -{v}",
    "shared.append({e})",
    "shared[-1:] = []",
    "raise KeyError({w})",
    "{v} = Hidden({w})",
    "{v} = [Hidden({w})]",
    "{v} = {w}[{i}]",
    "{v} = {w} + {i}",
    "{v} = {i} - {w}",
    "{v} = {w} == {e}",
    "{v} = {w} is {v} or not {w}",
    "{v} = {i} if {w} > {i} else {v}",
    "{v} = {w}; {w} = {i}",
    "for {v} in range({i}): pass",
    "for {v} in {w}[:3]: pass",
    "for {v} in map({w}.append, (1, 2)): pass",
]
HEAD = """\
# The collector runs at other moments where an observer allocates, and Hidden changes things then.
__import__("gc").disable()


# What is in no file is not recorded: nothing but a change tells that it has run.
exec(compile('''
class Hidden:
    def __init__(self, target):
        self.target = target

    def change(self, *other):
        if isinstance(self.target, list):
            self.target[:1] = [len(self.target)]
        return 5

    __add__ = __rsub__ = __eq__ = __bool__ = __neg__ = __gt__ = __getitem__ = change
    __del__ = change
    __iter__ = None
''', "<hidden>", "exec"))


class Sub(int):
    pass


class SubText(str):
    pass


class SubList(list):
    pass


class SubDict(dict):
    pass


class Plain:
    pass


shared = [0]


def change(one, two):
    if isinstance(one, list):
        one.append(two)
    elif isinstance(one, dict):
        one["changed"] = two
    else:
        one = (one, two)
    return one


def numbers():
    i = 0
    while True:
        i += 1
        yield [i] * (i % 4)


"""


def random_program(seed: int, functions: int = 4, statements: int = 120) -> str:
    """The source of a program; the same for the same arguments."""
    source = random.Random(seed)
    parts = [HEAD]
    for number in range(functions):
        names = [f"v{i}" for i in range(source.choice([3, 4, 7]))]
        # Variables of a namespace are recorded in another way than those of a function.
        head = f"class Body{number}:" if number % 4 == 3 else f"def run{number}():"
        parts.append(f"{head}\n    made = numbers()\n")
        parts += [f"    {name} = {source.choice(CONTAINERS)}\n" for name in names]
        for _ in range(statements):
            change = source.choice(CHANGES).format(
                v=source.choice(names),
                w=source.choice(names),
                e=source.choice(ATOMS if source.random() < 0.7 else CONTAINERS),
                i=source.randrange(4),
            )
            # Most changes do not suit the type that the variable has at that moment.
            parts.append(f"    try:\n        {change}\n    except Exception:\n        pass\n")
            if source.random() < 0.1:
                parts.append(f"    for _ in range(3):\n        {source.choice(names)} = [_]\n")
        parts.append("\n\n")
    parts += [f"run{number}()\n" for number in range(functions) if number % 4 != 3]
    return "".join(parts)
