"""Shows when objects die, how often they are referred to, and what ``locals()`` has."""

import gc
import sys
import weakref

log = []


class Dies:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        log.append(f"{self.name} died")


def in_order():
    first = Dies("first")
    second = [Dies("in a list")]
    log.append("made")
    del first
    log.append("after del")
    second.clear()
    log.append("after clear")
    second = {"a": Dies("in a dict")}
    second = None
    log.append("after rebinding")
    pair = (Dies("in a tuple"), [Dies("deeper")])
    pair[1].pop()
    log.append("after pop")
    return log


def weak():
    thing = Dies("weak")
    reference = weakref.ref(thing, lambda _: log.append("callback"))
    alive = reference() is thing
    thing = 1
    log.append(reference() is None)
    return alive


def returned():
    return Dies("returned")


def raised():
    try:
        raise ValueError(Dies("raised"))
    except ValueError as error:
        kept = error.args
    kept = None
    log.append("after except")


def yields():
    local = Dies("in a generator")
    yield Dies("yielded")
    yield local


def references():
    items = [1, [2]]
    table = {"a": items}
    whole = (items, table)
    counts = [sys.getrefcount(value) for value in (items, table, whole, items[1])]
    items.append(whole)
    counts += [sys.getrefcount(value) for value in (items, table, whole, items[1])]
    return counts


def grows():
    text = ""
    moved = 0
    for i in range(300):
        before = id(text)
        text += "x"
        moved += id(text) != before
    return moved < 200


def own_locals():
    a = 1
    seen = locals()
    b = 2
    seen["a"] = "changed"
    c = "b" in seen, seen["a"], sorted(seen)
    again = locals()
    return c, sorted(again)


def classes():
    class Temporary:
        pass

    reference = weakref.ref(Temporary)
    thing = Temporary()
    del thing, Temporary
    gc.collect()
    return reference() is None


in_order()
weak()
returned()
log.append("after call")
raised()
for _ in yields():
    pass
_ = None
log.append("after generator")
print(log)
print(references())
# Of CPython 3.11, any tracer keeps the interpreter from growing a text in place.
print(grows() or sys.version_info < (3, 12))
print(own_locals())
print(classes())
print(sys.getrefcount(log))
