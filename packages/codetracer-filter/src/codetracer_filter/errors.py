"""What is wrong with a filter chain: warnings, problems, and the error that carries problems."""

from __future__ import annotations

from enum import StrEnum

from codetracer_filter._messages import (
    ERR_FILTER_INHERIT,
    ERR_FILTER_INVALID,
    ERR_FILTER_NOT_FOUND,
    ERR_FILTER_PATTERN,
    ERR_FILTER_SCHEMA,
    ERR_FILTER_SELECTOR,
    ERR_FILTER_SYNTAX,
    ERR_FILTER_UNREADABLE,
    ERR_FILTER_VALUE,
    ERR_FILTER_VERSION,
)
from codetracer_filter._records import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ERR_FILTER_INHERIT",
    "ERR_FILTER_INVALID",
    "ERR_FILTER_NOT_FOUND",
    "ERR_FILTER_PATTERN",
    "ERR_FILTER_SCHEMA",
    "ERR_FILTER_SELECTOR",
    "ERR_FILTER_SYNTAX",
    "ERR_FILTER_UNREADABLE",
    "ERR_FILTER_VALUE",
    "ERR_FILTER_VERSION",
    "ErrorKind",
    "FilterDiagnostic",
    "FilterError",
    "FilterProblem",
]


class ErrorKind(StrEnum):
    """Whose fault an error is: the caller's, the environment's, the program's, or ours."""

    USAGE = "Usage"
    ENVIRONMENT = "Environment"
    TARGET = "Target"
    INTERNAL = "Internal"


@record(frozen=True, slots=True)
class FilterProblem:
    """One thing that is wrong in one filter source, with its place and its remedy.

    ``line`` and ``column`` count from 1 and are None when the problem has no place inside the
    file (a missing file). ``rule`` and ``value_pattern`` are the zero-based indexes of the
    entries of ``scope.rules`` and ``value_patterns`` concerned, or None.
    """

    code: str
    path: str
    message: str
    remedy: str
    line: int | None = None
    column: int | None = None
    rule: int | None = None
    value_pattern: int | None = None
    kind: ErrorKind = ErrorKind.USAGE

    @property
    def where(self) -> str:
        """The place as ``path:line:column``, shortened to what is known."""
        place = self.path
        if self.line is not None:
            place += f":{self.line}"
            if self.column is not None:
                place += f":{self.column}"
        return place

    @property
    def entry(self) -> str:
        """The entry concerned, such as ``scope.rules[2].value_patterns[0]``, or an empty text."""
        if self.rule is None:
            return ""
        if self.value_pattern is None:
            return f"scope.rules[{self.rule}]"
        return f"scope.rules[{self.rule}].value_patterns[{self.value_pattern}]"

    def __str__(self) -> str:
        entry = f"{self.entry}: " if self.entry else ""
        return f"{self.where}: {entry}{self.message}; {self.remedy}"


@record(frozen=True, slots=True)
class FilterDiagnostic:
    """A warning about a chain: something to log, whether or not the chain loads."""

    code: str
    path: str
    message: str
    remedy: str
    line: int | None = None

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.message}; {self.remedy}"


class FilterError(Exception):
    """A filter chain that cannot be used; ``problems`` lists everything that is wrong with it.

    ``code`` is the code that all problems share, or ``ERR_FILTER_INVALID`` when they differ.
    ``kind`` is Environment only when every problem is (a file that the system refuses to
    read). ``context`` holds the place of the first problem and the number of problems, as text.
    ``diagnostics`` are the warnings that loading found before it gave up.
    """

    def __init__(
        self,
        problems: Iterable[FilterProblem],
        diagnostics: Iterable[FilterDiagnostic] = (),
    ) -> None:
        self.problems: tuple[FilterProblem, ...] = tuple(problems)
        self.diagnostics: tuple[FilterDiagnostic, ...] = tuple(diagnostics)
        if not self.problems:
            raise ValueError("a FilterError needs at least one problem")
        first = self.problems[0]
        codes = {problem.code for problem in self.problems}
        self.code: str = first.code if len(codes) == 1 else ERR_FILTER_INVALID
        kinds = {problem.kind for problem in self.problems}
        self.kind: ErrorKind = first.kind if len(kinds) == 1 else ErrorKind.USAGE
        self.context: dict[str, str] = {"path": first.path, "problems": str(len(self.problems))}
        if first.line is not None:
            self.context["line"] = str(first.line)
        if len(self.problems) == 1:
            self.message: str = str(first)
        else:
            listed = "\n  ".join(str(problem) for problem in self.problems)
            self.message = f"{len(self.problems)} problems in the trace filters:\n  {listed}"
        super().__init__(self.message)

    def __reduce__(
        self,
    ) -> tuple[type[FilterError], tuple[tuple[FilterProblem, ...], tuple[FilterDiagnostic, ...]]]:
        return type(self), (self.problems, self.diagnostics)
