"""Classes and instances that change their shape under the recorder's eyes."""

import collections
import enum
import gc
import sys
import threading
import weakref

log = []


class Loud(str):
    """A str whose methods tell when they run."""

    def __eq__(self, other):
        log.append("eq")
        return str.__eq__(self, other)

    def __hash__(self):
        log.append("hash")
        return str.__hash__(self)


class Meta(type):
    def mro(cls):
        return [cls, Helper, object]

    def __getattribute__(cls, name):
        log.append(f"meta {name}")
        return type.__getattribute__(cls, name)


class Helper:
    __slots__ = ("a", "b")


class Odd(Helper, metaclass=Meta):
    pass


class Prepared(type):
    @classmethod
    def __prepare__(cls, name, bases):
        return collections.OrderedDict({5: "a key that is no str", Loud("_fields"): ("x", "y")})


class Strange(tuple, metaclass=Prepared):
    pass


class Fields(tuple):
    _fields = ("x", 5, "y")


class Less(tuple):
    _fields = ("x",)


class More(tuple):
    _fields = ("x", "y", "z")


class Watched(dict):
    def __getitem__(self, key):
        log.append("getitem")
        return dict.__getitem__(self, key)

    def __iter__(self):
        log.append("iter")
        return dict.__iter__(self)

    def items(self):
        log.append("items")
        return dict.items(self)


class Plain:
    pass


class Twin:
    pass


class Slotted:
    __slots__ = ("left", "right", "__weakref__")


class Descriptor:
    def __get__(self, instance, owner):
        log.append("get")
        return 1

    def __set__(self, instance, value):
        log.append("set")


def attributes():
    thing = Plain()
    thing.a = 1
    thing.__dict__ = Watched(b=2)
    log.clear()
    thing.__dict__[Loud("c")] = 3
    thing.__dict__[4] = 4
    thing.__dict__[("d",)] = 5
    seen = len(thing.__dict__)
    log.clear()
    thing.__class__ = Twin
    step = thing
    thing.__dict__.clear()
    for number in range(40):
        setattr(thing, f"name{number}", number)
        if number % 3 == 0:
            delattr(thing, f"name{number}")
    log.clear()
    step = step.__dict__
    return seen


def classes():
    made = []
    for number in range(60):
        kind = type("Made", (Plain,), {"__slots__": ("x", "y")[: number % 3]})
        thing = kind()
        if number % 3:
            thing.x = number
        kind.later = number
        thing.z = [number]
        del kind.later
        made.append(thing)
        if number % 5 == 0:
            made.clear()
            gc.collect()
    Plain.method = lambda self: 1
    thing = Plain()
    thing.method = 2
    del Plain.method
    thing.method = 3
    Slotted.left, kept = Descriptor(), Slotted.left
    slotted = Slotted()
    slotted.right = 1
    kept.__set__(slotted, "hidden by a descriptor")
    step = slotted
    Slotted.left = kept
    del Slotted.right
    step = None
    return len(made), step


def tuples():
    things = [Strange((1, 2)), Fields((1, 2, 3)), Less((1, 2)), More((1,))]
    Less._fields = ["a list"]
    step = 1
    Less._fields = ("renamed", "both")
    step = 2
    del Less._fields
    step = 3
    odd = Odd()
    odd.a = 1
    odd.b = [odd]
    return len(things), step


def enums():
    class Colour(enum.Enum):
        RED = 1

    red = Colour.RED
    broken = object.__new__(Colour)
    broken._value_ = 5
    broken._name_ = broken
    bare = object.__new__(Colour)
    step = (red, broken, bare)
    return len(step)


class Dying:
    kept = []

    def __init__(self, name):
        self.name = name
        self.me = weakref.ref(self)

    def __del__(self):
        state = self.name
        self.last = "words"
        if self.name == "rises":
            self.name = "risen"
            Dying.kept.append(self)
        state += "!"


class Unready:
    __slots__ = ("a", "b", "c")

    def __new__(cls, *args):
        made = object.__new__(cls)
        made.b = args
        return made

    def __init__(self, *args):
        self.c = self
        self.a = args


def lives():
    for name in ("falls", "rises", "falls"):
        thing = Dying(name)
        thing.more = name * 2
        thing = None
    Dying.kept[0].name = "again"
    Dying.kept.clear()
    unready = Unready(1)
    del unready.a, unready.c
    return unready.b


def shared():
    table = {"numbers": list(range(20)), "thing": Plain()}
    done = threading.Event()

    def change():
        while not done.is_set():
            table["numbers"].append(1)
            del table["numbers"][:15]
            table["thing"].a = len(table)
            table["thing"].__dict__["b"] = {}
            table.pop("other", None)
            table["other"] = Plain()
            table["thing"].__dict__.pop("a", None)

    sys.setswitchinterval(1e-5)
    workers = [threading.Thread(target=change) for _ in range(2)]
    for worker in workers:
        worker.start()
    for number in range(150):
        step = number
        step += 1
    done.set()
    for worker in workers:
        worker.join()
    return step


def deep():
    class Node:
        def __init__(self, inner):
            self.inner = inner

    node = None
    for _ in range(500):
        node = Node(node)
    wide = Node([Node(i) for i in range(300)])
    wide.inner[299].inner = wide
    ring = Node(None)
    ring.inner = (ring, {"ring": ring}, [ring])
    return len(wide.inner)


for run in (attributes, classes, tuples, enums, lives, deep):
    log.clear()
    print(run.__name__, run(), log)
try:
    shared()
except (KeyError, AttributeError, IndexError) as error:
    print(type(error).__name__)
print("done", len(Dying.kept))
