"""Paths: how ``file`` selectors are normalised, and what a file name is compared with."""

from __future__ import annotations

import os
import re

from codetracer_filter._globs import PatternError, expand_braces, set_classes_aside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    PathTest = Callable[[str, str | None], bool]
    """Test for an absolute path and the same path relative to the root, None if outside."""

__all__ = [
    "absolute_name",
    "glob_test",
    "literal_test",
    "relative_to",
    "search_test",
]

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_ABSOLUTE_REGEX = re.compile(r"(?:\^|\\A)(?:/|[A-Za-z]:)")


def absolute_name(filename: str, directory: str) -> str:
    """The form of ``co_filename`` that selectors see: absolute, with forward slashes.

    Relative names start at ``directory``; ``<string>`` and its kind stay as they are.
    """
    if filename.startswith("<"):
        return filename
    if _DRIVE.match(filename) or filename.startswith("\\\\"):
        return filename.replace("\\", "/")
    if filename.startswith("/"):
        return filename if "/." not in filename else os.path.normpath(filename)
    return os.path.normpath(os.path.join(directory, filename)).replace(os.sep, "/")


def relative_to(path: str, root: str) -> str | None:
    """``path`` without the directory ``root``, or None when it is not below it."""
    prefix = root if root.endswith("/") else root + "/"
    return path[len(prefix) :] if path.startswith(prefix) else None


def _normalise(pattern: str, root: str | None) -> tuple[str, bool]:
    """Resolve ``.``, ``..`` and double slashes; say whether the result starts at the root.

    A pattern that starts elsewhere comes back without its leading slash, to be compared with
    absolute paths.
    """
    base = [] if root is None else [part for part in root.split("/") if part]
    parts: list[str] = [] if pattern.startswith("/") or _DRIVE.match(pattern) else list(base)
    for part in pattern.split("/"):
        if part == "..":
            if not parts:
                raise PatternError("the path leaves the file system", "remove a '..'")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    inside = parts[: len(base)] == base
    rest = parts[len(base) :] if inside else parts
    if not rest:
        raise PatternError("the path names no file", "write '**' for everything below the root")
    return "/".join(rest), inside


def glob_test(pattern: str, root: str | None) -> PathTest:
    """Make a test from a gitignore-like glob anchored at ``root``."""
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    below_root: list[Callable[[str], object]] = []
    anywhere: list[Callable[[str], object]] = []
    absolute: list[Callable[[str], object]] = []
    for choice in expand_braces(pattern):
        plain, classes = set_classes_aside(choice)
        text, inside = _normalise(plain, root)
        compiled = GitIgnoreSpecPattern("/" + text).regex
        if compiled is None:
            raise PatternError("the glob matches nothing", "correct it or remove the rule")
        if classes:
            # Python warns of some classes unless their characters are escaped.
            whole = compiled.pattern
            for placeholder, expression in classes.items():
                whole = whole.replace(placeholder, expression)
            compiled = re.compile(whole)
        if not inside:
            absolute.append(compiled.match)
        elif root is None or text == "**" or text.startswith("**/"):
            anywhere.append(compiled.match)
        else:
            below_root.append(compiled.match)

    def matches(path: str, relative: str | None) -> bool:
        if relative is not None:
            for match in below_root:
                if match(relative):
                    return True
        elif not anywhere and not absolute:
            return False
        outside = path.lstrip("/")
        seen = outside if relative is None else relative
        return any(match(seen) for match in anywhere) or any(match(outside) for match in absolute)

    return matches


def literal_test(pattern: str, root: str | None) -> PathTest:
    """Make a test for one path, written relative to ``root`` or absolute."""
    if pattern.startswith("<"):
        return lambda path, relative: path == pattern
    text, inside = _normalise(pattern, root)
    if inside and root is not None:
        return lambda path, relative: relative == text
    return lambda path, relative: path.lstrip("/") == text


def search_test(pattern: str, search: Callable[[str], bool]) -> PathTest:
    """Make a test that gives ``search`` the relative path, or the absolute one outside the root.

    A ``pattern`` that can only fit an absolute path, such as ``^/usr/``, always gets that.
    """
    if _ABSOLUTE_REGEX.match(pattern):
        return lambda path, relative: search(path)
    return lambda path, relative: search(path if relative is None else relative)
