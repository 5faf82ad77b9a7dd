"""What the tests about the repository share: copies of it, its packages, and interpreters."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
LEAVES = ("codetracer-filter", "codetracer-log", "codetracer-policy")
CORE = "codetracer-core"


def run(
    *command: str | Path,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    status: int = 0,
) -> str:
    """Run a command, check its exit status, and return its two outputs joined."""
    result = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == status, f"{command}: {result.returncode}\n{result.stdout}"
    return result.stdout


def tool(name: str) -> str:
    """The path of a program that ``make`` puts on PATH."""
    found = shutil.which(name)
    assert found, f"{name} is not on PATH: run the tests through make test"
    return found


def load_tool(name: str) -> ModuleType:
    """Import ``tools/NAME.py`` as a module of its own."""
    spec = importlib.util.spec_from_file_location(f"tools_{name}", ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@functools.cache
def interpreters() -> dict[str, str]:
    """Version such as ``3.13`` to executable, for every complete interpreter that is supported."""
    bootstrap = load_tool("bootstrap")
    found: dict[str, str] = {}
    for interpreter in bootstrap.find_interpreters([sys.executable]):
        if bootstrap.supported(interpreter) and not bootstrap.missing_parts(interpreter):
            version = "{}.{}".format(*interpreter["version"][:2])
            found.setdefault(version, interpreter["executable"])
    return found


def copy_repository(destination: Path) -> Path:
    """A git repository in `destination` with the present content of this one, committed."""
    left_out = shutil.ignore_patterns(".git", ".venv", "build", "dist", "*-out", ".*_cache")
    shutil.copytree(ROOT, destination, ignore=left_out)
    run("git", "init", "--quiet", cwd=destination)
    run("git", "config", "user.name", "Test", cwd=destination)
    run("git", "config", "user.email", "test@example.invalid", cwd=destination)
    run("git", "config", "core.hooksPath", "/dev/null", cwd=destination)
    commit_all(destination, "Start")
    run("git", "clean", "-d", "--force", "-X", "--quiet", cwd=destination)
    return destination


def commit_all(repository: Path, message: str) -> None:
    """Commit everything in a copy made by `copy_repository`."""
    run("git", "add", "--all", cwd=repository)
    run("git", "commit", "--quiet", "-m", message, cwd=repository)


def version_of(package: str, repository: Path = ROOT) -> str:
    """The version of a package in a working tree."""
    return str(load_tool("release").Package(repository / "packages" / package).version)


def build(package: str, kind: str, out: Path, python: str, repository: Path = ROOT) -> Path:
    """Build ``wheel`` or ``sdist`` of a package in isolation into `out` and return the file."""
    return build_from(repository / "packages" / package, kind, out, python)


def build_from(source: Path, kind: str, out: Path, python: str) -> Path:
    """The same from a source folder or an archive."""
    before = set(out.glob("*")) if out.exists() else set()
    run(tool("uv"), "build", f"--{kind}", "--python", python, "--out-dir", out, source)
    (made,) = {path for path in out.glob("*.[wt]*") if path not in before}
    return made


def bare_environment(folder: Path, **more: str) -> dict[str, str]:
    """An environment without compiler, home or settings: PATH is an empty folder.

    What says where packages come from, and with which certificates, is kept.
    """
    empty = folder / "nothing"
    empty.mkdir(exist_ok=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("PIP_", "UV_", "SSL_CERT_")) or name.lower().endswith("_proxy")
    }
    return {**kept, "HOME": str(empty), "PATH": str(empty), "CC": "/nonexistent/cc", **more}


def make_venv(python: str, folder: Path) -> Path:
    """A fresh virtual environment with pip; returns its interpreter."""
    run(python, "-m", "venv", folder)
    return folder / "bin" / "python"


def pip_install(python: Path, arguments: Sequence[str | Path], env: Mapping[str, str]) -> None:
    """Install with pip, as a user would."""
    run(python, "-m", "pip", "install", "--quiet", *arguments, cwd=python.parent, env=env)


def installed(python: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Name to version of what is installed for `python`."""
    listed = run(python, "-m", "pip", "list", "--format=freeze", env=env, cwd=python.parent)
    pairs = (line.split("==") for line in listed.splitlines() if "==" in line)
    return {name.lower(): version for name, version in pairs}
