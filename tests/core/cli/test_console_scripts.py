"""Console scripts by name: which file runs, and why others are refused."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from codetracer_core.cli.console_scripts import find_console_script
from codetracer_core.cli.program import ProgramKind, find_program
from codetracer_core.errors import UsageError


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The scripts folder of an environment that has this interpreter, with nothing on PATH."""
    folder = tmp_path / "environment" / "bin"
    folder.mkdir(parents=True)
    (folder / "python").symlink_to(os.path.realpath(sys.executable))
    (folder / "python3").symlink_to("python")
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.chdir(tmp_path / "empty")
    return folder


def script(path: Path, *lines: str) -> Path:
    """An executable file with `lines`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, "print('ran')", ""]))
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    "head",
    [
        ("#!{bin}/python",),
        ("#!{bin}/python3 -s",),
        ("#!/bin/sh", '\'\'\'exec\' "{bin}/python" "$0" "$@"', "' '''"),
        ("#!/bin/sh", "'''exec' {bin}/python \"$0\" \"$@\"", "' '''"),
        (
            "#!/bin/sh",
            '\'\'\'exec\' "$(dirname -- "$(realpath -- "$0")")"/\'python\' "$0" "$@"',
            "' '''",
        ),
    ],
)
def test_a_script_of_the_environment_is_found(head: tuple[str, ...], environment: Path) -> None:
    """Installers write the interpreter in one of these ways."""
    made = script(environment / "tool", *(line.format(bin=environment) for line in head))
    assert find_console_script("tool").path == str(made)
    program = find_program(["tool", "-x"])
    assert program.kind is ProgramKind.SCRIPT
    assert program.argv == (str(made), "-x")
    assert program.home == ""


def test_a_script_on_path_counts_when_this_interpreter_runs_it(
    environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first that fits is taken, also by way of ``env``; the environment's own comes first."""
    script(tmp_path / "a" / "tool", "#!/bin/bash")
    (tmp_path / "b").mkdir()
    second = script(tmp_path / "b" / "tool", "#!/usr/bin/env python")
    monkeypatch.setenv("PATH", f"{tmp_path}/a::{tmp_path}/b:{environment}")
    assert find_console_script("tool").path == str(second)
    own = script(environment / "tool", f"#!{environment}/python")
    assert find_console_script("tool").path == str(own)


def test_a_script_of_another_environment_is_refused_with_the_command_for_it(
    environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interpreters of environments are links to one file, and still have packages of their own."""
    other = tmp_path / "other" / "bin"
    other.mkdir(parents=True)
    (other / "python").symlink_to(os.path.realpath(sys.executable))
    script(other / "tool", f"#!{other}/python")
    monkeypatch.setenv("PATH", str(other))
    with pytest.raises(UsageError) as caught:
        find_console_script("tool")
    assert caught.value.code == "ERR_OTHER_INTERPRETER"
    assert f"{other}/python -m codetracer_core record tool" in caught.value.message


@pytest.mark.parametrize("head", ["#!/bin/bash", "\x7fELF", "#!", ""])
def test_a_program_that_is_not_python_is_refused(head: str, environment: Path) -> None:
    """It is named with its path."""
    path = script(environment / "tool", head)
    with pytest.raises(UsageError) as caught:
        find_console_script("tool")
    assert caught.value.code == "ERR_NOT_PYTHON"
    assert caught.value.context["path"] == str(path)


def test_an_unknown_name_is_refused_with_the_nearest_one(environment: Path) -> None:
    """Files that cannot be executed are no commands."""
    script(environment / "pytest", f"#!{environment}/python")
    script(environment / "plain", f"#!{environment}/python").chmod(0o644)
    for name in ("pytset", "plain"):
        with pytest.raises(UsageError) as caught:
            find_program([name])
        assert caught.value.code == "ERR_SCRIPT_NOT_FOUND"
    with pytest.raises(UsageError, match=r"did you mean pytest\?"):
        find_program(["pytset"])


def test_a_package_without_installed_scripts_has_its_entry_points(
    environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its code is what an installer would write, under the name that the script would have."""
    information = tmp_path / "site" / "shop-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[console_scripts]\nshop = shop.cli:app.main\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    program = find_program(["shop", "--x"])
    assert program.kind is ProgramKind.ENTRY_POINT
    assert program.argv == (f"{environment}/shop", "--x")
    assert "from shop.cli import app\n" in program.source
    assert "sys.exit(app.main())" in program.source


def test_files_here_come_first(environment: Path, tmp_path: Path) -> None:
    """As under ``python``, which knows no commands; a folder must have a main module for that."""
    made = script(environment / "tool", f"#!{environment}/python")
    here = Path.cwd()
    (here / "tool").mkdir()
    assert find_program(["tool"]).path == str(made)
    (here / "tool" / "__main__.py").write_text("")
    assert find_program(["tool"]).kind is ProgramKind.FOLDER
    assert find_program(["./tool"]).path == f"{here}/./tool"
    script(here / "other", f"#!{environment}/python")
    assert find_program(["other"]).path == f"{here}/other"


def test_frameworks_are_the_commands_that_people_use(environment: Path) -> None:
    """Without pytest in the environment the message says which environment that is."""
    unittest = find_program(["--unittest", "-v", "tests"])
    assert (unittest.kind, unittest.name) == (ProgramKind.MODULE, "unittest")
    assert unittest.words == ("-m", "unittest", "-v", "tests")
    assert unittest.framework == "unittest"
    script(environment / "pytest", f"#!{environment}/python")
    pytest_ = find_program(["--pytest", "-q"])
    assert (pytest_.path, pytest_.framework) == (f"{environment}/pytest", "pytest")
    assert pytest_.argv == (f"{environment}/pytest", "-q")


def test_after_two_dashes_a_word_is_no_option(environment: Path) -> None:
    """``-- -m`` is a script with an odd name."""
    script(Path.cwd() / "-m")
    assert find_program(["-m"], literal=True).kind is ProgramKind.SCRIPT
    with pytest.raises(UsageError):
        find_program(["-m"])
