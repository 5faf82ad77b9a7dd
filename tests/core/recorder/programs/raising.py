"""Exceptions on every way: through C code, in loops, in generators, and caught on one line."""

import asyncio
import contextlib
import functools


def refuse(value):
    raise ValueError(value)


class Items:
    def __init__(self, count):
        self.left = count

    def __iter__(self):
        return self

    def __next__(self):
        if self.left == 0:
            raise StopIteration
        self.left -= 1
        return self.left

    async def __anext__(self):
        try:
            return next(self)
        except StopIteration:
            raise StopAsyncIteration from None

    def __aiter__(self):
        return self

    @property
    def broken(self):
        self.error = AttributeError("broken")
        raise self.error

    def __getitem__(self, index):
        if index > 1:
            raise IndexError(index)
        return index


def one_line(value):
    try: return refuse(value)
    except TypeError: return 1
    except (KeyError, ValueError): x = 2; return x


def bare():
    try:
        refuse(0)
    except:
        return "bare"


def bare_one_line():
    try: refuse(0)
    except: return "bare"


def after_others(kind):
    try:
        raise kind(1)
    except TypeError:
        return 1
    except (
        KeyError,
        IndexError,
    ) as error:
        return error
    except:
        return 3


def nothing_matches():
    try:
        refuse(1)
    except KeyError:
        return 1
    except TypeError:
        return 2


def chosen(flag):
    try:
        refuse(flag)
    except (ValueError if flag else KeyError) as error:
        return error.args


def again():
    for attempt in range(3):
        try:
            refuse(attempt)
        except ValueError:
            if attempt == 2:
                raise
            continue


def again_same_function():
    try:
        try:
            raise KeyError("first")
        except KeyError:
            raise
    except KeyError as error:
        kept = error
    try:
        raise kept
    except KeyError:
        pass


def raise_what_is_handled():
    raise


def handled_elsewhere():
    try:
        refuse(1)
    except ValueError:
        raise_what_is_handled()


def in_finally():
    try:
        refuse(1)
    finally:
        with contextlib.suppress(KeyError):
            {}["inner"]
        done = 1


def discards(values):
    for value in values:
        try:
            refuse(value)
        finally:
            continue


def swallow(kind):
    with contextlib.suppress(kind):
        refuse(1)
    with contextlib.suppress(ValueError), contextlib.ExitStack() as stack:
        stack.callback(refuse, 2)
    return kind


@contextlib.contextmanager
def managed(swallows):
    try:
        yield 1
    except ValueError:
        if not swallows:
            raise


@functools.cache
def cached(value):
    return refuse(value)


def through_c():
    for work in (
        lambda: list(map(refuse, [1])),
        lambda: sorted([2, 1], key=refuse),
        lambda: max([1], key=refuse),
        lambda: "".join(refuse(x) for x in "a"),
        lambda: cached(1),
        lambda: int("x"),
    ):
        try:
            work()
        except ValueError as error:
            last = error
    return last


def swallowed_by_c():
    items = Items(1)
    for _ in range(2):
        try:
            getattr(items, "broken", None).other
        except AttributeError as error:
            last = error
    return last, list(items[i] for i in range(1)), [*Items(2)], 5 in Items(3)


def numbers(count):
    try:
        for i in range(count):
            try:
                yield i
            except KeyError as error:
                yield error.args
    finally:
        done = True


def delegates(count):
    result = yield from numbers(count)
    return result


def throwing():
    made = delegates(3)
    next(made)
    print(made.throw(KeyError("thrown")))
    try:
        made.throw(ValueError("unhandled"))
    except ValueError as error:
        print(error)
    unused = delegates(2)
    next(unused)
    unused.close()
    plain = numbers(1)
    next(plain)
    del plain
    try:
        next(made)
    except StopIteration:
        print("over")


def stops():
    def early():
        yield 1
        next(iter(()))

    try:
        print(list(early()))
    except RuntimeError as error:
        print(error)


def yields_in_finally():
    try:
        refuse(1)
    finally:
        yield "in finally"


def groups():
    try:
        raise ExceptionGroup("all", [ValueError(1), KeyError(2), OSError(3)])
    except* ValueError as some: print(len(some.exceptions))
    except* KeyError:
        pass


def naked_group():
    try:
        refuse(1)
    except* ValueError:
        try:
            refuse(2)
        except* ValueError as inner:
            print(inner.exceptions[0].args)
            raise


class Body:
    try:
        refuse("in a class")
    except ValueError as error:
        kept = error.args
    try: refuse(2)
    except ValueError: pass


async def slow(value):
    await asyncio.sleep(0)
    return refuse(value)


class Session:
    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, traceback):
        await asyncio.sleep(0)
        return kind is ValueError


async def asynchronous():
    async for item in Items(2):
        print(item)
    async with Session():
        await slow(1)
    try:
        async with Session():
            raise KeyError("stays")
    except KeyError as error:
        print(error)
    try:
        await asyncio.gather(slow(2), slow(3))
    except ValueError as error:
        print(error)
    task = asyncio.create_task(asyncio.sleep(10))
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print("cancelled")
    try:
        await asyncio.wait_for(asyncio.sleep(5), 0.001)
    except TimeoutError as error:
        print(type(error))


def ignoring(call, *arguments):
    try:
        return call(*arguments)
    except Exception as error:
        print(type(error).__name__, error)


def changes_on_its_way(what):
    """An exception whose args, attributes or class are others where it is caught."""
    error = KeyError("text", 2**40, None)
    try:
        try:
            raise error
        finally:
            if what == "args":
                error.args = ("text", 2**40 + 1, None)
            elif what == "field":
                error.more = 1
            elif what == "items":
                error.args = ("text", [], None)
    except KeyError:
        if what == "items":
            error.args[1].append(1)
        raise


for change in ("", "args", "field", "items", ""):
    ignoring(changes_on_its_way, change)
for value in range(2):
    print(one_line(value), bare(), bare_one_line(), chosen(value) if value else ignoring(chosen, 0))
for kind in (TypeError, IndexError, OSError):
    print(after_others(kind))
for work in (nothing_matches, again, again_same_function, handled_elsewhere, in_finally, groups):
    ignoring(work)
ignoring(naked_group)
discards([1, 2, 3])
print(swallow(ValueError))
with managed(True):
    refuse(1)
try:
    with managed(False):
        refuse(2)
except ValueError: print("still there")
print(through_c(), swallowed_by_c())
throwing()
stops()
for turn in range(60):
    ignoring(refuse, f"one of many {turn % 20}")
for work in (yields_in_finally(), Items(2)):
    ignoring(list, work)
asyncio.run(asynchronous())
try: ignoring(refuse)
except BaseException: pass
