"""The shape of a filter file: strict reading of its tables, collecting every problem."""

from __future__ import annotations

from codetracer_filter._messages import (
    ERR_FILTER_SCHEMA,
    ERR_FILTER_VALUE,
    ERR_FILTER_VERSION,
    WARN_FILTER_REGEX,
    display,
    nearest,
)
from codetracer_filter.model import (
    ExecDecision,
    ExecDirective,
    FilterMeta,
    FilterSource,
    IoConfig,
    IoStream,
    ScopeRule,
    ValueAction,
    ValuePattern,
)
from codetracer_filter.selector import SCOPE_KINDS, VALUE_KINDS, SelectorError, parse_selector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeVar

    from codetracer_filter._positions import Path, Positions
    from codetracer_filter.errors import FilterDiagnostic, FilterProblem
    from codetracer_filter.selector import Selector, SelectorKind

    T = TypeVar("T")

__all__ = ["SUPPORTED_VERSION", "SourceReader"]

SUPPORTED_VERSION = 1

_EXEC = {directive.value: directive for directive in ExecDirective}
_ACTIONS = {
    "allow": ValueAction.ALLOW,
    "redact": ValueAction.REDACT,
    "drop": ValueAction.DROP,
    "deny": ValueAction.REDACT,
}
_DEFAULTS: dict[str, ValueAction | None] = {**_ACTIONS, "inherit": None}
_STREAMS = {stream.value: stream for stream in IoStream}
_TYPE_NAMES = {str: "text", bool: "true or false", int: "a whole number", list: "an array"}


