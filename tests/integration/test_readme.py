"""Tests that what the READMEs show is true."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workspace import ROOT, copy_repository, load_tool, run, tool

pytestmark = pytest.mark.repository

READMES = [ROOT / "README.md", *sorted(ROOT.glob("packages/*/README.md"))]


def code_blocks(readme: Path, language: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    text = readme.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def name_of(readme: Path) -> str:
    """How a test names a README."""
    return readme.relative_to(ROOT).parent.name or "root"


@pytest.mark.parametrize("readme", READMES[1:], ids=name_of)
def test_python_examples_run(readme: Path, tmp_path: Path) -> None:
    """The Python blocks of a package's README run one after the other in one fresh program."""
    blocks = code_blocks(readme, "python")
    assert blocks, "a README has a runnable example"
    program = tmp_path / "example.py"
    program.write_text("\n".join(blocks), encoding="utf-8")
    run(sys.executable, program, cwd=tmp_path)


def without_places(text: str) -> str:
    """`text` without what differs from run to run: folders, addresses and file sizes."""
    text = re.sub(r"(?:/[^/\n]+)+/(?=examples/|demo-out/)", "", text)
    return re.sub(r"[\d.]+ [KM]?B\b", "SIZE", re.sub(r"0x[0-9a-f]+", "ADDRESS", text))


def test_commands_of_core_run(tmp_path: Path) -> None:
    """The commands in core's README work one after the other in a folder with a program."""
    shutil.copy(ROOT / "examples" / "wallet.py", tmp_path / "program.py")
    (commands,) = code_blocks(ROOT / "packages" / "codetracer-core" / "README.md", "console")
    for line in commands.splitlines():
        program, *arguments = line.removeprefix("$ ").split()
        run(tool(program), *arguments, cwd=tmp_path)


def test_transcript_is_what_the_demo_prints(tmp_path: Path) -> None:
    """The transcript in README.md is what ``make demo`` prints; ``make transcript`` renews it."""
    (transcript,) = code_blocks(ROOT / "README.md", "console")
    checkout = copy_repository(tmp_path / "checkout")
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    printed = run(sys.executable, checkout / "tools" / "demo.py", env=env)
    assert without_places(transcript.removeprefix("$ make demo\n")) == without_places(printed)


def test_tables_are_what_the_settings_are() -> None:
    """The tables of settings in the documents are up to date; ``make tables`` renews them."""
    tables = load_tool("configuration")
    for document in tables.DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        assert "<!-- variables -->" in text
        assert tables.with_tables(text) == text


@pytest.mark.parametrize("readme", READMES, ids=name_of)
def test_links_into_the_repository_lead_somewhere(readme: Path) -> None:
    """Every relative link of a README names a file or folder that exists."""
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", readme.read_text(encoding="utf-8"))
    assert [target for target in targets if not (readme.parent / target).exists()] == []


@pytest.mark.parametrize("readme", READMES[1:], ids=name_of)
def test_the_readme_of_a_package_links_nothing_outside_it(readme: Path) -> None:
    """It is also the package's page in an index, where the repository is not around it."""
    assert re.findall(r"\]\((\.\./[^)]*)\)", readme.read_text(encoding="utf-8")) == []


def test_the_trailer_in_the_readme_is_what_is_written(tmp_path: Path) -> None:
    """The JSON in the log's README is what its example writes, but for the run's id."""
    readme = ROOT / "packages" / "codetracer-log" / "README.md"
    (shown,) = (block for block in code_blocks(readme, "json") if '"error_kind"' in block)
    (example,) = (b for b in code_blocks(readme, "python") if "emit_error_trailer(" in b)
    program = tmp_path / "example.py"
    program.write_text(example, encoding="utf-8")
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True)
    written, expected = json.loads(done.stderr), json.loads(shown)
    assert written | {"run_id": ""} == expected | {"run_id": ""}
