"""Threads with stacks of their own, started, joined, and handing work to each other."""

import queue
import threading
from concurrent.futures import ThreadPoolExecutor


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def worker(number):
    total = 0
    for i in range(200):
        total += fib(i % 6) * number
    return total


def generator_worker(n):
    def numbers():
        for i in range(n):
            yield i

    return sum(numbers())


def failing(n):
    try:
        raise ValueError(n)
    except ValueError:
        result = -n
    return result


class Own(threading.Thread):
    def __init__(self, n):
        super().__init__(name=f"own-{n}")
        self.n = n

    def run(self):
        inside = []
        for i in range(50):
            inside.append(worker.__name__)
            if len(inside) > 5:
                inside.clear()
        fib(self.n)


def producer(out):
    for i in range(20):
        out.put(i)
    out.put(None)


def consumer(source):
    got = []
    while (item := source.get()) is not None:
        got.append(item)
    return got


def main():
    threads = [
        threading.Thread(target=worker, args=(n,), name=f"worker-{n}") for n in range(1, 4)
    ]
    threads += [Own(5), Own(7)]
    threads += [
        threading.Thread(target=generator_worker, args=(50,), name="generator"),
        threading.Thread(target=failing, args=(1,), name="failing"),
    ]
    channel = queue.Queue()
    threads += [
        threading.Thread(target=producer, args=(channel,), name="producer"),
        threading.Thread(target=consumer, args=(channel,), name="consumer"),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n in range(3):
        again = threading.Thread(target=failing, args=(n,), name=f"after-{n}")
        again.start()
        again.join()
    with ThreadPoolExecutor(1, thread_name_prefix="pool") as pool:
        return list(pool.map(fib, range(6)))


print(main())
