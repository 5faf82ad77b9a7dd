"""Exceptions that callers of the recorder see, each with a stable code, a kind and a context."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "EnvironmentError",
    "EnvironmentError_",
    "InternalError",
    "RecorderError",
    "TargetError",
    "TraceError",
    "UsageError",
]


class RecorderError(Exception):
    """Base of every failure that the recorder reports.

    ``code`` is a stable name such as ``ERR_IO``. ``kind`` tells who can act on it: ``Usage`` (the
    caller), ``Environment`` (the machine or a file), ``Target`` (the traced program) or
    ``Internal`` (us). ``context`` holds details as texts.
    """

    kind: str = "Internal"

    def __init__(self, code: str, message: str, /, **context: object) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.context: dict[str, str] = {key: str(value) for key, value in context.items()}

    def __str__(self) -> str:
        details = ", ".join(f"{key}={self.context[key]}" for key in sorted(self.context))
        return f"[{self.code}] {self.message}" + (f" ({details})" if details else "")

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        """Errors cross processes whatever the arguments of their class are."""
        return _restored, (type(self), self.args, self.__dict__)


class UsageError(RecorderError):
    """The call, option or configuration is wrong; the caller can correct it."""

    kind = "Usage"


class EnvironmentError_(RecorderError):  # noqa: N801, N818 - the plain name is a builtin
    """The machine refused: a file, a permission, a full disk, a missing library."""

    kind = "Environment"


class TargetError(RecorderError):
    """The traced program or its input cannot be run or observed."""

    kind = "Target"


class InternalError(RecorderError):
    """A defect of the recorder itself."""

    kind = "Internal"


class TraceError(RecorderError):
    """A trace that is read is damaged, cut, or of a form that this reader does not know."""

    kind = "Environment"


def _restored(
    family: type[RecorderError], args: tuple[object, ...], state: dict[str, object]
) -> RecorderError:
    error = family.__new__(family, *args)
    error.args = args
    error.__dict__.update(state)
    return error


EnvironmentError = EnvironmentError_  # noqa: A001 - exported under the name of its kind
