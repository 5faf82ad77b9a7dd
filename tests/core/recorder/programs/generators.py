"""Generators: sent to, thrown into, closed, delegating, finished and left behind."""


def plain(n):
    for i in range(n):
        yield i
    return "done"


def echo():
    got = None
    while True:
        got = yield got
        if got == "stop":
            return got


def guarded():
    seen = []
    while len(seen) < 3:
        try:
            yield len(seen)
        except ValueError as error:
            seen.append(error.args)
        finally:
            seen.append("finally")
    return seen


def outer(inner):
    result = yield from inner
    yield ("inner gave", result)


def delegate_twice():
    a = yield from outer(plain(2))
    b = yield from [10, 20]
    c = yield from outer(echo())
    return a, b, c


def one_line(n): yield n; yield n + 1


def resumed_without_a_line():
    x = yield 1
    return x


def never_started():
    yield 1


def ignores_close():
    try:
        yield 1
    except GeneratorExit:
        yield 2


def closes_in_finally(log):
    try:
        yield 1
        yield 2
    finally:
        log.append("closed")


def raises_inside():
    yield 1
    raise KeyError("inside")


def fib():
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b


def recursive(n):
    if n:
        yield n
        yield from recursive(n - 1)


print(list(plain(3)))

g = echo()
next(g)
g.send(1)
g.send([2, 3])
try:
    g.send("stop")
except StopIteration as stop:
    print(stop.value)

g = guarded()
next(g)
g.throw(ValueError("first"))
g.throw(ValueError("second", 2))
try:
    g.throw(KeyError("through"))
except KeyError as error:
    print(error)

g = delegate_twice()
for _ in range(7):
    print(next(g))
try:
    while True:
        g.send("stop")
except StopIteration as stop:
    print(stop.value)

print(list(one_line(4)))
g = resumed_without_a_line()
next(g)
try:
    g.send(7)
except StopIteration as stop:
    print(stop.value)

g = never_started()
g.close()
g = never_started()
try:
    g.throw(OSError(2, "unstarted"))
except OSError as error:
    print(error)

g = ignores_close()
next(g)
try:
    g.close()
except RuntimeError as error:
    print(error)

log = []
g = closes_in_finally(log)
next(g)
g.close()
g = closes_in_finally(log)
next(g)
del g
print(log)

try:
    list(raises_inside())
except KeyError as error:
    print(error)

f = fib()
print([next(f) for _ in range(12)])
print(list(recursive(5)))
print(sum(x * y for x in range(3) for y in range(3) if x != y))
first = (n for n in plain(4))
print(next(first), next(first))
a, *b = plain(4)
left = plain(2)
next(left)
