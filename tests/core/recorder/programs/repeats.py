"""Objects that stand in one value more than once, and that begin and cease to."""

import collections
import dataclasses
import enum
from types import SimpleNamespace


class Node:
    def __init__(self, name, *others):
        self.name = name
        self.others = list(others)


class Numbers(list):
    pass


class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Point:
    x: int
    y: int


def lists():
    row = [1, 2]
    same = [row, row]
    equal = [[1, 2], [1, 2]]
    equal[1] = equal[0]
    equal[1] = [1, 2]
    rows = [[0] * 2] * 3
    rows[0][1] = 5
    rows.append(row)
    rows.append(rows[0])
    rows[1] = rows[3]
    rows[0] = rows[1] = rows[2] = row
    rows.reverse()
    row.append(rows)
    return same, equal, rows


def grows():
    rows = []
    for i in range(30):
        row = [i, [i]]
        rows.append(row)
    rows[7] = rows[21]
    rows[7] = [7, rows[21][1]]
    rows[7] = [7, [21]]
    rows[3], rows[4] = rows[4], rows[3]
    rows[5], rows[6] = rows[6], [rows[6]]
    return len(rows)


def everywhere():
    inner = {"n": 1}
    shared = [inner, (inner, [inner]), {"key": inner}, {"key": {"deep": inner}}]
    inner["n"] += 1
    queue = collections.deque([inner, inner])
    counts = collections.Counter(a=1)
    numbers, raw = Numbers([inner]), bytearray(b"ab")
    mixed = [counts, counts, numbers, numbers, raw, raw, queue, queue, shared[1], shared[1]]
    raw += b"c"
    numbers.append(raw)
    space = SimpleNamespace(a=inner, b=inner, c=[inner])
    space.c = space.a
    del space.b
    return [shared, mixed, space]


def without_identity():
    point, colour, text, pair = (1, 2), Colour.RED, "text", (1, (2, 3))
    kinds = [point, point, colour, colour, text, text, pair, pair, int, int, len, len, (), ()]
    kinds += [object, range(3), frozenset((1,)), 1.5, None, Colour.RED, lists, lists]
    return [kinds, kinds[0]]


def objects():
    point = Point(1, 2)
    points = [point, Point(1, 2), point]
    point.x = 5
    points[1] = point
    points[0] = Point(5, 2)
    points[2] = points[0]
    first, second = Node("first"), Node("second")
    third = Node("third", first, second, first)
    graph = {node.name: node for node in (first, second, third)}
    first.others.append(third)
    second.others += [second, first]
    graph["again"] = graph["third"]
    del graph["first"]
    error = ValueError(point, [point])
    error.args += (error.args[1],)
    third.others.clear()
    return graph, points, error


def members():
    keys = [Node(str(i)) for i in range(3)]
    held = {keys[0], keys[1]}
    values = [held, held, keys[0]]
    held.discard(keys[0])
    by_key = {keys[0]: keys[1], keys[1]: keys[0]}
    return [values, len(by_key), by_key]


lists()
grows()
everywhere()
without_identity()
objects()
members()
