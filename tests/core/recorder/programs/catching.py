"""Clauses whose bodies begin on lines of their own, reached in every way, and some that are not."""

import threading
from collections.abc import Iterator


def raises(error: type[BaseException]) -> None:
    raise error("raised")


def kinds() -> tuple[type[BaseException], ...]:
    """Handles exceptions of its own while a clause of the caller is tested."""
    try:
        raises(LookupError)
    except LookupError:
        found = (KeyError, ValueError)
    try:
        raises(OSError)
    except OSError: found = (*found, TypeError)
    return found


def tested_by_a_call(error: type[BaseException]) -> str:
    try:
        raises(error)
    except kinds():
        answer = "one of the kinds"
    except ArithmeticError:
        answer = "arithmetic"
    except BaseException:
        answer = "another"
    return answer


def left(times: int) -> list[str]:
    """A `finally` that swallows an exception goes back to the first line of a body."""
    seen = []
    try:
        raises(KeyError)
    except KeyError:
        while len(seen) < times:
            try:
                raises(ValueError)
            finally:
                seen.append("swallowed")
                continue
    return seen


def unmatched(depth: int) -> str:
    """The clause does not match, so that an outer one catches, in the frames of one function."""
    try:
        try:
            if depth == 0:
                raises(ValueError)
            unmatched(depth - 1)
        except KeyError:
            return "inner"
        finally:
            after = depth
    except ValueError as error:
        if depth < 2:
            raise
        return f"outer {error} {after}"
    return "nothing"


def mixed(error: type[BaseException]) -> str:
    try:
        raises(error)
    except KeyError: return "on the line"
    except ValueError:
        return "below"
    except:
        return "bare"


def nested() -> list[str]:
    seen = []
    try:
        raises(KeyError)
    except KeyError:
        try:
            raises(ValueError)
        except ValueError:
            seen.append("inner")
        seen.append("outer")
    return seen


def produce() -> Iterator[str]:
    try:
        yield "first"
    except ValueError:
        yield "thrown in"
    finally:
        pass


def thrown() -> list[str]:
    generator = produce()
    return [next(generator), generator.throw(ValueError("thrown"))]


def many(n: int) -> int:
    caught = 0
    for i in range(n):
        try:
            raises((KeyError, ValueError)[i % 2])
        except KeyError:
            caught += 1
        except ValueError:
            caught += 10
    return caught


print([tested_by_a_call(error) for error in (KeyError, TypeError, ZeroDivisionError, OSError)])
print(left(3), unmatched(0 + 3), nested(), thrown())
print([mixed(error) for error in (KeyError, ValueError, OSError)])
workers = [threading.Thread(target=many, args=(20,)) for _ in range(2)]
for worker in workers:
    worker.start()
    worker.join()
print(many(4))
try:
    raises(KeyError)
except KeyError:
    print("of a module")
