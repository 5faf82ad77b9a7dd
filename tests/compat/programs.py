"""Small programs of which both recorders must tell the same story."""

from __future__ import annotations

__all__ = ["PROGRAMS"]

PROGRAMS = {
    "calls": """\
def add(a, b=2, *rest, c=3, **more):
    total = a + b
    return total

class Point:
    def __init__(self, x):
        self.x = x

    def moved(self, by):
        return Point(self.x + by)

add(1)
add(1, 5, 7, 8, c=4, d="x")
Point(1).moved(2)
print(add(*[1, 2], **{"c": 9}))
""",
    "loops": """\
def count(limit):
    total = 0
    for number in range(limit):
        if number % 2:
            continue
        total += number
    while total:
        total -= 1
    return total

count(4)
squares = [n * n for n in range(3)]
pairs = {n: str(n) for n in range(2)}
""",
    "recursion": """\
def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)

fib(4)
""",
    "exceptions": """\
def fail(text):
    raise ValueError(text)

def hand_on():
    try:
        fail("first")
    finally:
        done = True

def handle():
    try:
        hand_on()
    except ValueError as error:
        message = str(error)
        return message

handle()
later = lambda: missing + 1
try:
    later()
except NameError:
    named = False
try:
    {}["missing"]
except KeyError:
    found = False
try:
    fail()
except TypeError:
    pass
""",
    "generators": """\
def ticks():
    yield "one"
    yield "two"
    return "done"

def caught():
    try:
        yield 1
    except RuntimeError as error:
        yield str(error)

def outer():
    result = yield from ticks()
    yield result

for tick in outer():
    last = tick
worker = caught()
next(worker)
worker.throw(RuntimeError("boom"))
worker.close()
total = sum(n for n in range(3))
""",
    "coroutines": """\
import types

@types.coroutine
def checkpoint():
    payload = yield "suspended"
    return payload

async def work():
    try:
        payload = await checkpoint()
        return f"ok:{payload}"
    except RuntimeError as error:
        return f"failed:{error}"

def drive(throw):
    coroutine = work()
    coroutine.send(None)
    try:
        if throw:
            coroutine.throw(RuntimeError("boom"))
        coroutine.send("data")
    except StopIteration:
        pass

drive(False)
drive(True)
""",
    "closures": """\
def counter():
    count = 0

    def step(by=1):
        nonlocal count
        count += by
        return count

    return step

step = counter()
step()
step(4)
key = lambda pair: pair[1]
ordered = sorted([(1, "b"), (2, "a")], key=key)
""",
    "values": """\
def same(value):
    copy = value
    return copy

class Text(str):
    pass

class Items(list):
    pass

plain = [None, True, 1, -5, 2**63 - 1, 2**63, -2**63, 1.5, float("inf"), 1j, "é\\"\\n", b"a\\xff"]
for value in plain:
    same(value)
for value in [(1,), (), [], [1, [2]], {}, {"a": 1, 2: (3,)}, Text("s"), Items([1])]:
    same(value)
""",
    "decorators": """\
def twice(function):
    def wrapper(*args):
        function(*args)
        return function(*args)
    return wrapper

@twice
def greet(name):
    text = f"hello {name}"
    return text

greet("you")
""",
    "context": """\
from contextlib import contextmanager

class Lock:
    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        return kind is ValueError

@contextmanager
def block(name):
    opened = name
    yield opened
    closed = name

with Lock():
    raise ValueError("swallowed")
with block("b") as opened:
    inside = opened
""",
    "exit": """\
import sys

def leave(status):
    sys.exit(status)

leave(3)
""",
    "multiline": """\
def join(*parts):
    return "-".join(
        part
        for part in parts
    )

text = join(
    "a",
    "b",
)
if (text
        and len(text) > 1):
    long = True
else:
    long = False
""",
    "threads": """\
import threading

def work(number):
    doubled = number * 2
    return doubled

for number in range(3):
    thread = threading.Thread(target=work, args=(number,))
    thread.start()
    thread.join()
""",
}
