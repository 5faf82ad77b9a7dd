"""Checks that packages import only what their layer may.

The three leaves (filter, policy, log) know nothing of each other or of core; core may use all
three. Beyond the standard library a package imports only what its own ``pyproject.toml`` declares.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent

# Distribution name to the modules it provides, where the two differ.
PROVIDES = {"cffi": {"cffi", "_cffi_backend"}, "backports.zstd": {"backports"}}
LEAVES = frozenset({"codetracer_filter", "codetracer_log", "codetracer_policy"})


@dataclass(frozen=True, slots=True)
class Violation:
    """One import that the layering forbids."""

    path: Path
    line: int
    module: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: imports {self.module}: {self.reason}"


def declared_modules(package: Path) -> set[str]:
    """Top-level modules that the dependencies of `package` provide."""
    project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    modules: set[str] = set()
    for requirement in project.get("dependencies", []):
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        modules |= PROVIDES.get(name, {name.replace("-", "_")})
    return modules


def imported_modules(source: str) -> Iterator[tuple[int, str]]:
    """Line and top-level module of every absolute import in `source`, wherever it stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.lineno, node.module.partition(".")[0]


def check_package(package: Path) -> Iterator[Violation]:
    """Every forbidden import below ``src/`` of `package`."""
    own = package.name.replace("-", "_")
    declared = declared_modules(package)
    for path in sorted((package / "src").rglob("*.py")):
        for line, module in imported_modules(path.read_text(encoding="utf-8")):
            if module == own or module in sys.stdlib_module_names:
                continue
            if own in LEAVES and module.startswith("codetracer_"):
                yield Violation(path, line, module, "a leaf knows neither its siblings nor core")
            elif module not in declared and module != "compression":
                yield Violation(path, line, module, f"{package.name} does not depend on it")


def check(root: Path = ROOT) -> list[Violation]:
    """Every forbidden import in the packages of the repository at `root`."""
    packages = sorted(path.parent for path in root.glob("packages/*/pyproject.toml"))
    return [violation for package in packages for violation in check_package(package)]


def main() -> int:
    """Print the violations; the status tells whether there are any."""
    violations = check()
    for violation in violations:
        print(violation)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
