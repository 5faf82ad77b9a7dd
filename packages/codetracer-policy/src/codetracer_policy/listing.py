"""The settings as people read them: the values of one policy, and the tables of the documents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from codetracer_policy.env import VARIABLES
from codetracer_policy.model import FIELD_NAMES, RecorderPolicy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ListedSetting", "list_settings", "settings_table", "variables_table"]

_SIZES = frozenset({"max_value", "max_step"})
_NOTHING_AT_ZERO = frozenset({"max_size", "keep_last"})
_PARTS_OF_CAPTURE_IO = {
    "io_capture_line_proxies": "record what passes sys.stdout, sys.stderr and sys.stdin",
    "io_capture_fd_fallback": "record what goes to descriptors 1 and 2 past them, too",
}


@dataclass(frozen=True, slots=True)
class ListedSetting:
    """One setting of a policy, in the words of configuration files and variables."""

    name: str
    value: str
    origin: str
    """``default``, or what set it, such as ``environment CODETRACER_MAX_TEXT``."""
    variables: tuple[str, ...]
    """The environment variables that set it, the strongest last."""
    meaning: str


def list_settings(policy: RecorderPolicy) -> tuple[ListedSetting, ...]:
    """Every setting of ``policy``, in the order of its fields."""
    return tuple(_listed(policy, name) for name in FIELD_NAMES)


def settings_table() -> str:
    """The settings with their defaults, variables and meanings, as a table of Markdown."""
    rows = (
        (f"`{listed.name}`", listed.value, _code(listed.variables), listed.meaning)
        for listed in list_settings(RecorderPolicy())
    )
    return _table(("setting", "default", "variable", "meaning"), rows)


def variables_table() -> str:
    """The environment variables with what each may hold, as a table of Markdown."""
    defaults = {listed.name: listed.value for listed in list_settings(RecorderPolicy())}
    defaults["io_capture_line_proxies"] = "proxies"
    rows = (
        (_code([entry.name]), entry.syntax, defaults[entry.fields[0]], entry.summary)
        for entry in VARIABLES
    )
    return _table(("variable", "holds", "default", "meaning"), rows)


def _listed(policy: RecorderPolicy, name: str) -> ListedSetting:
    setting_it = [variable for variable in VARIABLES if name in variable.fields]
    return ListedSetting(
        name,
        _spelt(name, policy.value(name)),
        str(policy.origin(name)),
        tuple(variable.name for variable in setting_it),
        _PARTS_OF_CAPTURE_IO.get(name, setting_it[0].summary),
    )


def _spelt(name: str, value: object) -> str:
    if name in _NOTHING_AT_ZERO and not value:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Enum):
        return str(value.value)
    if name in _SIZES and isinstance(value, int) and value % 1024 == 0:
        return f"{value // 1024}KiB"
    return "none" if value is None else str(value)


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    lines += [f"| {' | '.join(cells)} |" for cells in rows]
    # Markdown takes underscores around a name for emphasis.
    return re.sub(r"(__\w+__)", r"`\1`", "\n".join(lines)) + "\n"
