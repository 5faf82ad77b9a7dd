"""Objects of every kind, and what happens to them between steps."""

import dataclasses
import datetime
import decimal
import enum
import functools
import pathlib
import types
import uuid
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from fractions import Fraction


class Plain:
    kind = "class attribute"

    def __init__(self, *names):
        for number, name in enumerate(names):
            setattr(self, name, number)


class Slotted:
    __slots__ = ("left", "right")


class Both(Slotted):
    __slots__ = ("__dict__", "more")


class Again(Slotted):
    __slots__ = ("left",)


class Mixed(Both, Plain):
    pass


class Private:
    __slots__ = ("__hidden",)

    def __init__(self):
        self.__hidden = 5


class Numbers(list):
    pass


class Text(str):
    pass


class Table(dict):
    __slots__ = ("note",)


class Failure(Exception):
    def __init__(self, code):
        super().__init__("failed", code)
        self.code = code


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Fixed:
    name: str
    points: list


class Colour(enum.Enum):
    RED = 1
    GREEN = "g"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Right(enum.Flag):
    READ = 1
    WRITE = 2


Pair = namedtuple("Pair", "first second")


class Named(Pair):
    pass


def slots():
    thing = Slotted()
    thing.right = 1
    thing.left = [1]
    thing.left.append(thing)
    del thing.right
    both = Both()
    both.more = both
    both.left = 2
    both.free = 3
    again = Again()
    again.left = 4
    mixed = Mixed("a", "b")
    mixed.right = 5
    private = Private()
    return thing, both, again, mixed, private


def attributes():
    plain = Plain("b", "a")
    other = Plain("a", "b")
    plain.c = plain.b
    del plain.b
    plain.b = "again"
    shown = plain.__dict__
    shown["by the dict"] = 1
    plain.a += 1
    plain.__dict__ = {"replaced": True}
    plain.__class__ = Other
    plain.last = other
    many = Plain(*(f"name{i}" for i in range(120)))
    many.name3 = "changed"
    many.name119 = "not shown"
    empty = Plain()
    empty.first = None
    del empty.first
    return plain, many


class Other:
    pass


def nested():
    points = [Point(i, [i]) for i in range(12)]
    points[3].x = 30
    points[4].y.append(4)
    points[5], points[6] = points[6], points[5]
    points[7] = None
    points[8] = points[8]
    points[9:11] = [Point(9), Point(10)]
    points[0].self = points
    points[1].same = points[2].same = points[3]
    points[3].x = 31
    by_name = {"a": points[0], "b": {"c": points[1]}}
    by_name["b"]["c"].x = "deep"
    grid = [[0] * 4 for _ in range(4)]
    for row in range(4):
        grid[row][row] = row
    pair = (points[2], [points[2]])
    points[2].y = 2
    fixed = Fixed("f", [1])
    fixed.points.append(2)
    chain = None
    for number in range(9):
        chain = Point(number, chain)
    return points, pair


def parts():
    numbers = Numbers([1, 2])
    numbers.note = "n"
    numbers.append(3)
    numbers.note = numbers
    text = Text("text")
    text.mark = 1
    table = Table(a=1)
    table["b"] = 2
    table.note = "noted"
    table["a"] = table
    failure = Failure(5)
    failure.code += 1
    failure.add_note("a note")
    failure.args = (failure,)
    return numbers


def library():
    queue = deque([1, 2], maxlen=3)
    queue.append([3])
    queue.appendleft(0)
    queue.rotate(1)
    long = deque(range(200))
    long.popleft()
    count = Counter("aab")
    count["c"] += 1
    groups = defaultdict(list)
    groups["g"].append(1)
    ordered = OrderedDict(a=1, b=2)
    ordered["a"] = 3
    pair = Pair(1, [2])
    pair.second.append(pair)
    named = Named(1, 2)
    named.extra = 3
    colour = Colour.RED
    colour = Colour.GREEN
    level = Level.HIGH
    right = Right.READ | Right.WRITE
    third = Fraction(1, 3)
    path = pathlib.PurePosixPath("/a") / "b"
    unique = uuid.UUID(int=7)
    space = types.SimpleNamespace(a=1)
    space.b = space
    partial = functools.partial(int, "7", base=8)
    span = range(3, 9, 2)
    part = slice(1, None)
    raw = bytearray(b"raw")
    raw += b"er"
    view = memoryview(raw)
    raw[0] = 0
    view.release()
    return queue


def words():
    def inner():
        yield 1

    inner.__qualname__ = "renamed"
    generator = inner()
    method = Plain("a").__init__
    builtin = len
    bound = [].append
    unbound = dict.get
    slot = int.__add__
    module = types
    kind = Plain
    static = int
    late = None
    for late in (inner, words, len, Plain):
        pass
    return generator


def moments():
    stamp = datetime.datetime(2024, 2, 29, 1, 2, 3)
    day = datetime.date(2024, 2, 29)
    clock = datetime.time(1, 2, 3, 4)
    span = datetime.timedelta(days=-1, microseconds=5)
    price = decimal.Decimal("12.50")
    price *= 2
    return stamp


for run in (slots, attributes, nested, parts, library, words):
    run()
