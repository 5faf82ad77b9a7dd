"""Generators and coroutines that are suspended while others run, and never finished."""


def numbers(name, n):
    local = [name]
    for i in range(n):
        local.append(i)
        got = yield i
        if got:
            local.append(got)


def merge(*sources):
    alive = list(sources)
    while alive:
        for source in list(alive):
            try:
                value = next(source)
            except StopIteration:
                alive.remove(source)
            else:
                yield value


def tree(depth):
    if depth:
        yield from tree(depth - 1)
        yield depth
        yield from tree(depth - 1)


def same_frame_twice(n):
    a = numbers("a", n)
    b = numbers("b", n)
    total = 0
    for x in a:
        total += x
        try:
            total += next(b) * 10
            total += b.send("sent") * 100
        except StopIteration:
            total += 1000
    return total


async def suspended():
    await never()


class never:
    def __await__(self):
        yield "parked"
        raise AssertionError("resumed")


kept = [numbers("kept", 3), numbers("unstarted", 3)]
next(kept[0])
kept[0].send("x")
print(list(merge(numbers("a", 3), numbers("b", 1), numbers("c", 2))))
print(list(tree(4)))
print(same_frame_twice(5))
parked = suspended()
print(parked.send(None))
other = numbers("left", 100)
for value in other:
    if value == 3:
        break
del other
