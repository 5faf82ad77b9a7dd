"""What the command cannot do, with a code, the kind of failure and a remedy."""

from __future__ import annotations

from codetracer_filter.errors import ErrorKind

__all__ = [
    "ERR_FILTER_COMMAND_LINE",
    "ERR_FILTER_EXISTS",
    "ERR_FILTER_OUTPUT",
    "ERR_FILTER_SCOPE",
    "CommandError",
]

ERR_FILTER_COMMAND_LINE = "ERR_FILTER_COMMAND_LINE"
ERR_FILTER_EXISTS = "ERR_FILTER_EXISTS"
ERR_FILTER_OUTPUT = "ERR_FILTER_OUTPUT"
ERR_FILTER_SCOPE = "ERR_FILTER_SCOPE"


class CommandError(Exception):
    """A command that cannot be carried out; ``message`` is one line that ends in the remedy."""

    def __init__(
        self,
        code: str,
        message: str,
        kind: ErrorKind = ErrorKind.USAGE,
        context: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.kind = kind
        self.message = message
        self.context = context or {}

    def __str__(self) -> str:
        return f"[{self.code}] {self.message}"