class SourceReader:
    """Reads the parsed tables of one source; `problems` fills as `read` meets them.

    `refused` holds a warning for each regular expression that cannot be used.
    """

    def __init__(
        self,
        path: str,
        root: str | None,
        data: bytes,
        positions: Positions,
        refused: dict[str, FilterDiagnostic],
    ) -> None:
        self._path = path
        self._root = root
        self._data = data
        self._positions = positions
        self.problems: list[FilterProblem] = []
        self.refused = refused

    def read(self, document: Mapping[str, object]) -> FilterSource:
        """Turn the document into a source. It is only to be used when `problems` is empty."""
        top = _Table(self, (), document, ("meta", "io", "scope"))
        meta = self._meta(top.table("meta", ("name", "version", "description", "labels")))
        io_table = top.table("io", ("capture", "streams", "modes"), required=False)
        io = None if io_table is None else self._io(io_table)
        scope = top.table("scope", ("default_exec", "default_value_action", "rules"))
        default_exec, default_action = ExecDirective.INHERIT, None
        rules: list[ScopeRule | None] = []
        if scope is not None:
            default_exec = scope.choice("default_exec", _EXEC, ExecDirective.INHERIT, required=True)
            default_action = scope.choice("default_value_action", _DEFAULTS, None, required=True)
            keys = ("selector", "exec", "value_default", "reason", "value_patterns")
            tables = scope.tables("rules", keys)
            rules = [self._rule(table, index) for index, table in tables]
        return FilterSource(
            path=self._path,
            root=self._root,
            data=self._data,
            meta=meta,
            default_exec=(
                None if default_exec is ExecDirective.INHERIT else ExecDecision(default_exec)
            ),
            default_value_action=default_action,
            io=io,
            rules=tuple(rule for rule in rules if rule is not None),
        )

    def report(self, code: str, path: Path, message: str, remedy: str) -> None:
        """Note a problem at ``path``, with its place and the rule it belongs to."""
        from codetracer_filter.errors import FilterProblem

        line, column = self._positions.find(path)
        rule = path[2] if path[:2] == ("scope", "rules") and len(path) > 2 else None
        pattern = path[4] if rule is not None and len(path) > 4 else None
        self.problems.append(
            FilterProblem(
                code=code,
                path=self._path,
                message=message,
                remedy=remedy,
                line=line,
                column=column,
                rule=rule if isinstance(rule, int) else None,
                value_pattern=pattern if isinstance(pattern, int) else None,
            )
        )

    def _meta(self, table: _Table | None) -> FilterMeta:
        if table is None:
            return FilterMeta("", SUPPORTED_VERSION)
        name = table.text("name", required=True) or ""
        if not name.strip() and isinstance(table.get("name"), str):
            self.report(
                ERR_FILTER_VALUE,
                (*table.path, "name"),
                "'meta.name' is blank",
                "give the filter a name",
            )
        labels = dict.fromkeys(table.texts("labels"))
        return FilterMeta(name, self._version(table), table.text("description"), tuple(labels))

    def _version(self, table: _Table) -> int:
        version = table.value("version", int, required=True)
        if not isinstance(version, int) or version == SUPPORTED_VERSION:
            return SUPPORTED_VERSION
        path = (*table.path, "version")
        # Python refuses to write numbers of thousands of digits in decimal.
        shown = str(version) if version.bit_length() <= 64 else "a number of that size"
        if version < 1:
            self.report(
                ERR_FILTER_VALUE,
                path,
                f"'meta.version' is {shown}",
                f"write version = {SUPPORTED_VERSION}",
            )
        else:
            self.report(
                ERR_FILTER_VERSION,
                path,
                f"'meta.version' is {shown}, and this release knows version {SUPPORTED_VERSION}",
                f"write version = {SUPPORTED_VERSION}, or install a newer codetracer-filter",
            )
        return SUPPORTED_VERSION

    def _io(self, table: _Table) -> IoConfig:
        capture = table.value("capture", bool)
        known: dict[IoStream, None] = {}
        for index, token in enumerate(table.texts("streams")):
            if token in _STREAMS:
                known[_STREAMS[token]] = None
            else:
                self.report(
                    ERR_FILTER_VALUE,
                    (*table.path, "streams", index),
                    f"{display(token)} is no stream",
                    nearest(token, tuple(_STREAMS)),
                )
        if capture is True and not table.get("streams"):
            self.report(
                ERR_FILTER_VALUE,
                (*table.path, "capture"),
                "'io.capture' is true but no stream is named",
                'add for example streams = ["stdout", "stderr"]',
            )
        if table.texts("modes"):
            self.report(
                ERR_FILTER_VALUE,
                (*table.path, "modes"),
                "'io.modes' is reserved and must be empty",
                "remove it",
            )
        return IoConfig(capture is True, tuple(known))

    def _rule(self, table: _Table, index: int) -> ScopeRule | None:
        selector = self._selector(table, SCOPE_KINDS)
        directive = table.choice("exec", _EXEC, ExecDirective.INHERIT)
        value_default = table.choice("value_default", _DEFAULTS, None)
        reason = table.text("reason")
        tables = table.tables("value_patterns", ("selector", "action", "reason"))
        patterns = [self._pattern(entry) for _, entry in tables]
        if selector is None:
            return None
        return ScopeRule(
            selector=selector,
            exec=directive,
            value_default=value_default,
            value_patterns=tuple(pattern for pattern in patterns if pattern is not None),
            reason=reason,
            path=self._path,
            index=index,
            line=self._positions.find(table.path)[0],
        )

    def _pattern(self, table: _Table) -> ValuePattern | None:
        selector = self._selector(table, VALUE_KINDS)
        action = table.choice("action", _ACTIONS, None, required=True)
        reason = table.text("reason")
        if selector is None or action is None:
            return None
        return ValuePattern(selector, action, reason, self._positions.find(table.path)[0])

    def _selector(self, table: _Table, kinds: tuple[SelectorKind, ...]) -> Selector | None:
        text = table.text("selector", required=True)
        if text is None:
            return None
        try:
            return parse_selector(text, kinds, self._root)
        except SelectorError as error:
            self.report(error.code, (*table.path, "selector"), error.message, error.remedy)
            if error.refused_regex is not None:
                self._warn_of_regex(text.partition(":")[0], error.refused_regex)
            return None

    def _warn_of_regex(self, kind: str, pattern: str) -> None:
        """Say once for each refused regular expression what could stand in its place."""
        if pattern in self.refused:
            return
        from codetracer_filter._fallback import fallback_for_regex
        from codetracer_filter.errors import FilterDiagnostic

        self.refused[pattern] = FilterDiagnostic(
            WARN_FILTER_REGEX,
            self._path,
            f"the regular expression {display(pattern)} is refused",
            fallback_for_regex(kind, pattern),
            self.problems[-1].line,
        )


