"""The commands that explain a recording without making one."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest

from core.recorder.support import NEEDS_MONITORING
from integration.recording import recorder, write_files

if TYPE_CHECKING:
    from pathlib import Path

FILTER = """\
[meta]
name = "shop"
version = 1
[scope]
default_exec = "inherit"
default_value_action = "inherit"
[[scope.rules]]
selector = "file:shop/generated/**"
exec = "skip"
reason = "nobody wrote it"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with settings and a filter of its own."""
    write_files(
        tmp_path,
        {
            "pyproject.toml": "[tool.codetracer]\nmax_items = 7\n",
            ".codetracer/trace-filter.toml": FILTER,
            "shop/__init__.py": "",
            "shop/cart.py": "def add(password):\n    return password\n",
            "shop/generated/stub.py": "def f():\n    pass\n",
            "app.py": "print('ran')\n",
        },
    )
    return tmp_path


def doctor(folder: Path, *words: str) -> dict[str, object]:
    """What ``doctor --format json`` says."""
    done = recorder(["doctor", "--format", "json", *words], folder)
    found: dict[str, object] = json.loads(done.stdout)
    assert done.returncode == (0 if found["works"] else 1)
    assert done.stderr == b""
    return found


def checks(found: dict[str, object]) -> dict[str, dict[str, str]]:
    """The checks of a diagnosis by their names."""
    listed = found["checks"]
    assert isinstance(listed, list)
    return {check["name"]: check for check in listed}


def test_where_everything_works_the_status_is_0(project: Path) -> None:
    """Nothing is left behind, and the program does not run."""
    before = sorted(project.rglob("*"))
    found = doctor(project, "app.py")
    assert found["works"] is True
    assert {check["state"] for check in checks(found).values()} == {"ok"}
    assert sorted(project.rglob("*")) == before


def test_settings_come_with_their_origins(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Project, environment and options are told apart."""
    monkeypatch.setenv("CODETRACER_MAX_TEXT", "9")
    found = doctor(project, "--max-depth", "2", "app.py")
    listed = found["settings"]
    assert isinstance(listed, list)
    origins = {item["name"]: (item["value"], item["origin"]) for item in listed}
    assert origins["max_items"] == ("7", f"file {project}/pyproject.toml")
    assert origins["max_text"] == ("9", "environment CODETRACER_MAX_TEXT")
    assert origins["max_depth"] == ("2", "override --max-depth")
    assert origins["max_step"] == ("256KiB", "default")
    assert found["project_settings"] == f"{project}/pyproject.toml"
    filters = found["filters"]
    assert isinstance(filters, list)
    assert [entry["name"] for entry in filters] == ["builtin-default", "shop"]


@pytest.mark.parametrize(
    ("words", "name", "code"),
    [
        (["gone.py"], "program", "ERR_SCRIPT_NOT_FOUND"),
        (["-o", "app.py"], "output folder", "ERR_TRACE_DIR_CONFLICT"),
        (["-o", "/proc/no/such"], "output folder", "ERR_TRACE_DIR_CREATE_FAILED"),
        (["--max-items", "x"], "settings", "ERR_INVALID_POLICY_VALUE"),
        (["--trace-filter", "gone.toml"], "filters", "ERR_FILTER_NOT_FOUND"),
    ],
)
def test_what_would_keep_a_recording_off_is_named_with_its_code(
    words: list[str], name: str, code: str, project: Path
) -> None:
    """The other checks are made all the same."""
    found = doctor(project, *words)
    assert found["works"] is False
    failed = {key: check for key, check in checks(found).items() if check["state"] == "failed"}
    assert {key: check["code"] for key, check in failed.items()} == {name: code}


@NEEDS_MONITORING
def test_taken_tool_ids_keep_a_recording_off(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who holds them is named."""
    source = "import sys\nfor n in (3, 4, 5): sys.monitoring.use_tool_id(n, f'tool{n}')\n"
    write_files(project, {"start/sitecustomize.py": source})
    monkeypatch.setenv("PYTHONPATH", os.fspath(project / "start"))
    check = checks(doctor(project))["tool ids"]
    assert check["code"] == "ERR_TRACER_INSTALL_CONFLICT"
    assert "5: tool5" in check["detail"]


def test_misspelt_variables_are_noted(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They keep nothing off, so the status stays 0."""
    monkeypatch.setenv("CODETRACER_MAX_ITEM", "3")
    found = doctor(project)
    check = checks(found)["environment"]
    assert (check["state"], found["works"]) == ("note", True)
    assert (
        "CODETRACER_MAX_ITEM has no effect; did you mean CODETRACER_MAX_ITEMS?" in check["detail"]
    )


def test_people_get_lines(project: Path) -> None:
    """A line for each check, then settings and filters, and the verdict at the end."""
    done = recorder(["doctor", "--max-depth", "x"], project)
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 1
    assert re.match(r"codetracer-core \d", lines[0])
    assert any(re.match(r"failed +settings +\[ERR_INVALID_POLICY_VALUE\] ", line) for line in lines)
    assert lines[-1] == "recording would fail"
    done = recorder(["doctor"], project)
    lines = done.stdout.decode().splitlines()
    assert any(re.match(r"  max_items +7 +file ", line) for line in lines)
    assert lines[-1] == "recording works"


def test_the_chain_of_a_program_is_printed_in_order(project: Path) -> None:
    """Built-in filter, framework's, project's, selectors; the same as text and as JSON."""
    words = ["--only", "file:shop/**", "--format", "json", "--unittest"]
    chain = json.loads(recorder(["filters", *words], project).stdout)
    names = [source["name"] for source in chain["sources"]]
    assert names[:3] == ["builtin-default", "builtin-unittest", "shop"]
    assert chain["sources"][3]["path"] == "<command line>"
    text = recorder(["filters", "app.py"], project).stdout.decode()
    assert "file:shop/generated/** (nobody wrote it)" in text


def test_a_decision_is_explained_with_its_rule(project: Path) -> None:
    """The rule's file and line are named; values are explained when they are asked for."""
    words = ["explain", "--value", "local:password", "shop/generated/stub.py:f", "shop.cart:add"]
    done = recorder(["filters", *words], project)
    assert done.returncode == 0
    text = done.stdout.decode()
    place = f"{project}/.codetracer/trace-filter.toml:7"
    assert f"skipped by {place}: file:shop/generated/** (nobody wrote it)" in text
    assert text.count("local:password is redacted by ") == 2
    words = ["explain", "--format", "json", "--skip", "pkg:shop.*", "shop.cart:add"]
    (found,) = json.loads(recorder(["filters", *words], project).stdout)
    assert found["exec"] == "skip"
    assert found["decided_by"]["source"] == "<command line>"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["explain"], "ERR_COMMAND_LINE"),
        (["explain", "not a scope"], "ERR_FILTER_SCOPE"),
        (["explain", "--framework", "nose", "app.py"], "ERR_FILTER_NOT_FOUND"),
        (["--trace-filter", "gone.toml"], "ERR_FILTER_NOT_FOUND"),
        (["--only", ""], "ERR_COMMAND_LINE"),
        (["gone.py"], "ERR_SCRIPT_NOT_FOUND"),
    ],
)
def test_what_cannot_be_explained_is_a_misuse(words: list[str], code: str, project: Path) -> None:
    """One line with a code, and nothing on standard output."""
    done = recorder(["filters", *words], project)
    assert (done.returncode, done.stdout) == (2, b"")
    (line,) = done.stderr.decode().splitlines()
    assert f"[{code}]" in line
