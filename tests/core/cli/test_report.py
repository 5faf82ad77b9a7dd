"""What the command says on standard error."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetracer_core.cli.report import (
    Stderr,
    counted,
    human_size,
    report_failure,
    shell_operand,
)
from codetracer_core.errors import EnvironmentError_, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_line_is_prefixed_and_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    """Line breaks become blanks; what is no text is spelt as escapes."""
    Stderr().line("two\nlines \udce9")
    assert capfd.readouterr().err == "codetracer-core: two lines \\udce9\n"


def test_nothing_is_written_once_the_descriptor_is_another_file(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The program may have given descriptor 2 to a file of its own."""
    stderr = Stderr()
    saved = os.dup(2)
    other = os.open(tmp_path / "log", os.O_CREAT | os.O_WRONLY)
    try:
        os.dup2(other, 2)
        stderr.line("not here")
        os.close(2)
        stderr.line("nor here")
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(other)
    assert (tmp_path / "log").read_bytes() == b""
    stderr.line("here")
    assert capfd.readouterr().err == "codetracer-core: here\n"


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (
            UsageError("ERR_X", "wrong; right", path="/p"),
            2,
            "error: [ERR_X] wrong; right (path=/p)",
        ),
        (EnvironmentError_("ERR_Y", "full"), 1, "error: [ERR_Y] full"),
        (
            ZeroDivisionError("zero"),
            1,
            "error: [ERR_UNKNOWN] ZeroDivisionError: zero; please report this",
        ),
    ],
)
def test_a_failure_has_its_code_and_status(
    error: Exception, status: int, line: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A misuse is 2, everything else 1; what is not ours is our defect."""
    assert report_failure(error) == status
    assert capfd.readouterr().err == f"codetracer-core: {line}\n"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KB"),
        (3_400, "3.4 KB"),
        (12_345, "12 KB"),
        (1_500_000, "1.5 MB"),
        (120_000_000, "120 MB"),
        (5 * 10**9, "5.0 GB"),
        (7 * 10**15, "7000 TB"),
    ],
)
def test_sizes_read_well(size: int, text: str) -> None:
    """Two digits say enough, in the largest fitting unit."""
    assert human_size(size) == text


def test_one_is_singular() -> None:
    """Everything else, nothing included, is plural."""
    assert [counted(number, "call") for number in (0, 1, 1200)] == [
        "0 calls",
        "1 call",
        "1,200 calls",
    ]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_a_shell_reads_an_operand_as_it_was(path: str) -> None:
    """It is one word whatever stands in it, and no option."""
    (word,) = shlex.split(shell_operand(path))
    assert word == (f"./{path}" if path.startswith("-") else path)


def test_ordinary_paths_need_no_quotes() -> None:
    """They stay readable."""
    assert shell_operand("trace-out") == "trace-out"
    assert shell_operand("../runs/a_1.d") == "../runs/a_1.d"
    assert shell_operand("my dir") == "'my dir'"
