"""Lines of source files, found where they are now."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from codetracer_core.cli.sources import RecordedSource, SourceRoot, Sources

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Notices(list[str]):
    """Collects what the user is told."""


def sources(
    *roots: SourceRoot, digests: Mapping[str, str] | None = None
) -> tuple[Sources, Notices]:
    """Sources below `roots`, and what they say."""
    notices = Notices()
    recorded = {path: RecordedSource(digest) for path, digest in (digests or {}).items()}
    return Sources(roots, recorded, notices.append), notices


def test_lines_are_counted_from_one(tmp_path: Path) -> None:
    """Lines outside of the file are not there, and that is no news."""
    file = tmp_path / "a.py"
    file.write_bytes(b"one\r\ntwo\rthree\n\nfive")
    reader, notices = sources()
    assert [reader.line(str(file), number) for number in range(7)] == [
        None,
        *("one", "two", "three", "", "five"),
        None,
    ]
    assert notices == []


def test_the_encoding_is_the_one_the_file_declares(tmp_path: Path) -> None:
    """Bytes that do not fit are shown as replacements."""
    latin = tmp_path / "latin.py"
    latin.write_bytes(b"# coding: latin-1\nx = '\xe9'\n")
    broken = tmp_path / "broken.py"
    broken.write_bytes(b"x = 1\ny = '\xe9'\n")
    unknown = tmp_path / "unknown.py"
    unknown.write_bytes(b"# coding: nonsense\nx = '\xe9'\n")
    reader, _ = sources()
    assert reader.line(str(latin), 2) == "x = '\xe9'"
    assert reader.line(str(broken), 2) == "y = '�'"
    assert reader.line(str(unknown), 2) == "x = '\xe9'"


def test_a_missing_source_is_told_once_whatever_is_missing() -> None:
    """The notice names the first file and the option that helps."""
    reader, notices = sources()
    for path in ("/no/a.py", "/no/b.py", "/no/a.py", "", "\0"):
        assert reader.line(path, 1) is None
    (notice,) = notices
    assert "/no/a.py" in notice
    assert "--source-root" in notice


def test_a_source_root_says_where_files_are_now(tmp_path: Path) -> None:
    """Whole folders match, in the order given; other paths stay."""
    (tmp_path / "a.py").write_text("here\n")
    reader, notices = sources(SourceRoot("/build/app/", str(tmp_path)))
    assert reader.line("/build/app/a.py", 1) == "here"
    assert reader.line(str(tmp_path / "a.py"), 1) == "here"
    assert notices == []
    assert reader.line("/build/application/a.py", 1) is None


@pytest.mark.parametrize(
    ("path", "now"),
    [
        ("/old/a.py", "/new/a.py"),
        ("/old", "/new"),
        ("/older/a.py", None),
        ("/x/old/a.py", None),
    ],
)
def test_a_root_matches_whole_folders(path: str, now: str | None) -> None:
    """A slash at the end of either folder changes nothing."""
    assert SourceRoot("/old", "/new").apply(path) == now
    assert SourceRoot("/old/", "/new/").apply(path) == now


def test_a_source_that_has_changed_since_is_told_once_for_each_file(tmp_path: Path) -> None:
    """The lines are shown all the same."""
    same, other = tmp_path / "same.py", tmp_path / "other.py"
    same.write_text("x\n")
    other.write_text("y\n")
    digests = {str(same): sha256(b"x\n").hexdigest(), str(other): sha256(b"x\n").hexdigest()}
    reader, notices = sources(digests=digests)
    assert reader.line(str(same), 1) == "x"
    assert reader.line(str(other), 1) == reader.line(str(other), 1) == "y"
    (notice,) = notices
    assert "other.py has changed" in notice


def test_only_a_few_files_are_kept(tmp_path: Path) -> None:
    """A trace of thousands of files is shown in bounded memory; lines stay right."""
    reader, _ = sources()
    for number in range(100):
        (tmp_path / f"{number}.py").write_text(f"line of {number}\n")
    for number in [*range(100), 0, 99, 50]:
        assert reader.line(str(tmp_path / f"{number}.py"), 1) == f"line of {number}"
    (tmp_path / "99.py").unlink()
    assert reader.line(str(tmp_path / "99.py"), 1) == "line of 99"
