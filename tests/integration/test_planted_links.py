"""Output folders to which other users have access: nothing that they plant is followed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from integration.recording import record, recorder

FOREIGN = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")


def write_program(folder: Path, text: str = "x = 1\n") -> None:
    """program.py with the code `text`."""
    (folder / "program.py").write_text(text)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_what_is_recorded_is_for_its_owner_alone(umask: int, tmp_path: Path) -> None:
    """Folders have the rights 0700 and files 0600, also while the program runs, or fewer."""
    write_program(
        tmp_path,
        "import os\n"
        "for name in os.listdir('new/out'):\n"
        "    print(oct(os.stat(f'new/out/{name}').st_mode & 0o777))\n",
    )
    before = os.umask(umask)
    try:
        done = record(["program.py"], tmp_path, tmp_path / "new" / "out")
    finally:
        os.umask(before)
    if umask & 0o200 and os.geteuid():
        pytest.skip("this umask takes the right to write from us")
    assert done.stdout.decode().splitlines() == [oct(0o600 & ~umask)] * 2
    for folder in ("new", "new/out"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700 & ~umask
    files = list((tmp_path / "new" / "out").iterdir())
    assert len(files) == 4
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600 & ~umask}


@pytest.mark.parametrize("name", ["trace.ct", "trace_metadata.json", "trace_paths.json"])
def test_a_link_in_the_place_of_a_file_is_refused(name: str, tmp_path: Path) -> None:
    """Neither recording nor recovering follows it or replaces it."""
    write_program(tmp_path, "import os; os.kill(os.getpid(), 9)\n")
    record(["program.py"], tmp_path, tmp_path / "killed")
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).symlink_to(victim)
    for done in (
        record(["program.py"], tmp_path, tmp_path / "out"),
        recorder(["recover", "-o", "out", "killed"], tmp_path),
    ):
        assert done.returncode == 2
        assert b"[ERR_TRACE_DIR_CONFLICT]" in done.stderr
        assert victim.read_text() == "precious"
        assert (tmp_path / "out" / name).is_symlink()


def test_a_link_that_is_planted_meanwhile_is_replaced_and_not_followed(tmp_path: Path) -> None:
    """The finished trace takes its place; what it led to is as it was."""
    names = ["trace.ct", "trace_metadata.json", "trace_paths.json"]
    write_program(
        tmp_path,
        f"import os\nfor name in {names}:\n    os.symlink('../victim', f'out/{{name}}')\n",
    )
    (tmp_path / "victim").write_text("precious")
    assert record(["program.py"], tmp_path, tmp_path / "out").returncode == 0
    assert (tmp_path / "victim").read_text() == "precious"
    for name in names:
        assert stat.S_ISREG((tmp_path / "out" / name).lstat().st_mode)


@needs_root
def test_an_output_folder_that_another_user_has_linked_is_refused(tmp_path: Path) -> None:
    """It may lead anywhere; one of the owner of the folder in which it stands is followed."""
    write_program(tmp_path)
    shared, target = tmp_path / "shared", tmp_path / "target"
    shared.mkdir()
    target.mkdir()
    link = shared / "out"
    link.symlink_to(target)
    os.chown(link, FOREIGN, FOREIGN, follow_symlinks=False)
    done = record(["program.py"], tmp_path, link)
    assert done.returncode == 2
    assert b"[ERR_TRACE_DIR_CONFLICT]" in done.stderr
    assert list(target.iterdir()) == []
    os.chown(shared, FOREIGN, FOREIGN)
    assert record(["program.py"], tmp_path, link).returncode == 0
    assert (target / "trace.ct").is_file()


def test_pipes_in_the_place_of_files_stop_nobody(tmp_path: Path) -> None:
    """Neither command waits for a writer that never comes: for the ring, the trace, what describes
    it, or a source that it names."""
    write_program(tmp_path, "import os; os.kill(os.getpid(), 9)\n")
    out = tmp_path / "out"
    record(["program.py"], tmp_path, out)
    (ring,) = out.glob("*.ring")
    kept = ring.rename(tmp_path / "kept")
    os.mkfifo(ring)
    done = recorder(["recover", "out"], tmp_path)
    assert done.returncode == 1
    assert b"[ERR_IO]" in done.stderr
    kept.replace(ring)
    os.mkfifo(out / "trace.ct")
    done = recorder(["show", "out/trace.ct"], tmp_path)
    assert done.returncode != 0
    assert b"[ERR_TRACE_NOT_FOUND]" in done.stderr
    os.mkfifo(out / "trace_metadata.json")
    assert recorder(["recover", "out"], tmp_path).returncode == 0
    for file in (tmp_path / "program.py", out / "trace_metadata.json"):
        file.unlink()
        os.mkfifo(file)
    done = recorder(["show", "out"], tmp_path)
    assert (done.returncode, done.stdout.count(b"os.kill")) == (0, 0)
