"""Comprehensions, inlined since CPython 3.12, in modules, classes and functions."""

x = "module"
values = [1, 2, 3]
squares = [x * x for x in values]
print(x, squares)
nested = [[x + y for x in values] for y in values]
table = {x: [y for y in range(x)] for x in values}
odd = {x for x in values if x % 2}
lazy = (x for x in values if x)
print(list(lazy))
kept = [x for x in values
        if x > 1
        for y in [x, x]
        if y]
lambdas = [lambda: x for x in values]
print([f() for f in lambdas])
y = [y for y in values]
multi = [
    (a,
     b)
    for a in values
    for b in (a, -a)
]


class Body:
    x = "class"
    values = (4, 5)
    doubled = [x * 2 for x in values]
    pairs = {x: x for x in values}
    functions = [lambda: x for x in values]
    after = x


def function(n):
    x = "function"
    inside = [x for x in range(n)]
    deeper = [[x for x in range(i)] for i in range(n)]
    cells = [lambda: i for i in range(n)]
    gen = list(i for i in range(n))
    while_set = {i: {j for j in range(i)} for i in range(n)}
    return x, inside, deeper, [f() for f in cells], gen, while_set


def shadowed(x):
    result = [x for x in [x, x + 1]]
    return x, result


def unbound():
    try:
        return [later for _ in range(2)]
    except NameError as error:
        later = str(error)
        return later


def failing(rows):
    out = []
    for row in rows:
        try:
            out.append([10 // cell for cell in row])
        except ZeroDivisionError:
            out.append(None)
    return out


def walrus(rows):
    return [total for row in rows if (total := sum(row)) > 3], total


def closure_over_comprehension():
    k = 3
    return [(lambda z: z + k)(i) for i in range(3)]


try:
    [1 // v for v in (1, 0)]
except ZeroDivisionError as error:
    print(error)
print(Body.after, Body.doubled)
print(function(3))
print(shadowed(1))
print(unbound())
print(failing([[1, 2], [0], [5]]))
print(walrus([[1], [2, 3], [4]]))
print(closure_over_comprehension())


item = "global"


def hides_a_global(values):
    before = len(values)
    doubled = [item * 2 for item in values]
    after = item
    nested = [[item for item in row] for row in [values]]
    both = {item: [item for item in values] for item in values}
    return doubled, after, nested, both, before


class Hides:
    doubled = [item * 2 for item in (1, 2)]
    after = item


hides_a_global([1, 2])
