"""Tests of file selectors: roots, normalisation, and what a path is compared with."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from codetracer_filter import ExecDecision, TraceFilterConfig, TraceFilterEngine
from codetracer_filter.selector import SCOPE_KINDS, SelectorError, parse_selector

from .conftest import WriteFilter

SKIP = '[[scope.rules]]\nselector = "{}"\nexec = "skip"\n'


def skipped(engine: TraceFilterEngine, *files: Path | str) -> list[str]:
    """Which of ``files`` the engine skips, by name."""
    decided = {Path(file).name: engine.resolve_file(os.fspath(file)) for file in files}
    return [name for name, decision in decided.items() if decision is ExecDecision.SKIP]


@pytest.mark.parametrize(
    ("pattern", "fits", "fails"),
    [
        ("*.py", ["a.py"], ["src/a.py"]),
        ("**/a.py", ["a.py", "src/a.py", "x/y/a.py"], ["src/ba.py"]),
        ("src", ["src/a.py", "src/x/y.py"], ["lib/src/a.py", "src.py"]),
        ("src/", ["src/a.py"], ["lib/src/a.py"]),
        ("src/**", ["src/a.py", "src/x/y.py"], ["a.py"]),
        ("src/**/t.py", ["src/t.py", "src/x/y/t.py"], ["t.py"]),
        ("src/{a,b}.py", ["src/a.py", "src/b.py"], ["src/c.py"]),
        ("./src//x/../a.py", ["src/a.py"], ["src/x/a.py"]),
        ("src/?.py", ["src/a.py", "src/é.py"], ["src/ab.py"]),
        ("!a.py", ["!a.py"], ["b.py"]),
        ("#a.py", ["#a.py"], ["a.py"]),
        ("src/[ab].py", ["src/a.py"], ["src/c.py"]),
        ("[[a].py", ["[.py", "a.py"], ["b.py"]),
        ("[a||b&&c~~].py", ["|.py", "&.py", "~.py"], ["d.py"]),
        ("[+--].py", ["+.py", ",.py", "-.py"], ["x.py"]),
        ("[]a]x.py", ["]x.py", "ax.py"], ["bx.py"]),
        ("[!]a]x.py", ["bx.py"], ["]x.py", "ax.py"]),
        ("\ue000[ab].py", ["\ue000a.py"], ["aa.py"]),
    ],
)
def test_file_glob_is_anchored_at_the_root(
    write_filter: WriteFilter, tmp_path: Path, pattern: str, fits: list[str], fails: list[str]
) -> None:
    """A file glob starts at the root of its filter; a directory covers what is below it."""
    path = write_filter(SKIP.format(f"file:{pattern}"))
    engine = TraceFilterEngine(TraceFilterConfig.from_paths([path]))
    decided = [
        name
        for name in fits + fails
        if engine.resolve_file(str(tmp_path / name)) is ExecDecision.SKIP
    ]
    assert decided == fits


def test_each_filter_has_its_own_root(write_filter: WriteFilter, tmp_path: Path) -> None:
    """Another filter in a sub-folder does not change what the first one's patterns mean."""
    outer = write_filter(SKIP.format("file:sub/a.py"), "outer.toml")
    inner = write_filter(SKIP.format("file:b.py"), "sub/inner.toml")
    engine = TraceFilterEngine(TraceFilterConfig.from_paths([outer, inner]))
    assert skipped(engine, tmp_path / "sub/a.py", tmp_path / "sub/b.py", tmp_path / "c.py") == [
        "a.py",
        "b.py",
    ]
    assert engine.resolve_file(str(tmp_path / "b.py")) is ExecDecision.TRACE


def test_root_is_above_the_codetracer_folder(write_filter: WriteFilter, tmp_path: Path) -> None:
    """A filter below .codetracer is rooted at the project that holds that folder."""
    path = write_filter(SKIP.format("file:src"), "project/.codetracer/more/f.toml")
    config = TraceFilterConfig.from_paths([path])
    assert config.sources[0].root == str(tmp_path / "project")
    engine = TraceFilterEngine(config)
    assert skipped(engine, tmp_path / "project/src/a.py", tmp_path / "src/b.py") == ["a.py"]


def test_absolute_and_outside_patterns(write_filter: WriteFilter, tmp_path: Path) -> None:
    """A pattern that is no path inside the root is compared with absolute paths."""
    rules = (
        SKIP.format(f"file:{tmp_path}/project/inside.py")
        + SKIP.format("file:literal:/opt/tool/absolute.py")
        + SKIP.format("file:../sibling/*.py")
        + SKIP.format("file:/srv/*/glob.py")
    )
    path = write_filter(rules, "project/filter.toml")
    engine = TraceFilterEngine(TraceFilterConfig.from_paths([path]))
    files: list[Path | str] = [
        tmp_path / "project/inside.py",
        "/opt/tool/absolute.py",
        tmp_path / "sibling/s.py",
        "/srv/x/glob.py",
        "/srv/other.py",
        tmp_path / "project/sibling/t.py",
    ]
    assert skipped(engine, *files) == ["inside.py", "absolute.py", "s.py", "glob.py"]


