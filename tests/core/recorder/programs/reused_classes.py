"""Classes of one name that come and go: each takes the address of one with another layout."""

import gc


class Reference:
    def __init__(self, value):
        self.value = value


def make(base, *arguments):
    class Local(base):
        pass

    instance = Local(*arguments)
    return instance


def use(instance):
    again = instance
    held = [instance, instance]
    return len(held), again is instance


BASES = [
    (int, 2**70),
    (list, [1, 2, 3]),
    (Reference, 4),
    (tuple, ("a", "b")),
    (str, "text"),
    (dict, {"k": 1}),
    (float, 1.5),
    (ValueError, "message"),
    (frozenset, {9}),
    (bytes, b"raw"),
    (object,),
]

total = 0
for _ in range(4):
    for base, *arguments in BASES:
        total += use(make(base, *arguments))[0]
        gc.collect()
print(total)
