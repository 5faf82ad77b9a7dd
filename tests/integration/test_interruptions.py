"""Handlers of signals and finalizers that are due while the recorder meets code and names."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from codetracer_core.ctfs.reader import Trace
from integration.recording import record, write_files

if TYPE_CHECKING:
    from pathlib import Path

# The main thread runs the handlers, and another one takes the signals, at any moment.
MANY_NAMES = """\
import gc, signal, threading, time, types
count = inside = collected = 0
class Garbage:
    def __init__(self):
        self.itself = self
    def __del__(self):
        global collected
        collected += 1
def handle(number, frame):
    global count, inside
    count += 1
    inside += frame is not None and frame.f_code.co_filename != __file__
def start_code():
    for i in range(200):
        code = compile(f"def f(a):\\n    return a + {i}\\n", __file__, "exec").co_consts[0]
        types.FunctionType(code, globals())(1)
        Garbage()
def name_keys():
    for i in range(300):
        keys = {f"key_{i}_{j}": i for j in range(5)}
handle(0, None)
signal.signal(signal.SIGALRM, handle)
over = threading.Event()
taker = threading.Thread(target=over.wait)
taker.start()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
start_code()
name_keys()
for name in [f"name_{i}" for i in range(500)]:
    globals()[name] = 1
class Named:
    for name in [f"name_{i}" for i in range(500)]:
        locals()[name] = 1
signal.setitimer(signal.ITIMER_REAL, 0)
# The last one may still be on its way, and would find the main thread in threading.py.
time.sleep(0.05)
over.set()
taker.join()
gc.collect()
print(count, inside, collected)
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


def test_what_interrupts_is_recorded_whatever_the_recorder_decides(tmp_path: Path) -> None:
    """Handlers and finalizers run in the program, not inside decisions about code, variables and
    keys."""
    write_files(tmp_path, {"main.py": MANY_NAMES})
    done = record(["main.py"], tmp_path, tmp_path / "out")
    assert done.stderr == b""
    with Trace(tmp_path / "out" / "trace.ct") as trace:
        calls = Counter(call.function for call in trace.calls())
    count, inside, collected = map(int, done.stdout.split())
    assert calls["handle"] == count > 1
    assert inside == 0
    assert calls["Garbage.__del__"] == collected == 200


def test_an_exception_of_a_handler_ends_the_code_that_starts(tmp_path: Path) -> None:
    """It goes through the program as if that code had raised it, and recording goes on."""
    write_files(tmp_path, {"main.py": RAISING})
    done = record(["main.py"], tmp_path, tmp_path / "out")
    assert (done.stderr, done.returncode) == (b"", 0)
    with Trace(tmp_path / "out" / "trace.ct") as trace:
        recorded = sum(call.function == "handle" for call in trace.calls())
    assert recorded == int(done.stdout) == 100
