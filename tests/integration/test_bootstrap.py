"""Tests of the script that sets up a fresh clone."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from workspace import ROOT, copy_repository, interpreters, load_tool, run

pytestmark = [pytest.mark.repository, pytest.mark.timeout(900)]

SCRIPT = ROOT / "tools" / "bootstrap.py"
bootstrap = load_tool("bootstrap")


def newest_supported() -> str:
    """The newest supported interpreter."""
    return max(interpreters().items(), key=lambda item: int(item[0].split(".")[1]))[1]


def write_program(path: Path, text: str) -> Path:
    """An executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hide every interpreter: PATH and HOME are empty folders; returns the one on PATH.

    The compiler stays, under a name of its own.
    """
    for name in ("bin", "home"):
        (tmp_path / name).mkdir()
    compiler = f'PATH="{os.environ["PATH"]}" exec cc "$@"'
    monkeypatch.setenv("CC", str(write_program(tmp_path / "compiler", compiler)))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PYENV_ROOT", raising=False)
    monkeypatch.delenv("PYTHON", raising=False)
    return tmp_path / "bin"


def found() -> list[str]:
    """The interpreters that the script finds, best first."""
    return [interpreter["executable"] for interpreter in bootstrap.find_interpreters([])]


@pytest.mark.usefixtures("empty_machine")
def test_nothing_is_found_on_an_empty_machine() -> None:
    """Without PATH, HOME and variables there is no candidate."""
    assert found() == []


def test_shim_that_fails_is_no_interpreter(empty_machine: Path) -> None:
    """A file named python3.13 that exits non-zero, prints nonsense or cannot run is passed over."""
    write_program(empty_machine / "python3.13", "echo 'not installed' >&2; exit 127")
    write_program(empty_machine / "python3.12", "echo nonsense")
    (empty_machine / "python3.11").write_text("no program")
    (empty_machine / "python3.11").chmod(0o755)
    assert found() == []


def test_interpreter_behind_a_failing_shim_is_found(
    empty_machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shim earlier on PATH does not hide the real interpreter of the same name."""
    real = newest_supported()
    name = "python{}.{}".format(*bootstrap.probe(real)["version"])
    write_program(empty_machine / name, "exit 127")
    link = tmp_path / "real"
    link.mkdir()
    write_program(link / name, f'exec "{real}" "$@"')
    monkeypatch.setenv("PATH", f"{empty_machine}{os.pathsep}{link}")
    assert found() == [real]


