"""What log lines and trailers say about an exception, read without running the program's code."""

from __future__ import annotations

from types import MappingProxyType

__all__ = ["Failure", "first_report"]

_UNKNOWN_CODE = "ERR_UNKNOWN"
_UNKNOWN_KIND = "Internal"


class Failure:
    """Code, kind, message and context of an exception.

    An exception that stores them keeps them; any other is an internal failure of unknown code,
    described by its type and, when that is a plain text, its first argument.
    """

    __slots__ = ("code", "context", "kind", "message")

    def __init__(self, error: BaseException) -> None:
        ours = _is_ours(error)
        self.code = _text(error, "code", _UNKNOWN_CODE) if ours else _UNKNOWN_CODE
        self.kind = _text(error, "kind", _UNKNOWN_KIND) if ours else _UNKNOWN_KIND
        self.message = _text(error, "message", _described(error)) if ours else _described(error)
        context = _stored(error, "context") if ours else None
        self.context: dict[str, str] = (
            dict(context) if isinstance(context, dict | MappingProxyType) else {}
        )

    @property
    def details(self) -> str:
        """The context as `` (k=v, k=v)`` sorted by key, or nothing."""
        pairs = ", ".join(f"{key}={self.context[key]}" for key in sorted(self.context))
        return f" ({pairs})" if pairs else ""


def first_report(error: BaseException, channel: str) -> bool:
    """Whether this is the first report of ``error``, or what it was raised from, on ``channel``.

    A failure that is wrapped on its way out is one failure and is to be reported once. Only
    exceptions with a code of their own are remembered: those of the recorded program are not
    written to.
    """
    mark = f"_codetracer_reported_{channel}"
    report = object()
    link: BaseException | None = error
    reported = False
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        if _is_ours(link):
            # One step, so that of several threads with one failure only one is the first.
            reported = link.__dict__.setdefault(mark, report) is not report or reported
        link = link.__cause__
    return not reported


def _stored(error: BaseException, name: str) -> object:
    """The attribute as it is stored in the exception or its classes; properties are not called."""
    places = (error.__dict__, *(vars(base) for base in type(error).__mro__))
    return next((place[name] for place in places if name in place), None)


def _text(error: BaseException, name: str, otherwise: str) -> str:
    value = _stored(error, name)
    return str.__str__(value) if isinstance(value, str) else otherwise


def _is_ours(error: BaseException) -> bool:
    return bool(_text(error, "code", "") and _text(error, "kind", ""))


def _described(error: BaseException) -> str:
    first = error.args[0] if error.args else None
    name = type(error).__name__
    return f"{name}: {first}" if type(first) is str else name
