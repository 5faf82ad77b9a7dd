"""The output folder: made, checked, and cleared only of what is ours."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from pathlib import Path

import pytest

from codetracer_core.session.errors import TraceDirConflictError, TraceDirError
from codetracer_core.session.filesystem import discard, prepare_folder, remove_created
from codetracer_core.session.names import RECORDER_NAME

JOURNAL = "trace.0199d3a2-0000-7000-8000-000000000000.ctj"


def old_trace(folder: Path) -> set[Path]:
    """Write the files of an older trace into `folder` and return them."""
    files = {
        "trace.ct": b"\xc0\xde\x72\xac\xe2 and more",
        JOURNAL: b"CTJOURNL and more",
        JOURNAL.replace(".ctj", ".ring"): b"CTJRING1 and more",
        "trace_metadata.json": json.dumps({"recorder": {"name": RECORDER_NAME}}).encode(),
        "trace_paths.json": b'["/a.py"]',
        "trace.json": b'[{"Path": "/a.py"}]',
        ".trace.ct.0123456789abcdef.tmp": b"",
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return {folder / name for name in files}


def test_a_missing_folder_is_made_with_its_parents_for_this_user_alone(tmp_path: Path) -> None:
    """Every folder on the way is made with mode 0700, and can be removed again."""
    folder = prepare_folder(tmp_path / "a" / "b")
    assert folder.path == tmp_path / "a" / "b"
    assert folder.created == (tmp_path / "a", tmp_path / "a" / "b")
    assert all(stat.S_IMODE(made.stat().st_mode) == 0o700 for made in folder.created)
    remove_created(folder.created)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_used_as_it_is(tmp_path: Path) -> None:
    """Its mode and its foreign files are left alone, and nothing is left behind by the check."""
    tmp_path.chmod(0o755)
    (tmp_path / "notes.txt").write_text("mine")
    folder = prepare_folder(tmp_path)
    assert folder.created == ()
    assert folder.previous == ()
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_relative_folder_becomes_absolute_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program may change its directory later without moving the trace."""
    monkeypatch.chdir(tmp_path)
    assert prepare_folder("out").path == tmp_path / "out"


def test_a_folder_in_the_home_directory_can_be_named_with_a_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leading ``~`` is the user's home directory."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert prepare_folder("~/out").path == tmp_path / "out"


def test_removing_folders_stops_at_one_that_is_in_use(tmp_path: Path) -> None:
    """A folder that got a file in the meantime stays, and its parents with it."""
    folder = prepare_folder(tmp_path / "a" / "b")
    (tmp_path / "a" / "file").touch()
    remove_created(folder.created)
    assert not (tmp_path / "a" / "b").exists()
    assert (tmp_path / "a" / "file").exists()


def test_a_file_in_the_place_of_the_folder_is_a_conflict(tmp_path: Path) -> None:
    """The error names the path, is a ValueError too, and blames the caller."""
    place = tmp_path / "out"
    place.write_text("mine")
    with pytest.raises(TraceDirConflictError) as caught:
        prepare_folder(place)
    assert caught.value.code == "ERR_TRACE_DIR_CONFLICT"
    assert caught.value.kind == "Usage"
    assert caught.value.context == {"path": str(place)}
    assert isinstance(caught.value, ValueError)
    assert place.read_text() == "mine"


def test_a_dangling_link_in_the_place_of_the_folder_is_a_conflict(tmp_path: Path) -> None:
    """Nothing is made at the place that the link points to."""
    place = tmp_path / "out"
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TraceDirConflictError):
        prepare_folder(place)
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_cannot_be_made_is_an_error_of_the_environment(tmp_path: Path) -> None:
    """A file among the parents is reported, and no folder is left over."""
    (tmp_path / "file").touch()
    with pytest.raises(TraceDirError) as caught:
        prepare_folder(tmp_path / "file" / "a" / "b")
    assert caught.value.code == "ERR_TRACE_DIR_CREATE_FAILED"
    assert caught.value.kind == "Environment"
    assert caught.value.context["path"] == str(tmp_path / "file" / "a" / "b")
    assert isinstance(caught.value, OSError)
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_takes_no_files_is_found_before_the_program_starts() -> None:
    """Writing is tried, because rights alone do not tell: nobody can write in /proc."""
    with pytest.raises(TraceDirError) as caught:
        prepare_folder("/proc/self")
    assert caught.value.code == "ERR_TRACE_DIR_NOT_WRITABLE"
    assert caught.value.context["path"] == "/proc/self"


def test_the_files_of_an_older_trace_are_recognised_and_not_touched_yet(tmp_path: Path) -> None:
    """They are listed for the session that replaces them once it has started."""
    files = old_trace(tmp_path)
    (tmp_path / "trace.log").write_text("not ours")
    (tmp_path / "trace.notes.ctj").write_bytes(b"CTJOURNL")
    folder = prepare_folder(tmp_path)
    assert set(folder.previous) == files
    assert all(file.exists() for file in files)
    folder.clear()
    assert {file.name for file in tmp_path.iterdir()} == {"trace.log", "trace.notes.ctj"}


