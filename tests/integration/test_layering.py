"""Tests that packages import only what their layer may."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from workspace import ROOT, load_tool

pytestmark = pytest.mark.repository
layering = load_tool("layering")


def make_package(root: Path, name: str, source: str, dependencies: str = "[]") -> None:
    """A package with one module."""
    folder = root / "packages" / name
    module = folder / "src" / name.replace("-", "_")
    module.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "{name}"\ndependencies = {dependencies}\n'
    )
    (module / "__init__.py").write_text(source)


VERSIONS_ELSEWHERE = {"cli/__init__.py", "session/metadata.py", "_zstd.py"}
"""Modules of core that name the version for a reason of their own: before anything newer than the
oldest Python is loaded, as a fact to tell, and in the form that type checkers follow."""


def test_differences_between_interpreters_have_one_home() -> None:
    """The version is asked in one header of the C, and in the module of capabilities in Python."""
    c = {path.name for path in (ROOT / "csrc").iterdir() if "PY_VERSION_HEX" in path.read_text()}
    assert c <= {"compat.h", "compat_311.h"}
    core = ROOT / "packages" / "codetracer-core" / "src" / "codetracer_core"
    asking = {
        str(path.relative_to(core))
        for path in core.rglob("*.py")
        if re.search(r"version_info|hexversion", path.read_text(encoding="utf-8"))
    }
    assert asking == {"monitoring/capabilities.py", *VERSIONS_ELSEWHERE}


def test_this_repository_keeps_its_layers() -> None:
    """No package here imports what its layer may not."""
    assert layering.check() == []


@pytest.mark.parametrize(
    "source",
    [
        "import codetracer_policy",
        "import codetracer_core.errors",
        "from codetracer_log import RecorderLogger",
        "def late():\n    import codetracer_core",
        "try:\n    import codetracer_policy as p\nexcept ImportError:\n    p = None",
    ],
)
def test_leaf_that_imports_ours_is_found(tmp_path: Path, source: str) -> None:
    """A leaf that imports a sibling or core is reported, wherever the import stands."""
    make_package(tmp_path, "codetracer-filter", source, '["codetracer-policy"]')
    (violation,) = layering.check(tmp_path)
    assert "a leaf knows neither its siblings nor core" in str(violation)


def test_undeclared_dependency_is_found(tmp_path: Path) -> None:
    """Importing a distribution that pyproject.toml does not declare is reported with its line."""
    make_package(tmp_path, "codetracer-core", "import os\nimport requests\n")
    (violation,) = layering.check(tmp_path)
    assert (violation.line, violation.module) == (2, "requests")


def test_declared_and_relative_imports_pass(tmp_path: Path) -> None:
    """The standard library, own modules and declared dependencies are free to use."""
    source = "import json\nimport codetracer_filter\nfrom . import x\nimport codetracer_core.y\n"
    make_package(tmp_path, "codetracer-core", source, '["codetracer-filter>=0.1,<1"]')
    assert layering.check(tmp_path) == []
