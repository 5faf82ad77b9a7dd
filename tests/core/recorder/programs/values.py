"""Values of every builtin kind at their edges, and instances of subclasses."""

from collections import Counter, OrderedDict, defaultdict, deque


def ints():
    n = 0
    for n in (63, 64, -64, -65, 8191, 8192, 2**30 - 1, 2**30, -(2**30), 2**31, 2**62, 2**63 - 1):
        m = -n
    for n in (-(2**63), 2**63, -(2**63) - 1, 2**64, 2**64 - 1, 2**100, -(2**100), 2**1000):
        m = n
    for n in (127, 128, 255, 256, 2**8191 - 1, 2**8191, -(2**8191), -(2**8191) - 1, 10**3000):
        m = -n
    n = 2**62
    for _ in range(3):
        n = n * 3
    n = 2**63 - 1
    n = -(2**63)
    n = 2**63 - 1
    n = 100
    n += 31
    n += 32
    n -= 32
    n -= 33
    n += 1_000_000
    n -= 999_990
    n = True
    n = 1
    n = 1.0
    return n


def floats():
    inf = float("inf")
    for f in (0.0, -0.0, 1.5, inf, -inf, 1e300, 5e-324, 0.1, 1e16):
        g = f
    nan = float("nan")
    other = nan
    other = float("-nan")
    c = complex(1, -0.0)
    c = complex(nan, inf)
    c = 1j
    return g, other


def texts():
    s = ""
    for s in ("a", "é", "€", "😀", "a\udc80b", "\ud83d\ude00", "\0", "x" * 1023, "y" * 1024, "z" * 1025):
        t = s
    for s in ("é" * 1024, "€" * 1025, "😀" * 2000):
        t = s + "!"
    b = b""
    for b in (b"\x00\xff", bytes(range(256)), b"b" * 1024, b"b" * 1025):
        a = b
    array = bytearray(b"abc")
    array += b"d"
    view = memoryview(b"xy")
    return t, a


def growing():
    s = ""
    b = b""
    for i in range(40):
        s += "abcdefghijklmnopqrstuvwxyz0123456789"
        b += b"0123456789abcdefghijklmnopqrstuvwxyz"
    short = ""
    for i in range(20):
        short += chr(65 + i)
    return len(s), len(b), short


def others():
    r = range(3)
    s = slice(1, 2)
    e = ...
    n = NotImplemented
    f = others
    t = int
    o = object()
    m = o.__init__
    d = deque([1, 2])
    i = iter([1])
    return r


class Int(int):
    pass


class Text(str):
    pass


class Real(float):
    pass


class Data(bytes):
    pass


class Items(list):
    pass


class Row(tuple):
    pass


class Names(set):
    pass


class Fixed(frozenset):
    pass


class Table(dict):
    pass


class Complex(complex):
    pass


class Plain:
    pass


def subclasses():
    i = Int(5)
    i = Int(6)
    i = Int(2**70)
    i = 6
    t = Text("text")
    t = Text("text" * 400)
    r = Real(-0.0)
    d = Data(b"data")
    items = Items([1, Text("in")])
    items.append(2)
    row = Row((1, [2]))
    row[1].append(3)
    names = Names({1, 2})
    names.add(3)
    fixed = Fixed({4})
    table = Table(a=1)
    table["b"] = Table(c=2)
    table["b"]["d"] = 3
    c = Complex(1, 2)
    counter = Counter("aab")
    counter["c"] += 1
    ordered = OrderedDict(a=1, b=2)
    ordered.move_to_end("a")
    lists = defaultdict(list)
    lists["k"].append(1)
    items = list(items)
    items = Items(items)
    return items


def the_same_again():
    number, real = 1000, 1.5
    number, real = int("1000"), float("1.5")
    number, real = 1000.0, 15
    number, real = int("2000"), -0.0
    number, real = 2**62, 0.0
    number, real = int(str(2**62)), float("nan")
    number, real = 2**62 - 1, float("nan")
    number = 2**64
    number = int(str(2**64))
    number = True
    number = 1
    number = None
    del number
    return real


def instances():
    a = Plain()
    b = a
    a = Plain()
    pair = [a, b]
    pair = [b, a]
    error = ValueError("text", [1])
    error.args[1].append(2)
    error = OSError(2, "no", "file")
    error = UnicodeDecodeError("utf-8", b"x", 0, 1, "why")
    return pair


ints()
floats()
texts()
print(growing())
others()
subclasses()
the_same_again()
instances()
