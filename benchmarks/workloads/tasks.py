"""Tasks of asyncio: ten workers hand numbers on through a queue."""

from __future__ import annotations

import asyncio
import sys
import time

async def work(incoming: asyncio.Queue[int], outgoing: list[int]) -> None:
    """Square what comes in, until it is told to go."""
    while True:
        number = await incoming.get()
        if number < 0:
            return
        square = number * number
        outgoing.append(square)


async def main(n: int) -> int:
    """The sum of the squares of the numbers below `n`."""
    queue: asyncio.Queue[int] = asyncio.Queue(maxsize=10)
    results: list[int] = []
    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(work(queue, results))
        for number in [*range(n), *[-1] * 10]:
            await queue.put(number)
    return sum(results)


def run(n: int) -> int:
    """What `main` gives, in an event loop of its own."""
    return asyncio.run(main(n))


if __name__ == "__main__":
    began = time.perf_counter()
    result = run(int(sys.argv[1]))
    print(result, time.perf_counter() - began)
