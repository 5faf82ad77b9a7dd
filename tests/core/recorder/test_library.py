"""The recorder against the observer on code that nobody here wrote: the standard library."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.recorder.support import HERE, assert_same, observe, record

LIBRARY = Path(os.__file__).parent

RULE = """
[[scope.rules]]
selector = 'file:regex:/{name}'
exec = "trace"
"""

PROGRAMS = {
    "use_json": ["json/"],
    "use_textwrap": ["textwrap.py", "string.py"],
    "use_difflib": ["difflib.py"],
    "use_calendar": ["calendar.py"],
    "use_argparse": ["argparse.py"],
    "use_collections": ["collections/", "heapq.py", "bisect.py"],
    "use_parsers": [
        "configparser.py",
        "csv.py",
        "html/",
        "_markupbase.py",
        "shlex.py",
        "tokenize.py",
        "fractions.py",
        "statistics.py",
    ],
}


def modules(files: Sequence[str]) -> list[str]:
    """The modules in files of the library, with those that the programs import of packages, and
    one that the observer needs, which adds to the classes of `collections.abc` (CPython 3.14)."""
    names = [file.removesuffix(".py").removesuffix("/") for file in files]
    return (
        ["traceback", *names]
        + ["html.parser"] * ("html/" in files)
        + ["json.decoder"] * ("json/" in files)
    )


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_every_event_of_the_standard_library_is_recorded_as_it_happened(
    name: str, tmp_path: Path
) -> None:
    """A library that a filter has made visible is recorded like the program itself."""
    files = PROGRAMS[name]
    script = HERE / "library" / f"{name}.py"
    watched, observed = observe(
        script,
        tmp_path,
        prefixes=[f"{LIBRARY}{os.sep}{file}" for file in files],
        preload=modules(files),
    )
    rules = "".join(RULE.format(name=f"python3[.]\\d+/{file}") for file in files)
    recorded = record(script, tmp_path, rules=rules, preload=modules(files))
    assert recorded.outcome == watched
    assert recorded.stats["failure"] is None
    assert recorded.stats["lost_frames"] == 0
    assert recorded.stats["steps"] > 1000
    assert_same(recorded.events(), observed)
