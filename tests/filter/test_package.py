"""Tests of the package from the outside: what it exports, and what importing it costs."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

import codetracer_filter

from .conftest import HEADER

ROOT = Path(__file__).parent.parent.parent


def run(program: str) -> str:
    """Run a program in a fresh interpreter and return what it printed."""
    command = [sys.executable, "-I", "-c", program]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_public_names_are_sorted_and_exist() -> None:
    """Every name in __all__ is there, in order, and dir() lists it."""
    names = codetracer_filter.__all__
    assert names == sorted(names)
    assert set(names) <= set(dir(codetracer_filter))
    for name in names:
        assert getattr(codetracer_filter, name) is not None


def test_unknown_name_is_an_attribute_error() -> None:
    """Asking for a name that does not exist fails as for any module."""
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        codetracer_filter.nothing  # noqa: B018


def test_default_chain_needs_no_heavy_import() -> None:
    """Loading and asking the default chain imports neither pathspec nor other heavy modules."""
    loaded = run(
        "import sys\n"
        "from codetracer_filter import TraceFilterEngine, load_chain\n"
        "engine = TraceFilterEngine(load_chain(program_dir=None))\n"
        "engine.resolve_query('/p/a.py', 'f', 'm').policy.decide('local', 'x')\n"
        "heavy = {'asyncio', 'difflib', 'hashlib', 'importlib.resources', 'logging', 'pathlib',\n"
        "         'pathspec', 'socket', 'ssl', 'subprocess', 'typing'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    assert loaded == "[]\n"


def test_star_import_gives_the_public_names() -> None:
    """A star import works although modules are loaded late."""
    assert run("from codetracer_filter import *; print(load_chain.__name__)") == "load_chain\n"


def test_version_is_that_of_the_distribution() -> None:
    """The version is read from the installed package, its only home."""
    assert codetracer_filter.__version__ == importlib.metadata.version("codetracer-filter")


def toml_blocks(document: str) -> list[str]:
    """The TOML blocks of a document of this repository."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(r"^```toml\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    "document", ["docs/trace-filters.md", "packages/codetracer-filter/README.md"]
)
def test_documented_filters_load(document: str) -> None:
    """Every filter shown in the documentation loads, parts of one behind the usual header."""
    blocks = toml_blocks(document)
    assert blocks
    for block in blocks:
        text = block if "[meta]" in block else HEADER + block
        codetracer_filter.TraceFilterConfig.from_paths([], inline=[("shown", text)])


def test_documented_way_to_record_the_library_works() -> None:
    """The rule that the documentation gives for the standard library lifts the built-in one."""
    (rule,) = (block for block in toml_blocks("docs/trace-filters.md") if "calendar" in block)
    builtin = codetracer_filter.TraceFilterConfig.builtin().sources[0].data.decode()
    config = codetracer_filter.TraceFilterConfig.from_paths(
        [], inline=[("builtin", builtin), ("mine", HEADER + rule)]
    )
    engine = codetracer_filter.TraceFilterEngine(config)
    assert engine.resolve_file("/usr/lib/python3.12/json/decoder.py") == "trace"
    assert engine.resolve_file("/usr/lib/python3.12/random.py") == "skip"


def defined_codes() -> set[str]:
    """Every code of an error or a warning that the package's modules define."""
    sources = Path(codetracer_filter.__file__).parent.rglob("*.py")
    pattern = re.compile(r'^((?:ERR|WARN)_\w+) = "(.*)"$', flags=re.MULTILINE)
    found = [match for path in sources for match in pattern.findall(path.read_text("utf-8"))]
    assert all(name == value for name, value in found)
    return {name for name, _ in found}


def test_every_code_is_documented() -> None:
    """Each code has a row in the documentation, and each code of a filter there exists."""
    page = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `((?:ERR|WARN)_FILTER_\w+)` \|", page, flags=re.MULTILINE))
    assert documented == defined_codes()