class _Table:
    """One table of the document; reads typed values and reports what does not fit."""

    def __init__(
        self,
        reader: SourceReader,
        path: Path,
        values: Mapping[str, object],
        keys: tuple[str, ...],
    ) -> None:
        self._reader = reader
        self._values = values
        self.path = path
        for key in values:
            if key not in keys:
                where = f"in '{_dotted(path)}'" if path else "at the top of the file"
                reader.report(
                    ERR_FILTER_SCHEMA,
                    (*path, key),
                    f"the key {display(key)} {where} is unknown",
                    nearest(key, keys),
                )

    def get(self, key: str) -> object:
        """The raw value of ``key``, None when it is absent."""
        return self._values.get(key)

    def value(self, key: str, kind: type[T], *, required: bool = False) -> T | None:
        """The value of ``key`` if it is of ``kind``; anything else is reported and None."""
        value = self._values.get(key)
        name = _dotted((*self.path, key))
        if value is None:
            if required:
                self._reader.report(
                    ERR_FILTER_SCHEMA, self.path, f"'{name}' is missing", f"add the key '{key}'"
                )
            return None
        # `True` is an int to Python but not to TOML.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            expected = _TYPE_NAMES.get(kind, "a table")
            self._reader.report(
                ERR_FILTER_SCHEMA,
                (*self.path, key),
                f"'{name}' is not {expected}",
                f"write {expected}",
            )
            return None
        return value

    def text(self, key: str, *, required: bool = False) -> str | None:
        """The text at ``key``, or None."""
        return self.value(key, str, required=required)

    def texts(self, key: str) -> list[str]:
        """The array of texts at ``key``; items of another type are reported and left out."""
        items: list[object] = self.value(key, list) or []
        result = []
        for index, item in enumerate(items):
            if isinstance(item, str):
                result.append(item)
            else:
                path = (*self.path, key, index)
                self._reader.report(
                    ERR_FILTER_SCHEMA, path, f"'{_dotted(path)}' is not text", "write text"
                )
        return result

    def choice(
        self, key: str, choices: Mapping[str, T], default: T, *, required: bool = False
    ) -> T:
        """The meaning of the token at ``key``, or ``default`` when there is no valid one."""
        token = self.text(key, required=required)
        if token is None:
            return default
        if token not in choices:
            self._reader.report(
                ERR_FILTER_VALUE,
                (*self.path, key),
                f"{display(token)} is no value of '{_dotted((*self.path, key))}'",
                nearest(token, tuple(choices)),
            )
            return default
        return choices[token]

    def table(self, key: str, keys: tuple[str, ...], *, required: bool = True) -> _Table | None:
        """The table at ``key``, or None."""
        value = self.value(key, dict, required=required)
        return None if value is None else _Table(self._reader, (*self.path, key), value, keys)

    def tables(self, key: str, keys: tuple[str, ...]) -> list[tuple[int, _Table]]:
        """The tables of the array at ``key``, each with its index."""
        items: list[object] = self.value(key, list) or []
        result = []
        for index, item in enumerate(items):
            path = (*self.path, key, index)
            if isinstance(item, dict):
                result.append((index, _Table(self._reader, path, item, keys)))
            else:
                self._reader.report(
                    ERR_FILTER_SCHEMA,
                    path,
                    f"'{_dotted(path)}' is not a table",
                    f"write [[{_dotted((*self.path, key))}]]",
                )
        return result


def _dotted(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")
