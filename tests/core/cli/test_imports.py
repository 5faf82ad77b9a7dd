"""What the recorder has imported is not in the program's way, and stays the recorder's own."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from codetracer_core.cli.imports import OwnImports

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    """``sys.modules`` as a copy in which tests can do what they like."""
    import _json
    import json
    import json.decoder

    content = {
        name: module
        for name, module in sys.modules.items()
        if name in ("sys", "builtins", "os", "site", "importlib", "importlib._bootstrap")
    }
    # What comes after the module site was imported since the interpreter has started.
    content["site"] = content.pop("site", ModuleType("site"))
    content |= {"json": json, "json.decoder": json.decoder, "_json": _json, "pytest": pytest}
    monkeypatch.setattr(sys, "modules", content)
    return content


def test_hiding_takes_the_python_part_of_the_standard_library(
    modules: dict[str, ModuleType],
) -> None:
    """Compiled modules, other packages and what the interpreter itself has imported stay."""
    OwnImports().hide()
    assert "json" not in modules
    assert "json.decoder" not in modules
    assert {"_json", "pytest", "os", "sys", "site"} <= set(modules)


def test_a_package_of_which_a_part_must_stay_stays_whole(modules: dict[str, ModuleType]) -> None:
    """A new parent would not know the old submodule as its attribute."""
    compiled = ModuleType("json.compiled")
    compiled.__spec__ = ModuleSpec("json.compiled", None, origin="compiled.so")
    modules["json.compiled"] = compiled
    OwnImports().hide()
    assert {"json", "json.decoder", "json.compiled"} <= set(modules)


def test_a_package_that_the_program_has_another_of_is_hidden(
    modules: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The program's own file of that name is found; packages that it has no file for stay."""
    (tmp_path / "vendored.py").write_text("")
    for name in ("vendored", "vendored.part", "shared"):
        modules[name] = ModuleType(name)
        modules[name].__spec__ = ModuleSpec(name, None, origin=f"/site-packages/{name}.py")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    OwnImports().hide()
    assert {"vendored", "vendored.part"}.isdisjoint(modules)
    assert {"shared", "pytest"} <= set(modules)
    assert str(tmp_path) not in sys.path_importer_cache


def test_a_package_that_the_program_would_find_as_well_stays(
    modules: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A program that lies beside the packages of the recorder shares them with it."""
    (tmp_path / "shared.py").write_text("")
    modules["shared"] = ModuleType("shared")
    modules["shared"].__spec__ = ModuleSpec("shared", None, origin=str(tmp_path / "shared.py"))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    OwnImports().hide()
    assert "shared" in modules


def test_the_recorder_gets_its_own_modules_back(
    modules: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inside the block all is as when the object was made, after it as the program has it."""
    monkeypatch.setattr(sys, "path", ["", "/own"])
    own = OwnImports()
    ours = modules["json"]
    own.hide()
    modules["json"] = theirs = ModuleType("json")
    their_path = ["/theirs"]
    monkeypatch.setattr(sys, "path", their_path)
    monkeypatch.setattr(sys, "meta_path", [object()])
    before = list(modules)
    with own.restored():
        assert sys.modules is modules
        assert sys.modules["json"] is ours
        assert sys.path == ["/own"]
        assert sys.meta_path != []
        modules["late"] = ModuleType("late")
    assert modules["json"] is theirs
    assert sys.path is their_path
    assert list(modules) == before


def test_the_programs_view_comes_back_after_an_error(modules: dict[str, ModuleType]) -> None:
    """A failure inside the block changes nothing for the program."""
    own = OwnImports()
    own.hide()
    before = dict(modules)
    with pytest.raises(ZeroDivisionError), own.restored():
        raise ZeroDivisionError
    assert modules == before
