"""Which interpreters are refused, and what is said to those who use them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from codetracer_core.monitoring.capabilities import (
    SUPPORTED_VERSIONS,
    Interpreter,
    refusal,
    require_supported,
)
from workspace import ROOT

OLDEST, NEWEST = SUPPORTED_VERSIONS[0], SUPPORTED_VERSIONS[-1]
RANGE = "CPython {}.{} to {}.{}".format(*OLDEST, *NEWEST)
SOURCES = [
    str(ROOT / "packages" / f"codetracer-{name}" / "src")
    for name in ("core", "filter", "policy", "log")
]


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
def test_a_supported_version_of_cpython_is_not_refused(version: tuple[int, int]) -> None:
    """Nothing is said against a version that is listed, with a GIL."""
    assert refusal(Interpreter("cpython", version, has_gil=True)) is None


def test_this_interpreter_is_supported() -> None:
    """The tests run on an interpreter that is not refused."""
    assert Interpreter.running().version == sys.version_info[:2]
    require_supported()


@pytest.mark.parametrize(
    ("interpreter", "why", "remedy"),
    [
        (Interpreter("pypy", (3, 11), has_gil=True), "on PyPy", RANGE),
        (Interpreter("graalpy", (3, 12), has_gil=True), "on GraalPy", RANGE),
        (Interpreter("new", (3, 12), has_gil=True), "on new", RANGE),
        (Interpreter("cpython", (3, 10), has_gil=True), "3.10, which is too old", RANGE),
        (Interpreter("cpython", (2, 7), has_gil=True), "2.7, which is too old", RANGE),
        (Interpreter("cpython", (3, 99), has_gil=True), "does not know yet", RANGE),
        (Interpreter("cpython", NEWEST, has_gil=False), "free-threaded", "python{}.{}"),
    ],
)
def test_any_other_is_refused_with_its_reason_and_a_remedy(
    interpreter: Interpreter, why: str, remedy: str
) -> None:
    """One sentence says why this interpreter is none to record on, and which one is."""
    said = refusal(interpreter)
    assert said is not None
    reason, _, advice = said.partition(": ")
    assert why in reason
    assert remedy.format(*interpreter.version) in advice
    assert "\n" not in said


def old_interpreter() -> str:
    """A Python on this machine that is too old to read the recorder's modules."""
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    for minor in range(8, 11):
        name = f"python3.{minor}"
        for folder in (
            *os.get_exec_path(),
            *(f"{pyenv}/versions/{each}/bin" for each in _listed(f"{pyenv}/versions")),
        ):
            path = shutil.which(name, path=folder)
            if path and subprocess.run([path, "-c", ""], check=False).returncode == 0:
                return path
    pytest.skip("no Python 3.8 to 3.10 on this machine")


def _listed(folder: str) -> list[str]:
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


@pytest.fixture(scope="module")
def old() -> str:
    return old_interpreter()


def run_old(old: str, *words: str, **variables: str) -> tuple[int, str, str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(SOURCES)} | variables
    done = subprocess.run(
        [old, *words], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


REFUSED = (
    r"\[ERR_UNSUPPORTED_INTERPRETER\] programs cannot be recorded on CPython 3\.\d+, which is too"
    rf" old: run them with {re.escape(RANGE)}"
)


@pytest.mark.repository
def test_an_old_python_is_refused_before_anything_is_loaded_that_it_cannot_read(old: str) -> None:
    """Importing what records fails, the command ends with status 1 and one line, and a program that
    the environment wants recorded runs on after such a line."""
    status, _, errors = run_old(old, "-c", "from codetracer_core import start")
    assert status == 1
    assert re.fullmatch(f"ImportError: {REFUSED}", errors.splitlines()[-1])
    script = ("-c", "import sys; from codetracer_core.cli import main; sys.exit(main())")
    for words in ((*script, "record", "missing.py"), ("-m", "codetracer_core", "doctor")):
        status, output, errors = run_old(old, *words)
        assert (status, output) == (1, "")
        assert re.fullmatch(f"codetracer-core: error: {REFUSED}\n", errors)
    program = "from codetracer_core.auto_start import arm; arm(); print('ran')"
    status, output, errors = run_old(old, "-c", program, CODETRACER_TRACE="unused")
    assert (status, output) == (0, "ran\n")
    assert re.fullmatch(f"codetracer-core: error: {REFUSED}\n", errors)


@pytest.mark.repository
def test_the_c_part_is_not_built_for_an_interpreter_that_is_refused(old: str) -> None:
    """The build ends with the same sentence, before it looks for a compiler or for cffi."""
    script = ROOT / "packages" / "codetracer-core" / "native_build.py"
    words = [str(script), "--csrc", str(ROOT / "csrc"), "--out", str(ROOT / "nowhere")]
    status, output, errors = run_old(old, *words)
    assert (status, output) == (1, "")
    assert re.fullmatch(f"native_build: {REFUSED}\n", errors)
