"""Class bodies: plain, nested, enums, dataclasses, metaclasses with namespaces of their own."""

import enum
from collections import UserDict, namedtuple
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

limit = 3


class Plain:
    """Its body shares names with the module."""

    limit = limit + 1
    table = {name: len(name) for name in ("a", "bb")}
    items = []
    for i in range(limit):
        items.append(i)
    del i

    def method(self):
        return self.limit, __class__

    @property
    def size(self):
        return len(self.items)

    @staticmethod
    def helper(x):
        return x

    @classmethod
    def make(cls):
        return cls()

    class Nested:
        limit = 7
        deeper = limit

    if limit > 3:
        late = "bound late"


class Color(enum.Enum):
    RED = 1
    GREEN = enum.auto()
    BLUE = enum.auto()

    def describe(self):
        return self.name, self.value


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Flags(enum.Flag):
    A = enum.auto()
    B = enum.auto()
    AB = A | B


@dataclass
class Point:
    x: int
    y: int = 0
    tags: list = field(default_factory=list)

    def __post_init__(self):
        self.norm = self.x**2 + self.y**2


@dataclass(frozen=True, slots=True)
class Frozen:
    a: str
    b: tuple = ()


class Pair(NamedTuple):
    left: int
    right: str = "r"

    def swap(self):
        return Pair(self.right, self.left)


Old = namedtuple("Old", "p q")


class Recording(dict):
    def __setitem__(self, key, value):
        super().__setitem__(key, value)


class Meta(type):
    @classmethod
    def __prepare__(mcls, name, bases, **kwargs):
        namespace = Recording()
        namespace["prepared"] = True
        return namespace

    def __new__(mcls, name, bases, namespace, **kwargs):
        made = super().__new__(mcls, name, bases, dict(namespace))
        made.kwargs = kwargs
        return made

    def __init__(cls, name, bases, namespace, **kwargs):
        super().__init__(name, bases, namespace)

    def __call__(cls, *args):
        return super().__call__(*args)


class WithMeta(metaclass=Meta, option=1):
    first = 1
    second = first + 1

    def __init__(self, value):
        self.value = value


class Odd(UserDict):
    pass


class OddMeta(type):
    @classmethod
    def __prepare__(mcls, name, bases):
        return Odd()

    def __new__(mcls, name, bases, namespace):
        return super().__new__(mcls, name, bases, dict(namespace))


class InUserDict(metaclass=OddMeta):
    hidden = 1
    also = hidden + 1


class Base:
    def __init_subclass__(cls, **kwargs):
        cls.seen = sorted(kwargs)

    def __set_name__(self, owner, name):
        self.name = name


class Child(Base, a=1, b=2):
    part = Base()

    def method(self):
        return super().__init__()


class Shape(Protocol):
    def area(self) -> float: ...


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self):
        self.a = 1


def make(n):
    class Local:
        size = n
        squares = [n * k for k in range(n)]

        def get(self):
            return self.size + n

    return Local


print(Plain().method()[0], Plain().size, Plain.make().late)
print(Color.BLUE.describe(), list(Level), Flags.AB)
print(Point(3, 4).norm, Frozen("f"), Pair(1).swap(), Old(1, 2))
print(WithMeta(5).value, WithMeta.kwargs, WithMeta.prepared)
print(InUserDict.also, Child.seen, Child().method())
print(make(3)().get())
points = [Point(1), Level.HIGH, Pair(2, "s"), Old([1], {2}), Slotted(), Color.RED]
