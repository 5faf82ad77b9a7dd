"""The standard library's own tests, recorded: they pass as they do alone.

The long form, with a dozen modules, runs when ``CODETRACER_LONG_TESTS`` is set.
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
RESULT = re.compile(r"^(test\w* \(.*\)).* \.\.\. (\w+)", re.MULTILINE)

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        importlib.util.find_spec("test.test_textwrap") is None,
        reason="this interpreter comes without the tests of its library",
    ),
]


@pytest.mark.parametrize("name", NAMES)
def test_the_tests_of_a_module_pass_the_same_while_they_are_recorded(
    name: str, tmp_path: Path
) -> None:
    """Every single test has the result that it has alone, and the module's steps are recorded."""
    module = name.partition(".")[0]
    filter_file = tmp_path / "filter.toml"
    filter_file.write_text(FILTER.replace("{name}", module), encoding="utf-8")
    tests = ["-m", "unittest", "-v", f"test.test_{name}"]
    alone = run(tests)
    out = tmp_path / "out"
    options = ["--trace-filter", str(filter_file), "--out-dir", str(out)]
    recorded = run(["-m", "codetracer_core", "record", *options, *tests], timeout=800)
    assert recorded.status == alone.status
    results = RESULT.findall(alone.output)
    assert len(results) > 10
    assert sorted(RESULT.findall(recorded.output)) == sorted(results)
    metadata = json.loads((out / "trace_metadata.json").read_text(encoding="utf-8"))
    assert metadata["complete"] is True
    assert metadata["counts"]["steps"] > 1000
