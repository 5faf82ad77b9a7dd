"""Every kind of parameter, with defaults, stars, and the ways of passing them."""


def positional(a, b, /, c=3, *, d, e=5):
    return a + b + c + d + e


def stars(*args, **kwargs):
    return len(args), sorted(kwargs)


def everything(a, /, b, *rest, c=1, **more):
    local = (a, b, rest, c, more)
    return local


def mutable_default(item, into=[]):
    into.append(item)
    return into


def rebinds(a, *args, **kwargs):
    a = [a]
    args = list(args)
    kwargs["extra"] = a
    del a
    return args, kwargs


def nothing():
    pass


def only_docstring():
    """Nothing else."""


async def coroutine(a, *, b=2):
    return a, b


def generator(first, *rest):
    yield first
    yield from rest


positional(1, 2, d=4)
positional(1, 2, 30, d=4, e=50)
stars()
stars(1, *[2, 3], x=1, **{"y": 2, "z": None})
everything(1, 2)
everything(1, 2, 3, 4, c=5, d=6, e=7)
mutable_default(1)
mutable_default(2)
rebinds(1, 2, 3, k="v")
nothing()
only_docstring()
list(generator(1, 2, 3))
(lambda *a, k=1, **kw: (a, k, kw))(1, 2, k=3, z=4)
c = coroutine(1)
try:
    c.send(None)
except StopIteration as stop:
    print(stop.value)
try:
    positional(1)
except TypeError as error:
    print(error)
sorted([3, 1, 2], key=lambda n: -n)
max("abc", key=lambda s: ord(s))
