"""Checking filter files: every problem of all of them at once."""

from __future__ import annotations

from dataclasses import dataclass

from codetracer_filter._messages import display
from codetracer_filter.cli.errors import ERR_FILTER_COMMAND_LINE, CommandError
from codetracer_filter.discovery import split_chain
from codetracer_filter.errors import FilterError
from codetracer_filter.loader import ConfigAggregator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from codetracer_filter.errors import FilterDiagnostic, FilterProblem

__all__ = ["CheckResult", "check_files", "diagnostic_entry", "problem_entry"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What is wrong, and what is odd, in the ``files`` that were checked."""

    files: tuple[str, ...]
    problems: tuple[FilterProblem, ...]
    warnings: tuple[FilterDiagnostic, ...]

    def entry(self) -> dict[str, object]:
        """The result for JSON."""
        return {
            "ok": not self.problems,
            "files": list(self.files),
            "problems": [problem_entry(problem) for problem in self.problems],
            "warnings": [diagnostic_entry(warning) for warning in self.warnings],
        }

    def lines(self) -> Iterator[str]:
        """The result for people."""
        for problem in self.problems:
            yield f"{problem} [{problem.code}]"
        for warning in self.warnings:
            yield f"warning: {warning} [{warning.code}]"
        yield f"{_counted(len(self.files), 'file')}, {_counted(len(self.problems), 'problem')}"


def check_files(given: Sequence[str]) -> CheckResult:
    """Check files as a chain behind the built-in filter; a text may name several with ``::``.

    Raises `CommandError` for a text that names none, such as that of an empty shell variable.
    """
    for text in given:
        if not split_chain(text):
            raise CommandError(
                ERR_FILTER_COMMAND_LINE,
                f"{display(text)} names no file; give the path of a filter file",
            )
    files = tuple(path for text in given for path in split_chain(text))
    aggregator = ConfigAggregator()
    aggregator.add_builtin("default")
    for path in files:
        aggregator.add_file(path)
    try:
        return CheckResult(files, (), aggregator.finish().diagnostics)
    except FilterError as error:
        return CheckResult(files, error.problems, error.diagnostics)


def problem_entry(problem: FilterProblem) -> dict[str, object]:
    """A problem for JSON."""
    return {
        "code": problem.code,
        "kind": problem.kind.value,
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "rule": problem.rule,
        "value_pattern": problem.value_pattern,
        "message": problem.message,
        "remedy": problem.remedy,
    }


def diagnostic_entry(diagnostic: FilterDiagnostic) -> dict[str, object]:
    """A warning for JSON."""
    return {
        "code": diagnostic.code,
        "path": diagnostic.path,
        "line": diagnostic.line,
        "message": diagnostic.message,
        "remedy": diagnostic.remedy,
    }


def _counted(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