def child_trace(folder: Path, parent: object = "somebody") -> set[Path]:
    """Make `folder` with the trace of a child process of `parent`; return its files."""
    folder.mkdir()
    files = old_trace(folder)
    metadata = {"recorder": {"name": RECORDER_NAME}, "parent": parent}
    (folder / "trace_metadata.json").write_text(json.dumps(metadata))
    return files


def test_the_traces_of_child_processes_go_with_that_of_their_parent(tmp_path: Path) -> None:
    """Their folders do, too, unless there is something else in them."""
    files = old_trace(tmp_path) | child_trace(tmp_path / "17") | child_trace(tmp_path / "18")
    (tmp_path / "18" / "notes.txt").write_text("mine")
    folder = prepare_folder(tmp_path)
    assert set(folder.previous) == files
    folder.clear()
    assert {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*")} == {
        "18",
        "18/notes.txt",
    }


def test_folders_with_numbers_that_are_not_of_an_older_child_stay(tmp_path: Path) -> None:
    """A child that still records, another recording, foreign files and links keep theirs."""
    live = child_trace(tmp_path / "1")
    child_trace(tmp_path / "2", parent=None)
    child_trace(tmp_path / "3")
    (tmp_path / "3" / "trace.ct").write_text("foreign")
    (tmp_path / "4").mkdir()
    child_trace(tmp_path / "elsewhere")
    (tmp_path / "5").symlink_to(tmp_path / "elsewhere")
    before = sorted(tmp_path.rglob("*"))
    (journal,) = (file for file in live if file.suffix == ".ctj")
    with journal.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        folder = prepare_folder(tmp_path)
    assert folder.previous == ()
    folder.clear()
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("trace.ct", b"my text"),
        ("trace.ct", b""),
        ("trace_metadata.json", b"{}"),
        ("trace_metadata.json", b'{"recorder": {"name": "another"}}'),
        ("trace_metadata.json", b"not JSON"),
        ("trace_metadata.json", b"[" * 100_000),
        ("trace_paths.json", b"{}"),
        ("trace_paths.json", b"[1]"),
    ],
)
def test_a_foreign_file_in_the_way_is_a_conflict(name: str, content: bytes, tmp_path: Path) -> None:
    """A file that the trace would overwrite and that is not from this recorder stays."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TraceDirConflictError) as caught:
        prepare_folder(tmp_path)
    assert caught.value.context == {"path": str(tmp_path / name)}
    assert (tmp_path / name).read_bytes() == content


def test_a_foreign_json_trace_is_in_the_way_of_another_one_alone(tmp_path: Path) -> None:
    """The name is a common one, and only a session that writes JSON would overwrite it."""
    foreign = tmp_path / "trace.json"
    foreign.write_text("[]")
    assert prepare_folder(tmp_path).previous == ()
    with pytest.raises(TraceDirConflictError):
        prepare_folder(tmp_path, json=True)
    assert foreign.read_text() == "[]"


def test_a_link_in_the_place_of_the_trace_is_a_conflict(tmp_path: Path) -> None:
    """A link is foreign even when it points to a trace."""
    (tmp_path / "real").mkdir()
    old_trace(tmp_path / "real")
    (tmp_path / "trace.ct").symlink_to(tmp_path / "real" / "trace.ct")
    with pytest.raises(TraceDirConflictError):
        prepare_folder(tmp_path)


def test_a_folder_in_which_another_process_records_gets_one_of_its_own_inside(
    tmp_path: Path,
) -> None:
    """A journal that is locked belongs to a recorder at work, and nothing of it is touched."""
    files = old_trace(tmp_path)
    with (tmp_path / JOURNAL).open("rb") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        folder = prepare_folder(tmp_path)
        assert folder.path == tmp_path / str(os.getpid())
        assert folder.created == (folder.path,)
        assert folder.previous == ()
        assert all(file.exists() for file in files)
    remove_created(folder.created)
    assert prepare_folder(tmp_path).previous


def test_a_ring_whose_journal_is_in_use_by_now_is_not_removed(tmp_path: Path) -> None:
    """Another recorder has made it a moment before its journal."""
    ring = tmp_path / JOURNAL.replace(".ctj", ".ring")
    ring.write_bytes(b"CTJRING1 and more")
    folder = prepare_folder(tmp_path)
    assert folder.previous == (ring,)
    (tmp_path / JOURNAL).write_bytes(b"CTJOURNL and more")
    with (tmp_path / JOURNAL).open("rb") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        discard(folder.previous)
    assert ring.exists()
    discard(folder.previous)
    assert not ring.exists()


def test_discarding_what_cannot_be_removed_is_an_error_of_the_environment(tmp_path: Path) -> None:
    """The file is named, and the remedy is to remove it or to choose another folder."""
    stubborn = tmp_path / "trace.ct"
    stubborn.mkdir()
    with pytest.raises(TraceDirError) as caught:
        discard([stubborn])
    assert caught.value.code == "ERR_IO"
    assert caught.value.context["path"] == str(stubborn)
