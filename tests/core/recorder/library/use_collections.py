"""Drives the Python parts of collections, with heapq, bisect and functools in Python too."""

import collections
import sys

for name in ("_heapq", "_bisect"):
    sys.modules[name] = None
for name in ("heapq", "bisect"):
    sys.modules.pop(name, None)
import bisect
import heapq

Point = collections.namedtuple("Point", "x y z", defaults=(0,))
point = Point(1, 2)._replace(z=5)
print(point, point._asdict(), Point._make([7, 8, 9]))
counts = collections.Counter("mississippi")
counts.update({"z": 3})
counts.subtract("iii")
print((counts + collections.Counter(a=1)).most_common(2), counts & collections.Counter("mmm"))
print(+counts, sorted(counts.elements()), counts.total())
chain = collections.ChainMap({"a": 1}, {"b": 2}, {"a": 3})
child = chain.new_child({"c": 4})
child["a"] = 0
print(dict(child), child.parents["a"], list(child))


class Own(collections.UserDict):
    def __missing__(self, key):
        return key * 2


class Words(collections.UserList):
    pass


own = Own(a=1)
own["b"] = 2
print(own["zz"], own | {"c": 3}, "a" in own)
words = Words(["b", "a"])
words.append("c")
words.sort()
print(words + ["d"], words[1:], words.index("c"))
text = collections.UserString("abc")
print(text.upper() + "d", text.find("c"), text % ())
heap = [5, 2, 8, 1, 9, 3]
heapq.heapify(heap)
heapq.heappush(heap, 0)
print([heapq.heappop(heap) for _ in range(4)], heapq.nlargest(2, [4, 9, 1]), list(heapq.merge([1, 4], [2, 3])))
rows = [1, 3, 3, 7]
bisect.insort(rows, 4)
print(rows, bisect.bisect_left(rows, 3), bisect.bisect(rows, 3))
