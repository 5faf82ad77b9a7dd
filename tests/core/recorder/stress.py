"""A program that does at once what makes recording difficult, in session after session.

As a command::

    python stress.py FOLDER ROUNDS

Each round records threads that recurse to the limit, raise through each other, collect garbage
that speaks when it dies, make and drop code, write in every way, fork and run asyncio, beside
signals and threads that ran before. What they would notice of a recorder is asserted here.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import os
import shutil
import signal
import sys
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from pathlib import Path
from types import FrameType

from core.recorder.drive import NATIVE_VARIABLE, use_native

use_native()

import codetracer_core  # noqa: E402 - the module that was built with other flags

POLICIES: tuple[dict[str, object], ...] = (
    {"io_capture_fd_fallback": True, "capture_logging": True},
    {"value_repr": "call", "max_items": 5},
    {"io_capture_line_proxies": False},
)
LOG = logging.getLogger("stress")
LIMIT = 400


class Speaks:
    """Garbage in a cycle, which writes and raises when it is collected."""

    born = 0

    def __init__(self, text: str) -> None:
        Speaks.born += 1
        self.text, self.me = text, self

    def __repr__(self) -> str:
        if len(self.text) % 3 == 0:
            raise ValueError(self.text)
        return f"<{self.text}>"

    def __del__(self) -> None:
        sys.stderr.write(self.text)
        try:
            raise KeyError(self.text)
        except KeyError:
            self.text = ""


def recurse(depth: int) -> int:
    try:
        return recurse(depth + 1)
    except RecursionError:
        return depth


def raise_through(depth: int, callback: Callable[[], object]) -> None:
    try:
        if depth:
            functools.reduce(lambda *_: raise_through(depth - 1, callback), "ab", None)
        callback()
    except ZeroDivisionError as error:
        raise LookupError(depth) from error
    finally:
        Speaks("d" * depth)


def tree(depth: int) -> Generator[int, str | None]:
    try:
        if depth:
            yield from tree(depth - 1)
        got = yield depth
        if got:
            raise KeyError(got)
    finally:
        left = [depth]
        left.append(len(left))


def made(number: int) -> int:
    names: dict[str, int] = {}
    source = f"class Made{number}(list):\n    pass\nx = [Made{number}([n]) for n in range(3)]\n"
    source += f"def f(a):\n    b = a + {number}\n    return b\ny = f(len(x))\n"
    exec(compile(source, __file__, "exec"), names)
    return names["y"]


async def turn(number: int) -> int:
    async def numbers() -> AsyncIterator[int]:
        for n in range(number):
            await asyncio.sleep(0)
            yield n

    total = 0
    async for n in numbers():
        total += n
    if number == 3:
        raise ValueError(number)
    return total


def write(number: int) -> None:
    print("out", number, flush=number % 2 == 0)
    os.write(2, b"err %d\n" % number)
    os.writev(1, [b"past ", b"methods\n"])
    sys.stdout.buffer.write(memoryview(b"bytes\n"))
    LOG.warning("logged %d %s", number, "text")


def work(number: int) -> None:
    assert recurse(0) > LIMIT // 4
    for depth in range(4):
        try:
            raise_through(depth, lambda: 1 // (number - number))
        except LookupError as error:
            assert error.args == (0,)
    generators = [tree(depth) for depth in range(6)]
    weak = weakref.WeakSet(generators)
    assert [next(one) for one in generators] == [0] * 6
    for one in generators[1:3]:
        try:
            one.throw(KeyError, "thrown")
        except KeyError:
            continue
    del one, generators
    gc.collect()
    assert not weak
    assert made(number) == number + 3
    found = asyncio.run(gather())
    assert [type(each) for each in found] == [int, int, int, ValueError]
    write(number)
    fork()


async def gather() -> list[int | BaseException]:
    return await asyncio.gather(*map(turn, range(4)), return_exceptions=True)


def fork() -> None:
    if os.environ.get(NATIVE_VARIABLE):
        # A child waits for ever for a lock of the sanitizer that another thread has.
        return
    child = os.fork()
    if child == 0:
        made(1)
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def interrupted() -> Iterator[int]:
    """How often a handler has raised in the middle of a line."""
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    for _ in range(5):
        try:
            while True:
                made(2)
        except InterruptedError:
            yield 1
    signal.setitimer(signal.ITIMER_REAL, 0)


def on_signal(number: int, frame: FrameType | None) -> None:
    while frame is not None:
        if frame.f_code is made.__code__:
            raise InterruptedError(number)
        frame = frame.f_back


def one_round(folder: Path, number: int) -> None:
    go_on = threading.Event()

    def before() -> None:
        go_on.wait()
        work(number)

    threads = [threading.Thread(target=before, daemon=True)]
    threads[0].start()
    session = codetracer_core.start(folder, policy=POLICIES[number % len(POLICIES)])
    threads += [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    work(number)
    for thread in threads:
        thread.join()
    assert sum(interrupted()) == 5
    codetracer_core.stop()
    assert session.finished is not None
    assert session.finished.failure is None
    assert session.finished.steps > 1000
    shutil.rmtree(folder)


def main(folder: Path, rounds: int) -> None:
    """The command."""
    sys.setrecursionlimit(LIMIT)
    signal.signal(signal.SIGALRM, on_signal)
    logging.basicConfig()
    for number in range(rounds):
        one_round(folder, number)
    gc.collect()
    print(Speaks.born > 0, file=sys.__stdout__)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
