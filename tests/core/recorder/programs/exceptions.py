"""Exceptions: nested, raised again, chained, grouped, swallowed, and in finally and with."""


class Custom(Exception):
    def __init__(self, code, *rest):
        super().__init__(code, *rest)
        self.code = code


class Manager:
    def __init__(self, swallow):
        self.swallow = swallow

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        return self.swallow


def level(n):
    if n == 0:
        raise Custom(n, "bottom", [1, 2])
    try:
        level(n - 1)
    except Custom as error:
        if n % 2:
            raise
        raise RuntimeError(n) from error
    finally:
        done = n


def nested():
    try:
        try:
            {}["missing"]
        except KeyError as inner:
            name = inner.args
            try:
                1 / 0
            except ZeroDivisionError as second:
                other = second.args
            raise
    except LookupError as outer:
        kept = outer
    return kept.args


def swallowed():
    with Manager(True):
        raise ValueError("gone")
    return "after"


def not_swallowed():
    try:
        with Manager(False) as manager, Manager(False):
            raise ValueError("stays", manager.swallow)
    except ValueError as error:
        return error.args


def finally_returns():
    try:
        return 1 / 0
    finally:
        return "finally wins"


def finally_in_loop():
    log = []
    for i in range(4):
        try:
            if i == 1:
                continue
            if i == 3:
                break
            log.append(10 // i)
        except ZeroDivisionError:
            log.append("zero")
        else:
            log.append("else")
        finally:
            log.append("finally")
    else:
        log.append("loop else")
    return log


def groups():
    caught = []
    try:
        raise ExceptionGroup(
            "many", [ValueError(1), TypeError(2), ExceptionGroup("inner", [ValueError(3), KeyError(4)])]
        )
    except* ValueError as group:
        caught.append(len(group.exceptions))
    except* (TypeError, KeyError) as group:
        caught.append(len(group.exceptions))
    try:
        try:
            raise ExceptionGroup("rest", [OSError(5), ValueError(6)])
        except* OSError:
            caught.append("os")
    except ExceptionGroup as rest:
        caught.append(rest.exceptions[0].args)
    return caught


def through_many(n):
    if n == 0:
        raise StopAsyncIteration("up")
    return through_many(n - 1)


def in_comprehension(values):
    try:
        return [10 // v for v in values]
    except ZeroDivisionError as error:
        return error


def assertion(value):
    assert value, f"not {value!r}"
    return value


def own_args():
    error = ValueError("x")
    error.args = (error, [error])
    return error


def retry():
    attempts = 0
    while True:
        try:
            attempts += 1
            if attempts < 4:
                raise TimeoutError(attempts)
            break
        except TimeoutError:
            pass
    return attempts


for depth in range(4):
    try:
        level(depth)
    except (Custom, RuntimeError) as error:
        print(type(error).__name__, error)
print(nested())
print(swallowed())
print(not_swallowed())
print(finally_returns())
print(finally_in_loop())
print(groups())
try:
    through_many(5)
except StopAsyncIteration as error:
    print(error)
print(in_comprehension([1, 2, 0, 3]))
try:
    assertion([])
except AssertionError as error:
    print(error)
own_args()
print(retry())
try:
    raise SystemExit(3)
except SystemExit as leaving:
    print(leaving.code)
try:
    raise KeyboardInterrupt
except BaseException as error:
    print(type(error))
level(3)
