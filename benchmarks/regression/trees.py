"""The two sides of a comparison: folders with packages whose C part is compiled."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.support.places import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BaseError", "Tree", "base_tree", "compiled_copy", "commit_of", "head_tree"]

_NATIVE = Path("packages", "codetracer-core", "src", "codetracer_core")
_BUILDER = Path("packages", "codetracer-core", "native_build.py")
_COMPILED = "_native.*.so"


class BaseError(Exception):
    """The commit to compare with cannot be had or built; the message says why."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A checkout that can be imported from."""

    commit: str
    root: Path

    @property
    def packages(self) -> tuple[Path, ...]:
        """What has to be on the path of the interpreter."""
        return tuple(sorted(self.root.glob("packages/*/src")))

    def environ(self) -> dict[str, str]:
        """The environment of a process that imports these packages and the benchmarks."""
        kept = {name: value for name, value in os.environ.items() if name[:11] != "CODETRACER_"}
        kept["PYTHONPATH"] = os.pathsep.join(map(str, (*self.packages, ROOT)))
        return kept


def commit_of(revision: str) -> str | None:
    """The full name of a commit, None when there is none."""
    done = _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    return done.stdout.strip() or None


def head_tree() -> Tree:
    """The checkout that these benchmarks are in, as it stands there."""
    return Tree(commit_of("HEAD") or "unknown", ROOT)


@contextmanager
def base_tree(commit: str, folder: Path) -> Iterator[Tree]:
    """A worktree of `commit` in `folder`, removed at the end.

    Its C part is compiled unless its sources are those of this checkout. Raises BaseError.
    """
    root = folder / "base"
    added = _git("worktree", "add", "--detach", "--force", str(root), commit)
    if added.returncode:
        raise BaseError(added.stderr.strip())
    try:
        tree = Tree(commit, root)
        same = _git("diff", "--quiet", commit, "--", "csrc", str(_BUILDER)).returncode == 0
        built = list((ROOT / _NATIVE).glob(_COMPILED))
        if same and built:
            for module in built:
                shutil.copy2(module, root / _NATIVE)
        else:
            _compile(root)
        yield tree
    finally:
        _git("worktree", "remove", "--force", str(root))


def compiled_copy(folder: Path, flags: str) -> Tree:
    """A copy in `folder` of this checkout's packages, compiled with further `flags`."""
    root = folder / "head"
    ignored = shutil.ignore_patterns("*.so", "__pycache__")
    for part in ("packages", "csrc"):
        shutil.copytree(ROOT / part, root / part, ignore=ignored)
    _compile(root, flags)
    return Tree(f"{commit_of('HEAD')} with {flags}", root)


def _compile(root: Path, flags: str = "") -> None:
    builder, csrc, out = (str(root / part) for part in (_BUILDER, "csrc", _NATIVE))
    command = [sys.executable, builder, "--csrc", csrc, "--out", out]
    environ = {**os.environ, "CODETRACER_NATIVE_CFLAGS": flags}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BaseError(done.stderr.strip())


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
