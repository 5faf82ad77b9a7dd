"""Lines that cannot change the large list beside them, and lines that only look like these."""

from __future__ import annotations

SHARED = list(range(100))


HIDDEN = '''
class Number:
    """Its operators, its truth and its end change the list."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __add__(self, other: int) -> int:
        SHARED[0] += 1
        return self.value + other

    __radd__ = __add__

    def __eq__(self, other: object) -> bool:
        SHARED[1] += 1
        return False

    def __hash__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        SHARED[2] += 1
        return True

    def __neg__(self) -> int:
        SHARED[3] += 1
        return -self.value

    def __del__(self) -> None:
        SHARED[4] += 1


class Text(str):
    def __add__(self, other: str) -> str:
        SHARED[5] += 1
        return other


class Items(list):
    def __getitem__(self, index: int) -> int:
        SHARED[6] += 1
        return 0


def counted():
    for i in range(3):
        SHARED[7] += 1
        yield i
'''
# What is in no file is not recorded: nothing but the list tells that it has run.
exec(compile(HIDDEN, "<hidden>", "exec"))


def plain(n: int) -> float:
    items, total, text, ratio = SHARED, 0, "", 0.5
    for i in range(n):
        total += i * 2
        text = text + "x" if i % 3 else "y"
        ratio = ratio * 1.5 - i
        big = i == 2 or not i
        if total > 5 and i != 4:
            total = -total
        if big is None:
            break
        while total < -3:
            total += 2
        one = items[i]
        first, last = items[i], items[-1]
        first, last = last, first
        items[one] = total
        best = one
        for j in range(0):
            pass
        for j in range(2): total += j
    return total + ratio


def overloaded(number: Number, text: Text, sub: Items) -> int:
    items = SHARED
    total = number + 1
    total = 1 + number
    total = number == 1
    total = -number
    if number:
        total = 3
    total = 4 if number else 5
    text = text + "more"
    total = sub[1]
    both = (number, 1)
    total = both[0] == 1
    return total + len(items)


def replaced() -> int:
    items = SHARED
    last = Number(1)
    last = 2
    last = Number(3)
    kept = last
    last = None
    kept = None
    pair = [Number(4)]
    last = pair[0]
    pair = 5
    last = 6
    one = two = Number(7)
    one = two = 8
    for i in range(2):
        i = Number(i)
    for step in [Number(9), Number(10)]:
        i = 0
    step = 0
    return items[4] + one + two + i


def iterated() -> int:
    items, total = SHARED, 0
    for i in counted():
        total += i
    for i in iter(lambda: items.append(1) or len(items), 103):
        total += i
    for i in map(items.append, range(2)):
        total = i
    for a, b in zip(counted(), range(2)):
        total = a
    return total or 0


def failing(n: int) -> int:
    items, failed = SHARED, 0
    for i in range(n):
        try:
            failed = items[i + 98]
        except IndexError:
            items[8] += 1
            failed = -1
        try:
            failed = i % (2 - i)
        except ZeroDivisionError:
            failed = -2
        finally:
            items[9] += 1
        try:
            failed = "a" + i
        except TypeError as error:
            failed = error.args[0][:3]
    try:
        failed = unbound
        unbound = 1
    except UnboundLocalError:
        failed = 0
    return failed


def returned(i: int) -> int:
    items = SHARED
    if i:
        return items[i]
    for i in range(1):
        i = i
    else:
        i = 5
    for i in range(2):
        i = 3


print(plain(8), overloaded(Number(2), Text("t"), Items([1])), replaced(), iterated(), failing(4))
print([returned(i) for i in range(3)], SHARED[:10])
