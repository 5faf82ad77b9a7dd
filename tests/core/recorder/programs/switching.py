"""Threads that are switched as often as the interpreter can, while chunks fill up."""

import random
import sys
import threading

sys.setswitchinterval(1e-6)


def tree(depth, source):
    if depth == 0:
        return source.randbytes(200).hex()
    left = tree(depth - 1, source)
    right = tree(depth - 1, source)
    return (left[:3], right[:3])


def numbers(n):
    for i in range(n):
        try:
            yield i
        finally:
            last = i


def work(seed):
    source = random.Random(seed)
    kept = {"seed": seed, "seen": []}
    for turn in range(12):
        made = tree(4, source)
        kept["seen"].append(made)
        total = sum(numbers(turn))
        kept["total"] = total
        try:
            if turn % 3 == 0:
                raise ValueError(seed, turn)
        except ValueError as error:
            kept["error"] = error.args
    return kept["total"]


def short(number):
    value = [number]
    value.append(value)
    return number


threads = [threading.Thread(target=work, args=(n,), name=f"work-{n}") for n in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for number in range(60):
    thread = threading.Thread(target=short, args=(number,), name=f"short-{number}")
    thread.start()
    thread.join()
