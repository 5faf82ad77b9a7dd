"""Tests that what the READMEs show is true."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from workspace import ROOT, run

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


@pytest.mark.parametrize("readme", READMES, ids=name_of)
def test_links_into_the_repository_lead_somewhere(readme: Path) -> None:
    """Every relative link of a README names a file or folder that exists."""
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", readme.read_text(encoding="utf-8"))
    assert [target for target in targets if not (readme.parent / target).exists()] == []
