"""Try and except inside loops, many times over, in frames that live long."""


def parse(texts):
    good, bad = [], []
    for text in texts:
        try:
            number = int(text)
        except ValueError as error:
            bad.append(error.args[0][-3:])
            continue
        except TypeError:
            bad.append(None)
        else:
            good.append(number)
        finally:
            text = None
    return good, bad


def states(n):
    state = "idle"
    for step in range(n):
        try:
            if state == "idle":
                state = "busy"
            elif state == "busy":
                raise RuntimeError(step)
            else:
                state = "idle"
        except RuntimeError as error:
            state = f"failed {error}"
    return state


def inner(n):
    if n % 3 == 0:
        raise KeyError(n)
    if n % 5 == 0:
        raise IndexError(n)
    return n


def outer(limit):
    total = 0
    for n in range(limit):
        try:
            try:
                total += inner(n)
            except KeyError:
                total -= 1
        except LookupError as error:
            total += error.args[0]
    return total


print(parse(["1", "x", "22", None, "", "3"]))
print(states(9))
print(outer(31))
count = 0
for text in ("5", "y", "7"):
    try:
        count += int(text)
    except ValueError:
        count = -count
