"""Names that come and go: del of locals, cells, globals, attributes and items."""

gone = 1
kept = [1, 2, 3]


def locals_():
    a = 1
    b = 2
    del a
    c = 3
    a = 4
    del b, c
    for i in range(2):
        d = i
        del d
    try:
        print(b)
    except UnboundLocalError as error:
        print(error)
    return a


def cells():
    x = 1

    def inner():
        return x

    inner()
    del x
    try:
        inner()
    except NameError as error:
        print(error)
    x = 2
    return inner()


def exception_name():
    error = "before"
    try:
        raise ValueError(1)
    except ValueError as error:
        code = error.args
    try:
        print(error)
    except UnboundLocalError:
        return code


def deletes_argument(a, b):
    del a
    return b


def deletes_global():
    global gone
    seen = gone
    del gone
    gone = seen + 1
    return gone


class Thing:
    here = 1
    there = 2
    del here


thing = Thing()
thing.value = 1
del thing.value
del kept[0], kept[-1:]
mapping = {"a": 1, "b": 2}
del mapping["a"]
locals_()
cells()
exception_name()
deletes_argument(1, 2)
deletes_global()
del gone
try:
    deletes_global()
except NameError as error:
    print(error)
globals()["made"] = 5
made += 1
del globals()["made"]
for name in ("one", "two"):
    globals()[name] = name
    globals().pop(name)
