"""Coroutines: awaits, async for, async with, tasks that take turns, cancellation."""

import asyncio


class Session:
    def __init__(self, name):
        self.name = name

    async def __aenter__(self):
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, kind, error, traceback):
        await asyncio.sleep(0)
        return kind is ValueError


async def numbers(n):
    try:
        for i in range(n):
            await asyncio.sleep(0)
            yield i
    finally:
        last = n


async def work(name, turns, log):
    for turn in range(turns):
        log.append((name, turn))
        await asyncio.sleep(0)
    return name * turns


async def fails(after):
    for _ in range(after):
        await asyncio.sleep(0)
    raise LookupError(after)


async def cancelled():
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        state = "cancelled"
        raise
    finally:
        state = "over"


async def consume():
    seen = []
    async for n in numbers(3):
        seen.append(n)
    squares = [n * n async for n in numbers(3) if n]
    pairs = {n: await work("x", 1, []) async for n in numbers(2)}
    async with Session("a") as one, Session("b") as two:
        names = one.name + two.name
    async with Session("c"):
        raise ValueError("swallowed")
    partial = numbers(5)
    async for n in partial:
        break
    await partial.aclose()
    return seen, squares, pairs, names


class Awaitable:
    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return 42


async def groups():
    log = []
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(work("g", 3, log))
            group.create_task(fails(1))
    except* LookupError as errors:
        caught = errors.exceptions[0].args
    return caught


async def main():
    log = []
    results = await asyncio.gather(
        work("a", 2, log), work("b", 3, log), fails(1), return_exceptions=True
    )
    print(len(log), results)
    task = asyncio.create_task(cancelled(), name="to cancel")
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print("cancelled")
    print(await consume())
    print(await Awaitable())
    print(await groups())
    try:
        await asyncio.wait_for(asyncio.sleep(10), 0.001)
    except TimeoutError:
        print("timeout")


asyncio.run(main())