def test_any_depth_reaches_files_outside_the_root(write_filter: WriteFilter) -> None:
    """A glob that begins with '**/' fits at any depth, also where the root does not reach."""
    path = write_filter(SKIP.format("file:**/vendored/*.py") + SKIP.format("file:lib/b.py"))
    engine = TraceFilterEngine(TraceFilterConfig.from_paths([path]))
    assert skipped(engine, "/usr/vendored/a.py", "/lib/b.py") == ["a.py"]


def test_file_regex_is_not_treated_as_a_path(write_filter: WriteFilter, tmp_path: Path) -> None:
    """A regex is searched in the relative path as it is written; '^/' asks for the absolute one."""
    rules = (
        SKIP.format("file:regex:^src/./a")
        + SKIP.format(f"file:regex:^{tmp_path}/top/")
        + SKIP.format("file:regex:^/usr/lib/")
    )
    engine = TraceFilterEngine(TraceFilterConfig.from_paths([write_filter(rules)]))
    files: list[Path | str] = [
        tmp_path / "src/x/a.py",
        tmp_path / "src/b.py",
        tmp_path / "top/t.py",
        "/usr/lib/u.py",
    ]
    assert skipped(engine, *files) == ["a.py", "t.py", "u.py"]
    assert engine.resolve_file(str(tmp_path / "lib/src/x/a.py")) is ExecDecision.TRACE


@pytest.mark.skipif(sys.platform == "win32", reason="needs symbolic links")
def test_path_through_a_symbolic_link_is_inside_the_root(
    write_filter: WriteFilter, tmp_path: Path
) -> None:
    """A file imported through a link to the project is still the project's."""
    path = write_filter(SKIP.format("file:a.py"), "real/filter.toml")
    (tmp_path / "real/a.py").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for given in (path, tmp_path / "link/filter.toml"):
        engine = TraceFilterEngine(TraceFilterConfig.from_paths([given]))
        assert skipped(engine, tmp_path / "link/a.py") == ["a.py"]
        assert skipped(engine, tmp_path / "real/a.py") == ["a.py"]


def test_relative_file_names_start_at_the_given_directory(
    write_filter: WriteFilter, tmp_path: Path
) -> None:
    """A relative co_filename is completed with the engine's directory."""
    config = TraceFilterConfig.from_paths([write_filter(SKIP.format("file:src/a.py"))])
    engine = TraceFilterEngine(config, directory=tmp_path / "src")
    assert skipped(engine, "a.py", "./b.py", "../src/a.py") == ["a.py"]


def test_windows_paths_are_seen_with_forward_slashes(write_filter: WriteFilter) -> None:
    """A drive path is compared with forward slashes, whatever it was written with."""
    path = write_filter(SKIP.format("file:regex:^C:/x/") + SKIP.format("file:glob:D:/y/*.py"))
    engine = TraceFilterEngine(TraceFilterConfig.from_paths([path]))
    assert engine.resolve_file("C:\\x\\a.py") is ExecDecision.SKIP
    assert engine.resolve_file("D:\\y\\a.py") is ExecDecision.SKIP
    assert engine.resolve_file("D:\\y\\z.txt") is ExecDecision.TRACE


@pytest.mark.parametrize(
    "pattern", [".", "a/..", "/" + "../" * 3 + "x", "[a", "[b-a]", "literal:./", "[a]" * 7_000]
)
def test_file_pattern_that_cannot_be_used_is_refused(pattern: str) -> None:
    """A path that is malformed, normalises to nothing or leaves the file system is an error."""
    with pytest.raises(SelectorError) as caught:
        parse_selector(f"file:{pattern}", SCOPE_KINDS, "/root")
    assert caught.value.code == "ERR_FILTER_PATTERN"


def test_names_that_are_no_files(write_filter: WriteFilter) -> None:
    """Code compiled from text keeps its name, which literals and regexes can select."""
    path = write_filter(SKIP.format("file:literal:<string>") + SKIP.format("file:regex:^<frozen"))
    engine = TraceFilterEngine(TraceFilterConfig.from_paths([path]))
    names = ("<string>", "<stdin>", "<frozen os>")
    assert skipped(engine, *names) == ["<string>", "<frozen os>"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs symbolic links")
def test_functions_that_a_program_puts_into_os_are_not_called(
    write_filter: WriteFilter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a file is called, and where it lies, is found as without them."""
    path = write_filter(SKIP.format("file:a.py"), "real/filter.toml")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/__init__.py").touch()
    (tmp_path / "real/a.py").touch()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "up").symlink_to("shop/../link")
    (tmp_path / "round").symlink_to("round")
    engine = TraceFilterEngine(TraceFilterConfig.from_paths([path]))

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError(arguments)

    with monkeypatch.context() as patched:
        for name in ("stat", "lstat", "readlink", "getcwd"):
            patched.setattr(os, name, refuse)
        for name in ("isfile", "islink", "realpath", "abspath", "exists"):
            patched.setattr(os.path, name, refuse)
        found = [engine.resolve_file(f"{tmp_path}/{file}/a.py") for file in ("link", "up", "round")]
        module = engine.resolve_query(f"{tmp_path}/shop/b.py", "f").module
    assert found == [ExecDecision.SKIP, ExecDecision.SKIP, ExecDecision.TRACE]
    assert module == "shop.b"
