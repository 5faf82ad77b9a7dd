"""The standard library's own tests, recorded: they pass as they do alone.

The long form, with two dozen modules, runs when ``CODETRACER_LONG_TESTS`` is set.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
from pathlib import Path

import pytest

from core.recorder.support import run

SHORT = ["textwrap", "copy", "contextlib"]
LONG = [
    *("dataclasses", "enum", "functools", "generators", "json", "heapq", "bisect"),
    *("collections", "string", "asyncio.test_tasks", "asyncio.test_queues"),
    *("statistics", "fractions", "coroutines", "asyncgen", "weakref", "traceback", "inspect"),
    *("sys_settrace", "sys_setprofile", "exceptions", "gc"),
]
NAMES = [*SHORT, *LONG] if "CODETRACER_LONG_TESTS" in os.environ else SHORT

FILTER = """\
[meta]
name = "a module and its tests"
version = 1

[scope]
default_exec = "skip"
default_value_action = "allow"

[[scope.rules]]
selector = 'file:regex:lib/python3[.]\\d+/({name}|test/test_{name})([.]py|/)'
exec = "trace"
"""
# On CPython 3.13 this one goes through five thousand generators, each inside the next, for every
# bracket that it writes: 25 million yields and resumes, all of which would be recorded.
TOO_LONG = "test.test_json.test_recursion.TestPyRecursion.test_highly_nested_objects_encoding"

RUN = """\
import sys
import unittest

def kept(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from kept(test)
        elif test.id() != sys.argv[2]:
            yield test

found = unittest.defaultTestLoader.loadTestsFromName(sys.argv[1])
runner = unittest.TextTestRunner(verbosity=2)
sys.exit(not runner.run(unittest.TestSuite(kept(found))).wasSuccessful())
"""
"""Runs the tests of a module, those in doc strings as well, but for one."""

SLOW_CALLBACK = re.compile(r"Executing <.*? took [\d.]+ seconds\n")
"""What asyncio says on a busy machine, in the middle of a line."""

RESULT = re.compile(r"^(test\w* \(.*\)|Doctest: [\w.]+).* \.\.\. (\w+)", re.MULTILINE)

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        importlib.util.find_spec("test.test_textwrap") is None,
        reason="this interpreter comes without the tests of its library",
    ),
]


def results_in(output: str) -> list[tuple[str, str]]:
    """The name and the result of each test in what unittest has printed."""
    return sorted(RESULT.findall(SLOW_CALLBACK.sub("", output)))


@pytest.mark.parametrize("name", NAMES)
def test_the_tests_of_a_module_pass_the_same_while_they_are_recorded(
    name: str, tmp_path: Path
) -> None:
    """Every single test has the result that it has alone, and the module's steps are recorded."""
    module = name.partition(".")[0]
    filter_file = tmp_path / "filter.toml"
    filter_file.write_text(FILTER.replace("{name}", module), encoding="utf-8")
    tests = ["-c", RUN, f"test.test_{name}", TOO_LONG]
    alone = run(tests)
    out = tmp_path / "out"
    options = ["--trace-filter", str(filter_file), "--out-dir", str(out)]
    recorded = run(["-m", "codetracer_core", "record", *options, *tests], timeout=800)
    assert recorded.status == alone.status
    results = results_in(alone.output)
    assert len(results) > 10
    assert results_in(recorded.output) == results
    metadata = json.loads((out / "trace_metadata.json").read_text(encoding="utf-8"))
    assert metadata["complete"] is True
    steps = metadata["counts"]["steps"]
    assert steps > 1000
    print(f"test_{name}: {len(results)} tests, {steps:,} steps")
