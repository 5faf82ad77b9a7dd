"""What is wrong with a policy: every problem with its name, place and remedy, in one exception."""

from __future__ import annotations

from codetracer_policy._records import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ERR_INVALID_POLICY_VALUE",
    "ERR_UNKNOWN_POLICY_KEY",
    "PolicyError",
    "PolicyProblem",
    "PolicyTypeError",
    "PolicyValueError",
]

ERR_INVALID_POLICY_VALUE = "ERR_INVALID_POLICY_VALUE"
"""A setting has a value, or a type, that it cannot take."""

ERR_UNKNOWN_POLICY_KEY = "ERR_UNKNOWN_POLICY_KEY"
"""No setting has this name."""


@record(frozen=True, slots=True)
class PolicyProblem:
    """One thing wrong with one setting."""

    name: str
    """The setting or environment variable, as the user wrote it."""
    place: str
    """Where it was given: ``environment``, ``argument``, or the name of its source."""
    message: str
    remedy: str
    code: str = ERR_INVALID_POLICY_VALUE

    def __str__(self) -> str:
        return f"{self.name} ({self.place}): {self.message}; {self.remedy}"


class PolicyError(Exception):
    """Base of every failure of this package.

    All problems of one call are in ``problems``. ``kind`` is always ``Usage``: whoever wrote the
    setting can correct it. ``context`` names the settings concerned.
    """

    kind: str = "Usage"

    def __init__(self, problems: Iterable[PolicyProblem]) -> None:
        self.problems: tuple[PolicyProblem, ...] = tuple(problems)
        codes = {problem.code for problem in self.problems}
        self.code = codes.pop() if len(codes) == 1 else ERR_INVALID_POLICY_VALUE
        self.message = "invalid policy: " + " | ".join(map(str, self.problems))
        names = dict.fromkeys(problem.name for problem in self.problems)
        self.context: dict[str, str] = {"settings": ", ".join(names)}
        super().__init__(self.problems)

    def __str__(self) -> str:
        details = ", ".join(f"{key}={value}" for key, value in self.context.items())
        return f"[{self.code}] {self.message} ({details})"


class PolicyValueError(PolicyError, ValueError):
    """The names and types are right, a value is not."""


class PolicyTypeError(PolicyError, TypeError):
    """A name does not exist, or a value has the wrong type."""
