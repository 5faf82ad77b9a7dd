"""Interpreters that a program makes beside its first one: they run on, and are not recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.recording import record, recorder, run_plain, write_files

if TYPE_CHECKING:
    from pathlib import Path

MAKES_INTERPRETERS = """\
import sys
import threading
if sys.version_info >= (3, 13):
    import _interpreters as interpreters
    KINDS = "isolated", "legacy"
    def make(kind):
        return interpreters.create(kind)
else:
    import _xxsubinterpreters as interpreters
    KINDS = True, False
    def make(kind):
        return interpreters.create(isolated=kind)
"""
ASKS = f"""\
{MAKES_INTERPRETERS}
CODE = '''
import codetracer_core
try:
    codetracer_core.start("never")
except codetracer_core.RecorderError as error:
    print(error.code, error.kind, error.message)
'''
for kind in KINDS:
    inner = make(kind)
    interpreters.run_string(inner, CODE)
    interpreters.destroy(inner)
"""
WORKS = f"""\
{MAKES_INTERPRETERS}
CODE = '''
import os
import sys
def work(count):
    return [str(number) for number in range(count)]
for _ in range(200):
    work(20)
    sys.stdout.write("")
os.write(1, b"from inside\\\\n")
try:
    1 / 0
except ZeroDivisionError:
    pass
'''
def run():
    inner = make(KINDS[0])
    interpreters.run_string(inner, CODE)
    interpreters.destroy(inner)
threads = [threading.Thread(target=run) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("from outside")
"""


def test_a_subinterpreter_is_refused_with_a_remedy(tmp_path: Path) -> None:
    """A session cannot start in one, be it isolated or not, and nothing is written."""
    write_files(tmp_path, {"asks.py": ASKS})
    done = run_plain(["asks.py"], tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    refused = (
        b"ERR_UNSUPPORTED_INTERPRETER Environment code in a subinterpreter cannot be recorded,"
        b" because the recorder and its events belong to the main interpreter: run it there, or in"
        b" a process of its own"
    )
    assert done.stdout.splitlines() == [refused] * 2
    assert not (tmp_path / "never").exists()


def test_a_recorded_program_may_use_subinterpreters(tmp_path: Path) -> None:
    """Those run beside the recorded code and print as ever; nothing of them is in the trace, but
    for what they write where the recorder mirrors the descriptor."""
    write_files(tmp_path, {"works.py": WORKS})
    plain = run_plain(["works.py"], tmp_path)
    assert plain.stdout.splitlines() == [b"from inside"] * 3 + [b"from outside"]
    for capture, inside in ("proxies", 0), ("proxies+fd", 3):
        environment = {"CODETRACER_CAPTURE_IO": capture}
        done = record(["works.py"], tmp_path, tmp_path / capture, environment=environment)
        assert (done.returncode, done.stdout, done.stderr) == (0, plain.stdout, b"")
        shown = recorder(["show", str(tmp_path / capture)], tmp_path).stdout
        assert shown.count(b"stdout: from outside") == 1
        assert shown.count(b"from inside\n") == inside
        assert b"work(count=" not in shown
