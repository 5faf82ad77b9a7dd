"""Tells the release workflow what a pushed tag publishes: one package, and nothing else.

Usage: ``release_target.py TAG``. Prints ``package=`` and ``folder=`` lines for the workflow.
Status 1 when the tag does not name a package of the workspace at the version that stands there.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TAG = re.compile(r"(?P<package>codetracer-[a-z]+)-v(?P<version>\d+\.\d+\.\d+)")


def main(arguments: list[str]) -> int:
    """The command."""
    tag = arguments[0] if len(arguments) == 1 else ""
    match = TAG.fullmatch(tag)
    folder = Path("packages", match["package"]) if match else None
    if match is None or folder is None or not (ROOT / folder / "pyproject.toml").is_file():
        print(f"release_target: {tag!r} is not PACKAGE-vX.Y.Z of a package here", file=sys.stderr)
        return 1
    text = (ROOT / folder / "pyproject.toml").read_text(encoding="utf-8")
    version = tomllib.loads(text)["project"]["version"]
    if version != match["version"]:
        print(f"release_target: {tag} is tagged, but {folder} is at {version}", file=sys.stderr)
        return 1
    print(f"package={match['package']}\nfolder={folder.as_posix()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
