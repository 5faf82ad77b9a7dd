"""The page of errors and the sources agree, both ways, about every code and its kind."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from workspace import ROOT

pytestmark = pytest.mark.repository

PAGE = (ROOT / "docs" / "errors.md").read_text("utf-8")
PYTHON = sorted(ROOT.glob("packages/*/src/**/*.py"))
C = sorted(path for path in ROOT.glob("csrc/*") if path.suffix in {".c", ".h"})
CODE = r"(?:ERR|WARN)_[A-Z_]+[A-Z]"
KIND_OF_CLASS = {
    "UsageError": "Usage",
    "EnvironmentError_": "Environment",
    "TraceError": "Environment",
    "TargetError": "Target",
    "InternalError": "Internal",
}


def rows() -> list[list[str]]:
    """The cells of every row of a table that begins with a code."""
    lines = re.findall(rf"^\| (`{CODE}` \|.*) \|$", PAGE, re.MULTILINE)
    return [re.split(r" (?<!\\)\| ", line) for line in lines]


def documented() -> dict[str, list[str]]:
    """Code to kind, cause and remedy."""
    return {cells[0].strip("`"): cells[1:] for cells in rows() if len(cells) == 4}


def warnings() -> set[str]:
    """The codes of warnings, which are in the text of the page."""
    return set(re.findall(r"`(WARN_[A-Z_]+)`", PAGE))


def never_raised() -> set[str]:
    """The codes that the page gives as those of the reference that do not occur here."""
    return {cells[0].strip("`") for cells in rows() if len(cells) == 2}


def used() -> set[str]:
    """Every code that stands in the sources as a text of its own."""
    texts = [path.read_text("utf-8") for path in (*PYTHON, *C)]
    return {code for text in texts for code in re.findall(rf'"({CODE})"', text)}


def kinds_given() -> Iterator[tuple[str, str, str]]:
    """Code, kind and place wherever an error of a family is made with a code in sight."""
    for path in PYTHON:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            code = node.args[0]
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            if isinstance(code, ast.Constant) and name in KIND_OF_CLASS:
                yield str(code.value), KIND_OF_CLASS[name], f"{path.name}:{node.lineno}"


def test_every_code_of_the_sources_has_a_row() -> None:
    """What a user can meet in a message can be looked up."""
    assert len(used()) > 40
    assert used() - set(documented()) - warnings() == set()


def test_every_row_is_about_a_code_of_the_sources() -> None:
    """The page describes no failure that cannot happen."""
    assert (set(documented()) | warnings()) - used() == set()


def test_no_code_has_two_rows() -> None:
    """A code means one thing, said in one place."""
    codes = [cells[0] for cells in rows()]
    assert len(codes) == len(set(codes))


def test_every_row_says_kind_cause_and_remedy() -> None:
    """Nothing is left open in a row."""
    for code, (kind, cause, remedy) in documented().items():
        assert kind in {"Usage", "Environment", "Target", "Internal"}, code
        assert cause.endswith("."), code
        assert remedy.endswith("."), code


def test_the_kind_of_a_row_is_that_of_the_error() -> None:
    """Where the sources make an error of a family, the page gives the code the same kind."""
    given = list(kinds_given())
    assert len(given) > 40
    page = {code: row[0] for code, row in documented().items()}
    assert [place for code, kind, place in given if page[code] != kind] == []


def test_codes_that_do_not_occur_are_listed_apart() -> None:
    """Of the reference's codes each is either in use or said not to occur, never both."""
    assert never_raised() & used() == set()
    assert never_raised() & set(documented()) == set()
