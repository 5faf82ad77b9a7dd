"""Free and cell variables: shared, late, empty, deleted, nested, and of class bodies."""


def counter(start):
    count = start

    def up(by=1):
        nonlocal count
        count += by
        return count

    def down():
        nonlocal count
        count -= 1
        return count

    return up, down


def late():
    def inner():
        return value

    try:
        inner()
    except NameError as error:
        print(error)
    value = 3
    result = inner()
    del value
    try:
        inner()
    except NameError as error:
        print(error)
    return result


def levels(a):
    def two(b):
        def three(c):
            nonlocal a
            a = a + b + c
            return [a, b, c]

        return three

    return two


def argument_as_cell(x, *rest, y=2, **more):
    x = x + 1

    def inner():
        return x, rest, y, more

    return inner()


def closure_in_loop():
    made = []
    for i in range(3):
        made.append(lambda: i)
    return [f() for f in made]


def class_in_function(n):
    m = n * 2

    class Box:
        size = n
        twice = m

        def get(self):
            return n + m + self.size

        class Inner:
            inner_size = m

    m = 5
    return Box().get(), Box.Inner.inner_size


def cell_holding_a_cell():
    x = 1

    def inner():
        return x

    cell = inner.__closure__[0]
    y = cell

    def other():
        return y

    other()
    return cell.cell_contents


total = 10


def globals_used():
    global total, made_here
    total += 1
    made_here = [total]
    made_here.append(total)
    nested = lambda: total + later  # noqa: E731
    try:
        nested()
    except NameError as error:
        print(error)
    return total


up, down = counter(5)
up()
up(10)
print(down())
print(late())
print(levels(1)(2)(3))
print(argument_as_cell(1, 2, 3, y=4, z=5))
print(closure_in_loop())
print(class_in_function(7))
print(cell_holding_a_cell())
globals_used()
later = 4
print(globals_used())
del made_here
print(globals_used())
