"""Records enough for several chunks, whose borders fall into calls, generators and threads."""

import functools
import random
import threading


class Noise:
    """Texts that do not repeat, so that every step takes room."""

    def __init__(self, seed):
        self.text = functools.partial(random_text, random.Random(seed))


random_text = eval("lambda source, length: source.randbytes(length // 2).hex()")  # not recorded


def burn(noise, n):
    held = [0, 1, 2, 3, 4, 5, 6, 7]
    for i in range(n):
        held[i % 8] = i
        blob = noise.text(1000)
    return held


def generate(noise, n):
    state = {"n": n, "seen": []}
    for i in range(n):
        blob = noise.text(1000)
        state["seen"].append(i)
        if len(state["seen"]) > 4:
            state["seen"].pop(0)
        yield i


def nested(noise, depth):
    before = depth * 1000
    here = [depth, str(depth)]
    unset = 1
    del unset
    blobs = [noise.text(1000) for _ in range(2)]
    if depth:
        below = nested(noise, depth - 1)
        here.append(below)
    after = before + 1
    return after


counter = 0
shared = {"items": []}


def globals_user(n):
    global counter
    counter += 1
    shared["items"].append(counter)
    del shared["items"][:-3]
    return counter + n


def outer():
    kept = "kept from before"
    count = 5
    never_changes = [1, [2, 3]]
    noise = Noise(1)
    first = generate(noise, 400)
    next(first)
    total = 0
    for round_ in range(4):
        total += sum(burn(noise, 120))
        total += next(first)
        total += globals_user(round_)
        nested(noise, 60)
    for value in first:
        total += value
    return total, kept, count, never_changes


def threaded(number):
    noise = Noise(number)
    mine = [number]
    for i in range(700):
        blob = noise.text(1000)
        mine[0] += i
    return mine


print(outer()[0])
threads = [threading.Thread(target=threaded, args=(n,), name=f"t{n}") for n in (1, 2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(outer()[0])
