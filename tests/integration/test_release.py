"""Tests of ``make release``: one package alone is bumped, built, checked and tagged."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from workspace import CORE, LEAVES, ROOT, commit_all, copy_repository, run, version_of

pytestmark = [pytest.mark.repository, pytest.mark.timeout(600)]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of this repository in which filter has a change to release."""
    copy = copy_repository(tmp_path / "a clone")
    write_changelog(copy, "- Matches faster.\n\n")
    return copy


def write_changelog(repository: Path, entries: str) -> None:
    """Commit a changelog of filter with `entries` as yet unreleased."""
    changelog = repository / "packages/codetracer-filter/CHANGELOG.md"
    changelog.write_text(
        f"# Changelog\n\n## Unreleased\n\n{entries}## 0.0.9 (2026-01-01)\n\n- Old.\n"
    )
    commit_all(repository, "Note what changed")


def release(repository: Path, *arguments: str, status: int = 0) -> str:
    """Run the release command of a copy."""
    return run(sys.executable, "tools/release.py", *arguments, cwd=repository, status=status)


def tags(repository: Path) -> list[str]:
    """The tags of a copy."""
    return run("git", "tag", cwd=repository).split()


def test_release_concerns_one_package_alone(repository: Path) -> None:
    """A minor release bumps, builds and tags filter; no other file and no other package changes."""
    before = {name: version_of(name, repository) for name in (CORE, *LEAVES)}
    release(repository, "filter", "minor")
    after = {name: version_of(name, repository) for name in (CORE, *LEAVES)}
    major, minor, _ = before["codetracer-filter"].split(".")
    bumped = f"{major}.{int(minor) + 1}.0"
    assert after == {**before, "codetracer-filter": bumped}
    assert tags(repository) == [f"codetracer-filter-v{bumped}"]
    changed = run("git", "show", "--name-only", "--format=%s", "HEAD", cwd=repository)
    assert changed.split("\n", 2) == [
        f"Release codetracer-filter {bumped}",
        "",
        "packages/codetracer-filter/CHANGELOG.md\npackages/codetracer-filter/pyproject.toml\n",
    ]
    built = sorted(path.name for path in repository.glob("dist/*/codetracer*"))
    assert built == [
        f"codetracer_filter-{bumped}-py3-none-any.whl",
        f"codetracer_filter-{bumped}.tar.gz",
    ]


def test_changelog_entries_get_the_version_and_date(repository: Path) -> None:
    """Unreleased entries move under a dated heading, below an empty section for the next ones."""
    release(repository, "filter", "patch")
    changelog = (repository / "packages/codetracer-filter/CHANGELOG.md").read_text()
    version = version_of("codetracer-filter", repository)
    head, _, rest = changelog.partition(f"## {version} (")
    assert head == "# Changelog\n\n## Unreleased\n\n"
    assert rest[10:].startswith(")\n\n- Matches faster.\n\n## 0.0.9")


@pytest.mark.parametrize(
    ("spoil", "arguments", "message"),
    [
        ("changelog", ("filter", "minor"), "no entries under '## Unreleased'"),
        ("uncommitted", ("filter", "minor"), "uncommitted changes"),
        ("nothing", ("filter", "major"), "widen the range"),
        ("tag", ("filter", "none"), "was released before"),
    ],
)
def test_refused_release_leaves_everything_as_it_was(
    repository: Path, spoil: str, arguments: tuple[str, str], message: str
) -> None:
    """What stands against a release is named with its remedy; no file, commit or tag is left."""
    if spoil == "changelog":
        write_changelog(repository, "")
    elif spoil == "uncommitted":
        (repository / "Makefile").write_text("")
    elif spoil == "tag":
        run(
            "git",
            "tag",
            f"codetracer-filter-v{version_of('codetracer-filter', repository)}",
            cwd=repository,
        )
    state = [
        run("git", *command, cwd=repository)
        for command in (("status", "--porcelain"), ("log",), ("tag",))
    ]
    assert message in release(repository, *arguments, status=1)
    assert state == [
        run("git", *command, cwd=repository)
        for command in (("status", "--porcelain"), ("log",), ("tag",))
    ]


@pytest.mark.parametrize("package", [CORE, *LEAVES])
def test_changelog_is_ready_for_the_next_release(package: str) -> None:
    """Each changelog has the heading under which the release command looks for entries."""
    changelog = (ROOT / "packages" / package / "CHANGELOG.md").read_text(encoding="utf-8")
    assert changelog.startswith(f"# Changelog of {package}\n\n## Unreleased\n")


@pytest.mark.parametrize("arguments", [(), ("filter",), ("nothing", "minor"), ("filter", "huge")])
def test_misuse_gets_the_usage_line(repository: Path, arguments: tuple[str, ...]) -> None:
    """Unknown packages and parts are answered with what is known, and status 2."""
    said = release(repository, *arguments, status=2)
    assert "PACKAGE=core|filter|log|policy PART=major|minor|patch|none" in said


def test_workflow_publishes_the_tagged_package_only(repository: Path) -> None:
    """A tag names one package at the version that stands there; any other tag publishes nothing."""
    target = (sys.executable, "tools/release.py", "--tag")
    version = version_of("codetracer-log", repository)
    said = run(*target, f"codetracer-log-v{version}", cwd=repository)
    assert said == "package=codetracer-log\nfolder=packages/codetracer-log\n"
    for tag in ("codetracer-log-v99.0.0", "codetracer-nothing-v0.1.0", "v0.1.0", ""):
        run(*target, tag, cwd=repository, status=1)
