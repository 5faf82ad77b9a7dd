"""Tests of names: of modules, and names that are long or cannot be encoded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from integration.recording import recorder, write_files

FILES = {
    "tool.py": "tooled = 1\n",
    "main.py": """\
import runpy
runpy.run_path("tool.py", run_name="odd name")
long = "n" * 250
first, second = type("T" * 300 + "a", (), {})(), type("T" * 300 + "b", (), {})()
for number in "12":
    setattr(first, long + number, int(number))
    globals()[long + number] = int(number)
globals()["v\\udc80"] = 5
exec(f"def {long}(argument): return argument\\n{long}(5)", {"__name__": "\\ud800"})
end = 1
""",
}


def record(folder: Path, *options: str) -> list[dict[str, Any]]:
    """Record the program and return the lines of ``show --format json``."""
    write_files(folder, FILES)
    done = recorder(["record", *options, "--out-dir", "out", "main.py"], folder)
    assert done.returncode == 0, done.stderr
    shown = recorder(["show", "--format", "json", "out"], folder).stdout
    return [json.loads(line) for line in shown.splitlines()]


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """Type and value of each variable of the program, as they were at last."""
    lines = record(tmp_path_factory.mktemp("names"))
    modules = [line["function"] for line in lines if line["type"] == "call"]
    assert "<odd name>" in modules
    assert "<tool>" not in modules
    changed = [item for line in lines if line["type"] == "step" for item in line["changed"]]
    return {item["name"]: (item["type"], item["value"]) for item in changed}


def test_module_bodies_can_be_named_by_their_files(tmp_path: Path) -> None:
    """With --no-module-name-from-globals the name that a module's globals say is not used."""
    lines = record(tmp_path, "--no-module-name-from-globals")
    modules = [line["function"] for line in lines if line["type"] == "call"]
    assert "<tool>" in modules
    assert "<odd name>" not in modules


def test_long_names_that_begin_alike_stay_two(variables: dict[str, tuple[str, str]]) -> None:
    """Variables, types and fields whose names share the first 200 characters are told apart."""
    cut = {name: value for name, (_, value) in variables.items() if name.startswith("nnn")}
    assert sorted(cut.values()) == ["1", "2"]
    assert {len(name) for name in cut} == {200}
    types = variables["first"][0], variables["second"][0]
    assert types[0] != types[1]
    assert [len(name) for name in types] == [200, 200]
    fields = variables["first"][1].partition("(")[2].rstrip(")").split(", ")
    assert [field[200:] for field in fields] == ["=1", "=2"]
    assert fields[0][:200] != fields[1][:200]


def test_names_that_cannot_be_encoded_are_escaped(variables: dict[str, tuple[str, str]]) -> None:
    """A lone surrogate in the name of a variable stands as Python writes it in a text."""
    assert variables["v\\udc80"] == ("int", "5")
