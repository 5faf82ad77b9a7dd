"""Levels, and the specification that says which lines are worth writing."""

from __future__ import annotations

from codetracer_log.errors import ERR_INVALID_LOG_SPEC, LogSpecError

__all__ = ["DEFAULT_SPEC", "LEVELS", "FilterSpec"]

LEVELS: dict[str, int] = {"OFF": 0, "ERROR": 1, "WARN": 2, "INFO": 3, "DEBUG": 4, "TRACE": 5}
"""The verbosity of each level. A line is written when its level is at most that of its target."""


class FilterSpec:
    """Which lines pass: a level for everything, and levels of their own for some targets.

    A target is a dotted path such as ``codetracer_core::journal`` (dots are accepted too) and
    covers what lies below it; the longest one that covers a line decides. Instances are not
    changed after creation.
    """

    # A plain class: the dataclasses module would triple the import time of this package.
    __slots__ = ("default", "loudest", "targets")

    def __init__(self, default: str = "WARN", targets: dict[str, str] | None = None) -> None:
        self.default = LEVELS[default]
        """Verbosity where no target applies."""
        by_target = {_canonical(target): LEVELS[level] for target, level in (targets or {}).items()}
        self.targets: tuple[tuple[str, int], ...] = tuple(
            sorted(by_target.items(), key=lambda item: -len(item[0]))
        )
        """Targets with their verbosity, longest first."""
        self.loudest = max([self.default, *by_target.values()])
        """No line above this verbosity passes, whatever its target."""

    @classmethod
    def parse(cls, text: str) -> FilterSpec:
        """Read ``level`` and ``target=level`` parts joined by commas, levels in any case.

        A blank text is the default specification (``warn``). Raises LogSpecError for anything else.
        """
        default = "WARN"
        targets: dict[str, str] = {}
        for part in filter(None, map(str.strip, text.split(","))):
            target, equals, level = part.rpartition("=")
            level = level.strip().upper()
            if level not in LEVELS or (equals and not target.strip()):
                raise LogSpecError(
                    ERR_INVALID_LOG_SPEC,
                    f"{part!r} is not valid in a level specification; use parts such as "
                    "warn or codetracer_core::journal=debug with one of "
                    + ", ".join(LEVELS).lower(),
                    spec=text,
                )
            if equals:
                targets[target.strip()] = level
            else:
                default = level
        return cls(default, targets)

    def allows(self, level: int, target: str) -> bool:
        """Whether a line of this verbosity (a value of ``LEVELS``) from ``target`` passes."""
        if level > self.loudest:
            return False
        target = _canonical(target)
        for covering, verbosity in self.targets:
            if target == covering or target.startswith(covering + "::"):
                return level <= verbosity
        return level <= self.default

    def __repr__(self) -> str:
        names = {verbosity: name.lower() for name, verbosity in LEVELS.items()}
        parts = [names[self.default], *(f"{target}={names[v]}" for target, v in self.targets)]
        return f"FilterSpec({','.join(parts)!r})"


def _canonical(target: str) -> str:
    return target.replace(".", "::")


DEFAULT_SPEC = FilterSpec()
