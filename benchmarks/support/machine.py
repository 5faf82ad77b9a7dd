"""What a result is of: the commit, and how the interpreter was compiled."""

from __future__ import annotations

import platform
import subprocess
import sysconfig

from benchmarks.support.places import ROOT

__all__ = ["describe"]


def describe() -> dict[str, str | int]:
    """Metadata that pyperf does not collect by itself, as it does machine, versions and date."""
    # Without it every figure of Python code is another, unless a distribution profiles otherwise.
    option = "--enable-optimizations"
    word = "with" if option in str(sysconfig.get_config_var("CONFIG_ARGS") or "") else "without"
    return {
        "commit": _git("rev-parse", "HEAD"),
        "commit_date": _git("log", "-1", "--format=%cI"),
        "modified": int(bool(_git("status", "--porcelain", "--untracked-files=no"))),
        "python_build": f"{platform.python_compiler()}, configured {word} {option}",
    }


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    return "unknown" if done.returncode else done.stdout.strip()
