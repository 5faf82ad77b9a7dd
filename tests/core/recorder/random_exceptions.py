"""Makes programs at random that raise and catch exceptions in every way there is."""

from __future__ import annotations

import random

KINDS = ("ValueError", "KeyError", "OSError", "Special", "StopIteration", "GeneratorExit")
HEAD = """\
import sys

# What a generator raises while it is closed is told with its address.
sys.unraisablehook = lambda _: None


class Special(Exception):
    pass


class Swallow:
    def __init__(self, *kinds):
        self.kinds = kinds

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        return kind is not None and issubclass(kind, self.kinds)


class Count:
    def __init__(self, count):
        self.left = count

    def __iter__(self):
        return self

    def __next__(self):
        self.left -= 1
        if self.left < 0:
            raise StopIteration
        return self.left


calls = 0


def limit():
    global calls
    calls += 1
    if calls > 300:
        raise SystemExit("enough")


def feed(made):
    try:
        next(made)
        made.throw(KeyError("thrown"))
        made.send(1)
    finally:
        made.close()


"""


class Writer:
    """Writes the statements of one function."""

    def __init__(self, source: random.Random, callees: list[str], *, yields: bool) -> None:
        self._source = source
        self._callees = callees
        self._yields = yields
        self._stars = 0
        self.lines: list[str] = []

    def block(self, indent: str, depth: int, *, handling: bool, loop: bool) -> None:
        """Some statements; `handling` an exception a bare ``raise`` may raise it again."""
        for _ in range(self._source.randint(1, 3)):
            self._statement(indent, depth, handling=handling, loop=loop)

    def _statement(self, indent: str, depth: int, *, handling: bool, loop: bool) -> None:
        pick = self._source.choice
        simple = [self._raise, self._call, self._call, self._through_c, self._assign]
        if handling:
            simple += [self._again, self._from]
        if loop:
            simple += [self._jump]
        if self._yields:
            simple += [self._yield]
        if depth == 0 or self._source.random() < 0.4:
            self.lines.append(indent + pick(simple)())
            return
        pick([self._try, self._try, self._try, self._star, self._with, self._loop, self._if])(
            indent, depth, handling, loop
        )

    # -- on one line

    def _kind(self) -> str:
        return self._source.choice(KINDS)

    def _raise(self) -> str:
        return f"raise {self._kind()}({self._source.randrange(9)})"

    def _again(self) -> str:
        return "raise"

    def _from(self) -> str:
        return f"raise {self._kind()}('from') from None"

    def _call(self) -> str:
        return f"x = {self._source.choice(self._callees)}()" if self._callees else self._raise()

    def _through_c(self) -> str:
        work = self._source.choice(self._callees or ["limit"])
        return self._source.choice(
            [
                f"x = list(map(lambda _: {work}(), [1]))",
                f"x = sorted([2, 1], key=lambda _: {work}())",
                "x = [next(iter(())) for _ in Count(1)]",
                "x = list(Count(2))",
                "x = getattr(x, 'missing', None).other",
                f"feed({work}(1)) if {work}.__code__.co_flags & 32 else {work}()",
                "x = int('x')",
            ]
        )

    def _assign(self) -> str:
        return f"x = {self._source.randrange(100)}"

    def _jump(self) -> str:
        return self._source.choice(["continue", "break", *([] if self._stars else ["return x"])])

    def _yield(self) -> str:
        return self._source.choice(["yield x", "x = yield", "yield from Count(2)"])

    # -- blocks

    def _clause(self, indent: str, depth: int, star: str, *, loop: bool) -> None:
        kinds = self._source.choice([self._kind(), f"({self._kind()}, {self._kind()})"])
        name = self._source.choice(["", " as error"])
        head = f"{indent}except{star} {kinds}{name}:"
        if self._source.random() < 0.3:
            self.lines.append(f"{head} {self._assign()}")
            return
        self.lines.append(head)
        if self._source.random() < 0.2:
            self.lines.append(f"{indent}    pass")
            return
        # A jump may not leave an ``except*``.
        self._stars += bool(star)
        self.block(f"{indent}    ", depth - 1, handling=True, loop=loop and not star)
        self._stars -= bool(star)

    def _try(self, indent: str, depth: int, handling: bool, loop: bool) -> None:
        self.lines.append(f"{indent}try:")
        self.block(f"{indent}    ", depth - 1, handling=handling, loop=loop)
        clauses = self._source.randint(0, 2)
        for _ in range(clauses):
            self._clause(indent, depth, "", loop=loop)
        if self._source.random() < 0.3:
            self.lines.append(f"{indent}except:")
            self.block(f"{indent}    ", depth - 1, handling=True, loop=loop)
            clauses += 1
        if clauses == 0 or self._source.random() < 0.3:
            self.lines.append(f"{indent}finally:")
            self.block(f"{indent}    ", depth - 1, handling=handling, loop=loop)

    def _star(self, indent: str, depth: int, handling: bool, loop: bool) -> None:
        first, second = self._kind(), self._kind()
        self.lines += [f"{indent}try:", f"{indent}    {self._call()}"]
        if "GeneratorExit" not in (first, second):
            self.lines.append(f"{indent}    raise ExceptionGroup('g', [{first}(1), {second}(2)])")
        for _ in range(self._source.randint(1, 2)):
            self._clause(indent, depth, "*", loop=False)

    def _with(self, indent: str, depth: int, handling: bool, loop: bool) -> None:
        self.lines.append(f"{indent}with Swallow({self._kind()}, {self._kind()}):")
        self.block(f"{indent}    ", depth - 1, handling=handling, loop=loop)

    def _loop(self, indent: str, depth: int, handling: bool, loop: bool) -> None:
        self.lines += [f"{indent}for x in Count(2):", f"{indent}    limit()"]
        self.block(f"{indent}    ", depth - 1, handling=handling, loop=True)

    def _if(self, indent: str, depth: int, handling: bool, loop: bool) -> None:
        self.lines.append(f"{indent}if x:")
        self.block(f"{indent}    ", depth - 1, handling=handling, loop=loop)


def random_exceptions(seed: int, functions: int = 14) -> str:
    """The source of a program; the same for the same seed."""
    source = random.Random(seed)
    parts = [HEAD]
    names: list[str] = []
    for number in range(functions):
        name = f"f{number}"
        yields = source.random() < 0.3
        writer = Writer(source, names[-5:], yields=yields)
        writer.block("    ", 3, handling=False, loop=False)
        body = "\n".join(writer.lines)
        tail = "    yield x\n" if yields else "    return x\n"
        parts.append(f"def {name}(x=1):\n    limit()\n{body}\n{tail}\n\n")
        names.append(name)
    parts += [
        f"try:\n    made = {name}()\n    if made.__class__.__name__ == 'generator':\n"
        f"        feed(made)\nexcept BaseException as error:\n    print(repr(error))\n"
        for name in names
    ]
    return "".join(parts)
