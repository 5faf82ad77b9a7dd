"""Handlers of signals that come while the recorder meets code for the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codetracer_core.ctfs.reader import Trace
from integration.recording import record, write_files

if TYPE_CHECKING:
    from pathlib import Path

MANY_FUNCTIONS = """\
import signal, types
count = 0
def handle(*_):
    global count
    count += 1
def main():
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    for i in range(300):
        code = compile(f"def f(a):\\n    return a + {i}\\n", __file__, "exec").co_consts[0]
        types.FunctionType(code, {})(1)
    signal.setitimer(signal.ITIMER_REAL, 0)
handle()
signal.signal(signal.SIGALRM, handle)
main()
print(count)
"""

RAISING = """\
import signal, time, types
count = 0
def handle(*_):
    global count
    count += 1
    raise TimeoutError
signal.signal(signal.SIGALRM, handle)
for i in range(100):
    code = compile(f"def f(a):\\n    return a + {i}\\n", __file__, "exec").co_consts[0]
    function = types.FunctionType(code, {})
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.00005)
        function(1)
        while True:
            time.sleep(0.001)
    except TimeoutError:
        pass
print(count)
"""


def test_every_handler_is_recorded_however_much_code_is_new(tmp_path: Path) -> None:
    """A handler runs in the program, not inside the decision about code that starts."""
    write_files(tmp_path, {"main.py": MANY_FUNCTIONS})
    done = record(["main.py"], tmp_path, tmp_path / "out")
    assert done.stderr == b""
    with Trace(tmp_path / "out" / "trace.ct") as trace:
        recorded = sum(call.function == "handle" for call in trace.calls())
    assert recorded == int(done.stdout) > 1


def test_an_exception_of_a_handler_ends_the_code_that_starts(tmp_path: Path) -> None:
    """It goes through the program as if that code had raised it, and recording goes on."""
    write_files(tmp_path, {"main.py": RAISING})
    done = record(["main.py"], tmp_path, tmp_path / "out")
    assert (done.stderr, done.returncode) == (b"", 0)
    with Trace(tmp_path / "out" / "trace.ct") as trace:
        recorded = sum(call.function == "handle" for call in trace.calls())
    assert recorded == int(done.stdout) == 100
