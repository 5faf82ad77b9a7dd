"""What the workloads share: running one as a command and saying how long it took."""

from __future__ import annotations

import json
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def main(run: Callable[[int], object]) -> None:
    """Call ``run(N)`` with N from the command line; print its result and seconds as JSON.

    The time is taken inside the process, so that it holds the work alone: no start of the
    interpreter, no making of a trace.
    """
    size = int(sys.argv[1])
    began = time.perf_counter()
    result = run(size)
    seconds = time.perf_counter() - began
    print(json.dumps({"result": result, "seconds": seconds}))
