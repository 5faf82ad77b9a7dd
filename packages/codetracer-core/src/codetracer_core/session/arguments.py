"""A command line without its secrets, for what is written about the program."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from codetracer_filter import TraceFilterConfig, ValuePolicy

__all__ = ["REDACTED", "name_judge", "redact_arguments"]

REDACTED = "<redacted>"

_OPTION = re.compile(r"--?(?P<name>\w[\w.-]*)")
_SHORT = re.compile(r"-(?P<name>\w)(?P<value>.+)", re.DOTALL)
# NAME=VALUE, also inside a word, as in addresses and JSON: ?token=x, {"token": "x"}.
# A name is looked for once, at its beginning: arguments may be as long as 128 KB.
_NAMED = re.compile(r"(?<![\w.-])[.-]*(?P<name>\w[\w.-]*+)[\"']?\s*[=:]\s*(?=\S)")
_SCHEME = re.compile(r"(?P<name>[A-Za-z]+)\s+(?=\S+$)")
_USER_INFO = re.compile(r"(?P<head>\w://[^/@\s:]*:)[^/@\s]+(?=@)")


def redact_arguments(words: Iterable[str], is_secret: Callable[[str], bool]) -> list[str]:
    """`words`, the arguments of a program, with every value left out whose name `is_secret`.

    A value is named by the option before it (``--token X``), by what stands before its sign
    (``--token=X``, ``TOKEN=X``, ``{"token": "X"}``), by the one-letter option that it is joined to,
    or by the word before it in one argument (``Bearer X``). From there on the rest of the argument
    is left out. So are passwords in addresses (``https://user:X@host``).
    """
    return list(_redacted(words, is_secret))


def _redacted(words: Iterable[str], is_secret: Callable[[str], bool]) -> Iterator[str]:
    expects_value = False
    for word in words:
        option = _OPTION.fullmatch(word)
        if expects_value and option is None and word != "--":
            expects_value = False
            yield REDACTED
            continue
        expects_value = option is not None and is_secret(option["name"])
        yield word if expects_value else _without_secret(word, is_secret)


def _without_secret(word: str, is_secret: Callable[[str], bool]) -> str:
    word = _USER_INFO.sub(rf"\g<head>{REDACTED}", word)
    short = _SHORT.fullmatch(word)
    if short is not None and is_secret(short["name"]):
        return f"-{short['name']}{REDACTED}"
    scheme = _SCHEME.match(word)
    for match in (*_NAMED.finditer(word), *([scheme] if scheme is not None else [])):
        if is_secret(match["name"]):
            return word[: match.end()] + REDACTED
    return word


def name_judge(filters: TraceFilterConfig, program: str | None) -> Callable[[str], bool]:
    """What tells whether the value called so must not be shown, for the main file `program`.

    A name is judged as that of a variable in the main module would be, whatever its kind.
    """
    policy: ValuePolicy | None = None

    def is_secret(name: str) -> bool:
        nonlocal policy
        from codetracer_filter import TraceFilterEngine, ValueAction, ValueKind

        if policy is None:
            # Rules for all files match by a name that is not empty.
            query = (program or "<string>", "<module>", "__main__")
            policy = TraceFilterEngine(filters).resolve_query(*query).policy
        kinds = (ValueKind.ARG, ValueKind.LOCAL, ValueKind.GLOBAL)
        return any(policy.decide(kind, name) is not ValueAction.ALLOW for kind in kinds)

    return is_secret
