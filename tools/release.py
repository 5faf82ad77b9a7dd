"""Releases one package alone: bumps its version, dates its changelog, builds, checks and tags it.

Usage: ``release.py PACKAGE PART``, where PACKAGE is core, filter, log or policy, and PART is major,
minor, patch, or ``none`` to release the version that stands there. Nothing is uploaded: pushing
the tag does that, by the release workflow. When a step fails the files are as they were before.

``release.py --tag TAG`` is what that workflow asks: which package does this tag publish? It prints
``package=`` and ``folder=`` lines, or fails when TAG is no package here at its present version.
"""

from __future__ import annotations

import datetime
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("major", "minor", "patch", "none")
UNRELEASED = "## Unreleased\n"


class ReleaseError(Exception):
    """Why a release cannot be made, with the remedy."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package of the workspace at `folder`."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def project(self) -> Path:
        return self.folder / "pyproject.toml"

    @property
    def changelog(self) -> Path:
        return self.folder / "CHANGELOG.md"

    @property
    def version_file(self) -> Path:
        """Where the version is written: a module of the package, or ``pyproject.toml``."""
        module = self.settings().get("tool", {}).get("hatch", {}).get("version", {}).get("path")
        return self.folder / module if module else self.project

    @property
    def version(self) -> str:
        text = self.version_file.read_text(encoding="utf-8")
        match = re.search(r'^(?:__)?version(?:__)?\s*=\s*"(.+)"$', text, flags=re.MULTILINE)
        if match is None:
            raise ReleaseError(f"{self.version_file} has no line with a version")
        return match[1]

    @property
    def tag(self) -> str:
        return f"{self.name}-v{self.version}"

    def settings(self) -> dict[str, Any]:
        """The whole of ``pyproject.toml``."""
        return tomllib.loads(self.project.read_text(encoding="utf-8"))

    def requirements(self) -> list[Requirement]:
        """What the package depends on."""
        from packaging.requirements import Requirement

        return [Requirement(text) for text in self.settings()["project"].get("dependencies", [])]


def packages() -> dict[str, Package]:
    """All packages of the workspace by short name, such as ``filter``."""
    folders = sorted(path.parent for path in ROOT.glob("packages/*/pyproject.toml"))
    return {folder.name.removeprefix("codetracer-"): Package(folder) for folder in folders}


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run a command and return what it prints; `ReleaseError` when it fails."""
    result = subprocess.run(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if result.returncode:
        words = " ".join(str(word) for word in command)
        raise ReleaseError(f"`{words}` failed with status {result.returncode}:\n{result.stdout}")
    return result.stdout


def date_changelog(text: str, version: str, today: datetime.date) -> str:
    """`text` with its unreleased entries under a heading for `version`."""
    before, heading, after = text.partition(UNRELEASED)
    entries = re.split(r"^## ", after, maxsplit=1, flags=re.MULTILINE)[0]
    if not heading or not entries.strip():
        raise ReleaseError(
            "the changelog has no entries under '## Unreleased': write down what changed"
        )
    return f"{before}{UNRELEASED}\n## {version} ({today:%Y-%m-%d})\n{after}"


def check_ranges(package: Package) -> None:
    """The siblings that depend on `package` must admit its version, or no one can use both."""
    for dependent in packages().values():
        for requirement in dependent.requirements():
            if requirement.name != package.name:
                continue
            if not requirement.specifier.contains(package.version, prereleases=True):
                raise ReleaseError(
                    f"{dependent.name} requires {requirement}, which excludes {package.version}:"
                    f" check it against the new version and widen the range in {dependent.project}"
                )


def build(package: Package) -> list[Path]:
    """Build the source distribution and the wheel into ``dist/``, and check their metadata."""
    folder = ROOT / "dist" / f"{package.name}-{package.version}"
    shutil.rmtree(folder, ignore_errors=True)
    run("hatch", "build", "-t", "sdist", "-t", "wheel", folder, cwd=package.folder)
    files = sorted(path for path in folder.iterdir() if path.suffix in (".whl", ".gz"))
    run("hatch", "run", "release:twine", "check", "--strict", *files)
    return files


def release(package: Package, part: str, today: datetime.date) -> str:
    """Make the release and return its tag."""
    if run("git", "status", "--porcelain", "--untracked-files=no").strip():
        raise ReleaseError("there are uncommitted changes: commit them first")
    touched = {package.version_file, package.changelog}
    before = {path: path.read_bytes() for path in touched}
    try:
        if part != "none":
            run("hatch", "version", part, cwd=package.folder)
        tag = package.tag
        if run("git", "tag", "--list", tag).strip():
            raise ReleaseError(f"the tag {tag} exists: this version was released before")
        changelog = package.changelog.read_text(encoding="utf-8")
        package.changelog.write_text(
            date_changelog(changelog, package.version, today), encoding="utf-8"
        )
        check_ranges(package)
        for file in build(package):
            print(file.relative_to(ROOT))
        message = f"Release {package.name} {package.version}"
        run("git", "commit", "--quiet", "-m", message, "--", *touched)
        run("git", "tag", "--annotate", "-m", message, tag)
    except BaseException:
        for path, content in before.items():
            path.write_bytes(content)
        raise
    return tag


def published_by(tag: str) -> Package:
    """The one package that `tag` publishes."""
    for package in packages().values():
        if package.tag == tag:
            return package
    raise ReleaseError(f"{tag!r} is not the tag of a package here at its present version")


def main(arguments: list[str]) -> int:
    """The command; one line says what is wrong."""
    known = packages()
    try:
        if len(arguments) == 2 and arguments[0] == "--tag":
            package = published_by(arguments[1])
            print(f"package={package.name}\nfolder={package.folder.relative_to(ROOT).as_posix()}")
        elif len(arguments) == 2 and arguments[0] in known and arguments[1] in PARTS:
            today = datetime.datetime.now(datetime.UTC).date()
            tag = release(known[arguments[0]], arguments[1], today)
            print(f"tagged {tag}; publish it with: git push --follow-tags")
        else:
            usage = f"PACKAGE={'|'.join(known)} PART={'|'.join(PARTS)}"
            print(f"usage: make release {usage}", file=sys.stderr)
            return 2
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
