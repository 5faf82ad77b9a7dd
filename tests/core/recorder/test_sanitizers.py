"""The engine built with gcc's address and undefined behaviour sanitizers."""

from __future__ import annotations

import ctypes
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import codetracer_core._native as installed
import pytest

from core.recorder.drive import NATIVE_VARIABLE
from core.recorder.support import HERE
from naive import ct
from workspace import ROOT

SANITIZERS = "-fsanitize=address,undefined"
CFLAGS = f"{SANITIZERS} -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g1 -O1"
REPORT = re.compile("runtime error:|AddressSanitizer")

LONG = bool(os.environ.get("CODETRACER_LONG_TESTS"))
TESTS = [
    *("events", "sessions", "hostile", "versions", "chunks", "differential", "pipeline"),
    *(("limits", "random", "gate") if LONG else ()),
]
PROPERTIES = "" if LONG else "::test_the_trace_agrees_with_the_journal"
PROGRAMS = [
    *("arguments", "class_bodies", "closures", "comprehensions", "containers", "coroutines"),
    *("deletion", "exceptions", "generators", "many_variables", "suspended", "switching", "tasks"),
    *("field_names", "foreign_bases", "threads", "values"),
]

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        bool(os.environ.get(NATIVE_VARIABLE)), reason="these tests are what runs just now"
    ),
]


def run_sanitized(native: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Python with the module in the folder `native`; a report ends the process."""
    return subprocess.run(
        [sys.executable, *command],
        env={
            **os.environ,
            NATIVE_VARIABLE: str(native),
            "PYTHONPATH": str(ROOT / "tests"),
            "LD_PRELOAD": f"{library('libasan.so')} {library('libubsan.so')}",
            "PYTHONMALLOC": "malloc",
            # CPython itself keeps memory until the end of the process.
            "ASAN_OPTIONS": "detect_leaks=0",
            "UBSAN_OPTIONS": "print_stacktrace=1",
        },
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="backslashreplace",
        timeout=800,
        check=False,
    )


def library(name: str) -> str:
    """The path of one of gcc's libraries; the test is skipped where gcc comes without it."""
    command = ["gcc", f"-print-file-name={name}"]
    path = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    if not os.path.isabs(path):
        pytest.skip(f"gcc has no {name}")
    return path


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The module, built with the sanitizers and with the planted overflow in it."""
    library("libasan.so")
    out = tmp_path_factory.mktemp("sanitized") / "codetracer_core"
    subprocess.run(
        [
            sys.executable,
            ROOT / "packages" / "codetracer-core" / "native_build.py",
            *("--csrc", ROOT / "csrc", "--out", out),
        ],
        env={
            **os.environ,
            "CODETRACER_NATIVE_CFLAGS": f"{CFLAGS} -DCT_PLANTED_OVERFLOW",
            "CODETRACER_NATIVE_LDFLAGS": SANITIZERS,
        },
        check=True,
    )
    return out


@pytest.mark.parametrize(("at", "is_overflow"), [(7, False), (8, True)])
def test_an_overflow_in_the_module_is_reported(at: int, is_overflow: bool, native: Path) -> None:
    """One byte behind a block is found and the byte before is not: the sanitizers watch this
    module."""
    done = run_sanitized(
        native,
        "-c",
        "import ctypes, sys; sys.path[:0] = ['tests']\n"
        "from core.recorder.drive import use_native\n"
        "use_native()\n"
        "import codetracer_core._native as native\n"
        f"print(ctypes.CDLL(native.__file__).ct_planted_overflow({at}))",
    )
    if is_overflow:
        assert done.returncode != 0
        assert "AddressSanitizer: heap-buffer-overflow" in done.stdout
        assert "ct_planted_overflow" in done.stdout
    else:
        assert (done.returncode, done.stdout) == (0, "1\n")


def test_no_build_but_this_one_has_the_overflow() -> None:
    """What users get does not contain it."""
    assert not hasattr(ctypes.CDLL(installed.__file__), "ct_planted_overflow")


def test_the_tests_of_the_engine_pass_without_a_report(native: Path) -> None:
    """Recording values, frames, threads, chunks and sessions, and making a trace of a journal,
    whole or hostile, touch no memory that they should not and do nothing that C leaves undefined.
    """
    # One process for all: under the sanitizers pytest alone takes seconds to start.
    materialise = ROOT / "tests" / "core" / "materialise"
    done = run_sanitized(
        native,
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"),
        # What takes the module from where it is, for the tests of another folder too.
        *("-p", "core.recorder.conftest"),
        # Memory is counted in another way with these sanitizers.
        *("-k", f"not memory and not freed and (not every_event or {' or '.join(PROGRAMS)})"),
        *(HERE / f"test_{name}.py" for name in TESTS),
        *(materialise / "test_hostile.py", f"{materialise / 'test_properties.py'}{PROPERTIES}"),
    )
    assert done.returncode == 0, done.stdout
    assert not REPORT.search(done.stdout), done.stdout


def test_output_of_every_kind_is_recorded_without_a_report(native: Path, tmp_path: Path) -> None:
    """The same holds for streams, mirrored descriptors, secrets in them and records of logging."""
    done = run_sanitized(native, ROOT / "tests" / "core" / "io" / "drive.py", tmp_path / "out")
    assert done.returncode == 0, done.stdout[-5000:]
    assert not REPORT.search(done.stdout), done.stdout[-5000:]
    told = [json.loads(event["metadata"]) for event in ct.load(tmp_path / "out/trace.ct").events]
    assert {event["stream"] for event in told} >= {"stdout", "log"}
    assert any("mirror" in event["flags"] for event in told)
    assert json.loads((tmp_path / "out/trace_metadata.json").read_text())["io"]["secrets_hidden"]


def test_everything_at_once_is_recorded_without_a_report(native: Path, tmp_path: Path) -> None:
    """The same holds for sessions of threads that recurse to the limit, raise, collect garbage,
    make code and write, beside signals: a few, or what runs for minutes in the long form."""
    done = run_sanitized(native, HERE / "stress.py", tmp_path / "out", "1000" if LONG else "5")
    assert done.returncode == 0, done.stdout[-5000:]
    assert not REPORT.search(done.stdout), done.stdout[-5000:]
    assert done.stdout.endswith("True\n")