@pytest.mark.parametrize("root", ["PYENV_ROOT", "HOME"])
def test_pyenv_versions_are_found(
    empty_machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    """What pyenv installed is found under $PYENV_ROOT or ~/.pyenv, whatever PATH says."""
    real = newest_supported()
    pyenv = tmp_path / "home" / ".pyenv" if root == "HOME" else tmp_path / "elsewhere"
    write_program(pyenv / "versions" / "3.x" / "bin" / "python3", f'exec "{real}" "$@"')
    if root == "PYENV_ROOT":
        monkeypatch.setenv("PYENV_ROOT", str(pyenv))
    assert found() == [real]


def test_newest_supported_interpreter_wins(empty_machine: Path) -> None:
    """Of all that run, the newest that core supports is chosen."""
    for version, path in interpreters().items():
        write_program(empty_machine / f"python{version}", f'exec "{path}" "$@"')
    chosen = bootstrap.choose(bootstrap.find_interpreters([]))
    assert chosen[0]["executable"] == newest_supported()
    assert len(chosen) == len(interpreters())


def test_supported_interpreter_in_the_variable_is_preferred(
    empty_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """$PYTHON is the user's word: when it is supported it is taken before a newer one."""
    for version, path in interpreters().items():
        write_program(empty_machine / f"python{version}", f'exec "{path}" "$@"')
        monkeypatch.setenv("PYTHON", path)
        assert bootstrap.choose(bootstrap.find_interpreters([]))[0]["executable"] == path


def test_unsupported_interpreter_in_the_variable_is_passed_over(
    empty_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """$PYTHON that does not run leaves the choice to the others."""
    write_program(empty_machine / "python3.13", f'exec "{newest_supported()}" "$@"')
    monkeypatch.setenv("PYTHON", "/nonexistent/python")
    assert found() == [newest_supported()]


@pytest.mark.usefixtures("empty_machine")
def test_missing_parts_are_named_with_their_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No venv, no compiler, no Python.h: each is named with the package that brings it."""
    monkeypatch.setenv("CC", "no-such-compiler")
    broken = {"version": [3, 13, 0], "venv": False, "include": str(tmp_path), "cc": "cc -pthread"}
    venv, compiler, header = bootstrap.missing_parts(broken)
    assert "apt install python3.13-venv" in venv
    assert "no-such-compiler" in compiler
    assert "apt install build-essential" in compiler
    assert "apt install python3.13-dev" in header


def test_compiler_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiler that is there but does not compile is not taken for one."""
    monkeypatch.setenv("CC", str(write_program(tmp_path / "cc", "exit 1")))
    (missing,) = bootstrap.missing_parts(bootstrap.probe(newest_supported()))
    assert "cannot compile" in missing


def test_machine_without_supported_interpreter_gets_one_clear_line(tmp_path: Path) -> None:
    """Status 1, what is needed, what was found, how to help it, and nothing is made."""
    checkout = tmp_path / "a clone"
    (checkout / "tools").mkdir(parents=True)
    (checkout / "tools" / "bootstrap.py").write_bytes(SCRIPT.read_bytes())
    env = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    said = run(sys.executable, checkout / "tools" / "bootstrap.py", env=env, status=1)
    assert said.startswith("bootstrap: error: no supported interpreter: CPython 3.11 to 3.14")
    assert "PYTHON=/path/to/python3.13" in said
    assert len(said.splitlines()) == 1
    assert not (checkout / ".venv").exists()


def test_foreign_venv_is_not_touched(tmp_path: Path) -> None:
    """A .venv that somebody else made stops the script instead of being deleted."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "bootstrap.py").write_bytes(SCRIPT.read_bytes())
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "mine").write_text("precious")
    said = run(sys.executable, tmp_path / "tools" / "bootstrap.py", status=1)
    assert "was not made by this script" in said
    assert (tmp_path / ".venv" / "mine").read_text() == "precious"


def test_script_is_written_for_old_interpreters() -> None:
    """The script parses as CPython 3.8 and imports nothing but the standard library."""
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 8))
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [a.name for a in node.names]
        )
    }
    assert imported <= sys.stdlib_module_names


def older_interpreters() -> Iterator[str]:
    """Interpreters of 3.8 to 3.10 among what pyenv has installed here."""
    for path, _ in bootstrap.candidates([]):
        interpreter = bootstrap.probe(path)
        if interpreter and (3, 8) <= tuple(interpreter["version"]) < (3, 11):
            yield interpreter["executable"]


def test_script_runs_on_old_interpreters() -> None:
    """Each older interpreter on this machine, if any, runs the script up to its help text."""
    for python in older_interpreters():
        assert "sets up" in run(python, SCRIPT, "--help").lower()


class FreshClone:
    """A clone in a folder with spaces, on a machine with an empty HOME and a short PATH."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        self.root = copy_repository(folder / "fresh clone")
        self.env = {
            "HOME": str(self.home),
            "PATH": "/usr/bin:/bin",
            "PYTHON": newest_supported(),
        }

    def make(self, target: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a make target there; its outputs are kept apart."""
        result = subprocess.run(
            ["make", target],
            cwd=self.root,
            env={**self.env, **more},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result


@pytest.fixture(scope="module")
def fresh_clone(tmp_path_factory: pytest.TempPathFactory) -> FreshClone:
    """One clone in which ``make demo`` has run once."""
    clone = FreshClone(tmp_path_factory.mktemp("machine"))
    clone.make("demo")
    return clone


def test_demo_sets_up_and_shows_the_trace(fresh_clone: FreshClone) -> None:
    """``make demo`` shows lines, variables, calls and the exception, but never the secret."""
    shown = fresh_clone.make("demo").stdout
    assert "wallet.pay(price)" in shown
    assert "ValueError" in shown
    assert "cake" in shown
    assert "correct horse" not in shown.replace('password="correct horse"', "")
    assert list(fresh_clone.root.glob("demo-out/trace.ct"))


def test_everything_is_installed_inside_the_clone(fresh_clone: FreshClone) -> None:
    """HOME stays empty: programs, packages, caches and settings all lie in .venv."""
    assert list(fresh_clone.home.rglob("*")) == []
    assert (fresh_clone.root / ".venv" / "bin" / "hatch").is_file()
    assert run("git", "status", "--porcelain", cwd=fresh_clone.root) == ""


def test_warm_demo_is_quick_and_says_nothing_of_setting_up(fresh_clone: FreshClone) -> None:
    """A repeated ``make demo`` installs and compiles nothing, and takes at most 15 seconds."""
    began = time.monotonic()
    said = fresh_clone.make("demo").stderr
    assert time.monotonic() - began <= 15
    assert "bootstrap:" not in said


def test_make_survives_failing_shims(fresh_clone: FreshClone, tmp_path: Path) -> None:
    """Shims named python3 that exit non-zero and stand first on PATH do not stop ``make``."""
    for name in ("python", "python3", "python3.12", "python3.13", "python3.14"):
        write_program(tmp_path / name, "exit 127")
    fresh_clone.make("demo", PATH=f"{tmp_path}:/usr/bin:/bin")


@pytest.fixture
def added_function(fresh_clone: FreshClone) -> Iterator[None]:
    """Add a function to the C of the clone, and take it away again."""
    csrc = fresh_clone.root / "csrc"
    declaration = "int ct_added_by_test(void);\n"
    header = (csrc / "ct.h").read_text()
    (csrc / "ct.h").write_text(header + declaration)
    (csrc / "zz_added.cdef.txt").write_text(declaration)
    (csrc / "zz_added.c").write_text(
        '#include "ct.h"\n\nint ct_added_by_test(void)\n{\n    return 4321;\n}\n'
    )
    yield
    (csrc / "ct.h").write_text(header)
    (csrc / "zz_added.cdef.txt").unlink()
    (csrc / "zz_added.c").unlink()
    fresh_clone.make("demo")


@pytest.mark.usefixtures("added_function")
def test_changed_c_is_compiled_again(fresh_clone: FreshClone) -> None:
    """After an edit below csrc/ the next command runs the new code."""
    python = fresh_clone.root / ".venv" / "envs" / "default" / "bin" / "python"
    assert "compiling csrc" in fresh_clone.make("demo").stderr
    ask = "import codetracer_core._native as n; print(n.lib.ct_added_by_test())"
    assert run(python, "-c", ask).strip() == "4321"
