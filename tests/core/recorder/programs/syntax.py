"""Smaller constructs: match, walrus, lambdas, decorators, with, conditional and chained forms."""

import functools
from contextlib import ExitStack, contextmanager, suppress


class Point:
    __match_args__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y


def classify(value):
    match value:
        case None:
            kind = "none"
        case 0 | 1:
            kind = "bit"
        case int(n) if n < 0:
            kind = f"negative {n}"
        case str() as text:
            kind = text
        case [a]:
            kind = "one"
        case [a, *rest]:
            kind = ("many", a, rest)
        case {"key": found, **others}:
            kind = ("mapping", found, others)
        case Point(x, y=0):
            kind = ("on axis", x)
        case Point(x, y):
            kind = ("point", x, y)
        case _:
            kind = "else"
    return kind


def decorator(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        result = function(*args, **kwargs)
        return result

    return wrapper


def parametrised(times):
    def decorate(function):
        def wrapper(*args):
            return [function(*args) for _ in range(times)]

        return wrapper

    return decorate


@decorator
@parametrised(2)
def decorated(a):
    return a * 2


@functools.lru_cache(maxsize=None)
def cached(n):
    return n if n < 2 else cached(n - 1) + cached(n - 2)


@contextmanager
def managed(log):
    log.append("in")
    try:
        yield log
    finally:
        log.append("out")


def contexts():
    log = []
    with managed(log) as one, suppress(KeyError):
        {}["x"]
    with ExitStack() as stack:
        stack.enter_context(managed(log))
        stack.callback(log.append, "callback")
    with suppress(ZeroDivisionError):
        with managed(log):
            1 / 0
    return log


def walrus(data):
    while (n := len(data)) > 1:
        data.pop()
    if (m := n + 1) and m > 1:
        return m, n


def loops():
    out = []
    for i in range(5):
        for j in range(i):
            if j == 2:
                break
            if (i + j) % 2: continue
            out.append((i, j))
        else:
            out.append("no break")
    while i:
        i -= 1
    else:
        out.append(i)
    return out


def operators(a, b):
    chained = 0 < a < b != 7
    either = a and b or not a
    picked = a if chained else b
    a += 1; b -= 1
    (c, d), *e = [(a, b), 3, 4]
    c = d = e
    text = f"{a:>5}{b!r}{'x' * a}"
    sliced = text[1:3], text[::-1], [*e, *text]
    return locals is None, chained, either, picked, c, d, sliced


def annotated(a: int = 1) -> "str":
    b: list[int] = [a]
    c: int
    return b


for value in (None, 1, -4, "s", [1], [1, 2, 3], {"key": 1, "z": 2}, Point(1, 0), Point(1, 2), 2.5):
    print(classify(value))
print(decorated(4))
print(cached(8))
print(contexts())
print(walrus([1, 2, 3]))
print(loops())
print(operators(1, 2))
print(annotated())
compose = lambda f, g: lambda x: f(g(x))  # noqa: E731
print(compose(lambda x: x + 1, lambda x: x * 2)(5))
_ = 1
__ = 2
print(_, __)
exec(compile("inner = [_ for _ in range(2)]", __file__, "exec"), {"__name__": "executed"}, {"own": 1})
print(eval("_ + 1"))
