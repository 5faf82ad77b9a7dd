"""Containers that change in every way: nested, shared, inside themselves, larger than the limits."""


def appended():
    items = []
    for i in range(130):
        items.append(i)
    while len(items) > 90:
        items.pop()
    items.insert(0, "front")
    items[50] = "middle"
    items.reverse()
    items.clear()
    return items


def nested():
    grid = [[0] * 3 for _ in range(3)]
    for i in range(3):
        grid[i][i] = i + 1
    deep = {"a": {"b": {"c": [1, {"d": (2, [3])}]}}}
    deep["a"]["b"]["c"][1]["d"][1].append(4)
    deep["a"]["x"] = deep["a"]["b"].pop("c")
    grid[1] = grid[0]
    grid[0][0] = "both"
    return grid, deep


def shared():
    one = [1]
    two = one
    both = [one, two, one]
    one.append(2)
    pair = (one, both)
    both.append(pair)
    two = list(one)
    two.append(3)
    return pair


def cyclic():
    loop = [1]
    loop.append(loop)
    loop[0] = 2
    mapping = {"self": None}
    mapping["self"] = mapping
    mapping["list"] = [mapping, loop]
    a, b = [], []
    a.append(b)
    b.append(a)
    holder = ([],)
    holder[0].append(holder)
    loop[1] = 3
    return loop


def sets():
    s = set()
    for i in (5, 1, 9, 1):
        s.add(i)
    s.discard(5)
    s |= {"a", (1, 2)}
    s = frozenset(s)
    s = s - {1}
    big = set(range(150))
    big.discard(0)
    return s


def dicts():
    d = {}
    for key in ("a", 1, 2.5, None, (1, 2), True, frozenset({3})):
        d[key] = key
    d["a"] = [d["a"]]
    d["a"].append(0)
    del d[1]
    d[1] = "again"
    d = {key: value for key, value in d.items() if key}
    wide = {i: i * i for i in range(120)}
    wide[5] = "changed"
    wide[119] = "beyond what is shown"
    wide.pop(3)
    return d


def levels():
    inner = []
    value = inner
    for _ in range(9):
        value = [value]
    inner.append("deep")
    tree = {}
    at = tree
    for i in range(8):
        at["next"] = {}
        at = at["next"]
    at["leaf"] = 1
    return value


def same_but_new():
    a = [1, 2, 3]
    a = [1, 2, 3]
    a = (1, 2, 3)
    a = (1, 2, 3.0)
    a = (1, 2, True)
    a = [1.0, 2, 3]
    a = ["1", 2, 3]
    a = [0.0]
    a = [-0.0]
    a = ["x" * 5000, "y"]
    a = ["x" * 5000, "z"]
    a = ["x" * 5001, "z"]
    a = [2**80, -(2**80)]
    a = [2**80, -(2**80) + 1]
    return a


def sorted_in_place():
    data = [5, 3, 8, 1, 9, 2]
    for i in range(len(data)):
        for j in range(len(data) - 1 - i):
            if data[j] > data[j + 1]:
                data[j], data[j + 1] = data[j + 1], data[j]
    data += [10]
    data *= 2
    data[2:5] = []
    data[::2] = [0] * len(data[::2])
    return data


state = {"count": 0, "log": []}


def changes_global(n):
    state["count"] += n
    state["log"].append(n)
    state["log"][-1] = [n]
    return state["count"]


appended()
nested()
shared()
cyclic()
sets()
dicts()
levels()
same_but_new()
print(sorted_in_place())
for n in range(3):
    changes_global(n)
module_list = [1]
module_list.append(module_list)
module_list[0] = "m"
