"""The import of a large package, whose modules are all new to the recorder."""

from __future__ import annotations

import importlib
import sys
import time

PACKAGE = "networkx"


def run(n: int) -> int:
    """How many modules of the package were imported, `n` times over."""
    count = 0
    for _ in range(n):
        for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
            del sys.modules[name]
        importlib.import_module(PACKAGE)
        count += sum(name.split(".")[0] == PACKAGE for name in sys.modules)
    return count


if __name__ == "__main__":
    began = time.perf_counter()
    result = run(int(sys.argv[1]))
    print(result, time.perf_counter() - began)
