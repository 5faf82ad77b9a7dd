"""Tasks that take turns, with names given, changed and left out, in one loop after the other."""

import asyncio
import contextvars
import threading

setting = contextvars.ContextVar("setting", default=0)


def plain(n):
    return n * 2


async def inner(n):
    await asyncio.sleep(0)
    kept = plain(n)
    await asyncio.sleep(0)
    return kept


async def worker(n):
    setting.set(n)
    total = 0
    for turn in range(3):
        total += await inner(turn)
        if turn == 1 and n == 2:
            asyncio.current_task().set_name("renamed")
    return total, setting.get()


async def numbers(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i


async def collect():
    return [i async for i in numbers(3)]


async def fails():
    await asyncio.sleep(0)
    raise ValueError("in a task")


async def cancelled():
    try:
        await asyncio.sleep(10)
    finally:
        left = plain(1)


# Not recorded: what a loop holds is different in each process.
exec(
    compile(
        """
class OddLoop(asyncio.SelectorEventLoop):
    def __hash__(self):
        return 7

    def __eq__(self, other):
        return self is other


class OddTask(asyncio.Task):
    def get_name(self):
        return "not asked for"


def eagerly():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)


def oddly():
    loop = asyncio.get_running_loop()
    loop.set_task_factory(lambda loop, coroutine, **more: OddTask(coroutine, loop=loop, **more))
""",
        "<odd>",
        "exec",
    )
)


async def main():
    tasks = [asyncio.create_task(worker(n), name=f"worker {n}") for n in range(3)]
    tasks.append(asyncio.create_task(collect()))
    broken = asyncio.create_task(fails(), name="n" * 300)
    sleeper = asyncio.create_task(cancelled(), name=17)
    print(await asyncio.gather(*tasks))
    try:
        await broken
    except ValueError as error:
        print(error)
    sleeper.cancel()
    try:
        await sleeper
    except asyncio.CancelledError:
        print("cancelled")
    async with asyncio.TaskGroup() as group:
        made = [group.create_task(inner(n)) for n in range(2)]
    print([task.result() for task in made])
    asyncio.get_running_loop().call_soon(plain, 5)
    await asyncio.sleep(0)
    eagerly()
    print(await asyncio.create_task(inner(4)))
    oddly()
    print(await asyncio.create_task(inner(5), name="odd"))


asyncio.run(main())
with asyncio.Runner(loop_factory=OddLoop) as runner:
    print(runner.run(worker(1)))
threads = [threading.Thread(target=asyncio.run, args=(worker(n),), name=f"loop {n}") for n in range(2)]
for thread in threads:
    thread.start()
    thread.join()
alone = inner(3)
try:
    alone.send(None)
    alone.send(None)
    alone.send(None)
except StopIteration as stop:
    print(stop.value)
