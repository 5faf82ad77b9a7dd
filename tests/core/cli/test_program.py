"""Which program a command line names, and what it finds before it runs."""

from __future__ import annotations

import builtins
import sys
import zipfile
from importlib.util import MAGIC_NUMBER
from typing import TYPE_CHECKING

import pytest

from codetracer_core.cli.program import ProgramKind, find_program
from codetracer_core.cli.running import exit_status, prepare
from codetracer_core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with programs of every kind in it."""
    (tmp_path / "script.py").write_text("x = 1\n")
    (tmp_path / "compiled").write_bytes(MAGIC_NUMBER + b"and more")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__main__.py").write_text("x = 1\n")
    (tmp_path / "bare").mkdir()
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.writestr("__main__.py", "x = 1\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_script_is_named_by_its_path_as_given(folder: Path) -> None:
    """Its absolute path keeps dots, as ``python`` does, and all words become ``sys.argv``."""
    program = find_program(["./app/../script.py", "-x", "--", ""])
    assert program.kind is ProgramKind.SCRIPT
    assert program.argv == ("./app/../script.py", "-x", "--", "")
    assert program.path == f"{folder}/./app/../script.py"
    assert program.main_script == program.path


@pytest.mark.parametrize(
    ("words", "kind", "name", "argv"),
    [
        (["-m", "json.tool", "x"], ProgramKind.MODULE, "json.tool", ("-m", "x")),
        (["-mjson.tool", "-m"], ProgramKind.MODULE, "json.tool", ("-m", "-m")),
        (["-c", "x = 1", "y"], ProgramKind.COMMAND, "x = 1", ("-c", "y")),
        (["-cx = 1"], ProgramKind.COMMAND, "x = 1", ("-c",)),
    ],
)
def test_modules_and_commands_have_no_file_yet(
    words: list[str], kind: ProgramKind, name: str, argv: tuple[str, ...]
) -> None:
    """``sys.argv`` begins with the option, until the module's file is found."""
    program = find_program(words)
    assert (program.kind, program.name, program.argv) == (kind, name, argv)
    assert program.path is None
    assert program.main_script is None


def test_other_kinds_are_told_by_their_content(folder: Path) -> None:
    """Bytecode without its suffix, a folder, a zip file; only a folder's main file is known."""
    assert find_program(["compiled"]).kind is ProgramKind.COMPILED
    assert find_program(["app"]).kind is ProgramKind.FOLDER
    assert find_program(["app"]).main_script == f"{folder}/app/__main__.py"
    assert find_program(["bare"]).main_script is None
    assert find_program(["app.zip"]).kind is ProgramKind.FOLDER


@pytest.mark.parametrize("words", [[], ["-m"], ["-c"], ["gone.py"], ["script.py/x"], ["\0"]])
def test_a_program_that_is_not_there_is_a_misuse(words: list[str], folder: Path) -> None:
    """Nothing but UsageError is raised."""
    with pytest.raises(UsageError):
        find_program(words)


@pytest.fixture
def interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts of ``sys`` that preparing a program changes, put back afterwards."""
    monkeypatch.setattr(sys, "argv", ["codetracer-core", "record", "script.py", "a"])
    monkeypatch.setattr(sys, "path", ["/bin", "/lib"])
    monkeypatch.setattr(
        sys, "orig_argv", ["python", "-O", "/bin/codetracer-core", "record", "script.py", "a"]
    )
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.mark.usefixtures("interpreter")
def test_a_script_gets_its_folder_its_words_and_a_fresh_main_module(folder: Path) -> None:
    """What ``python`` puts into ``sys`` and ``__main__``, and nothing else."""
    namespace = prepare(find_program(["script.py", "a"]))
    assert sys.argv == ["script.py", "a"]
    assert sys.path == [str(folder), "/lib"]
    assert sys.orig_argv == ["python", "-O", "script.py", "a"]
    assert vars(sys.modules["__main__"]) is namespace
    assert namespace["__name__"] == "__main__"
    assert namespace["__file__"] == f"{folder}/script.py"
    assert namespace["__builtins__"] is builtins
    assert namespace["__spec__"] is None


@pytest.mark.usefixtures("interpreter")
def test_the_package_run_as_a_module_leaves_no_word_of_its_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``-m codetracer_core`` goes from the restated command line; interpreter options stay."""
    words = ["python", "-X", "dev", "-m", "codetracer_core", "record", "script.py", "a"]
    monkeypatch.setattr(sys, "orig_argv", words)
    prepare(find_program(["script.py", "a"]))
    assert sys.orig_argv == ["python", "-X", "dev", "script.py", "a"]


@pytest.mark.usefixtures("interpreter")
def test_the_first_path_depends_on_the_kind(folder: Path) -> None:
    """The working directory for modules, nothing for commands, the folder itself for folders."""
    firsts = []
    for words in (["-m", "mod"], ["-c", "x"], ["app"]):
        prepare(find_program(words))
        firsts.append(sys.path[0])
    assert firsts == [str(folder), "", f"{folder}/app"]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (None, 0),
        (0, 0),
        (3, 3),
        (True, 1),
        (256, 0),
        (-1, 255),
        (2**63, 255),
        (-(2**70), 255),
        ("text", 1),
        ((1, 2), 1),
        (1.5, 1),
    ],
)
def test_the_exit_status_is_the_interpreters(code: object, status: int) -> None:
    """Numbers lose all but eight bits; everything but None and numbers means 1."""
    assert exit_status(SystemExit(code)) == status
