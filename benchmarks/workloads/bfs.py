"""A large dict of lists, a queue and a set that grow: a breadth-first search."""

from __future__ import annotations

from collections import deque
import sys
import time

def run(n: int) -> int:
    """The sum of the distances from node 0 in a graph of `n` nodes."""
    edges = {node: [(node * 2 + 1) % n, (node * 3 + 2) % n] for node in range(n)}
    queue = deque([0])
    seen = {0}
    distance = {0: 0}
    while queue:
        node = queue.popleft()
        for target in edges[node]:
            if target not in seen:
                seen.add(target)
                distance[target] = distance[node] + 1
                queue.append(target)
    return sum(distance.values())


if __name__ == "__main__":
    began = time.perf_counter()
    result = run(int(sys.argv[1]))
    print(result, time.perf_counter() - began)
