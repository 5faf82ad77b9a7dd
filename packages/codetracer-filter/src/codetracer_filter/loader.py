"""Loading: from files and inline texts to a resolved configuration, or to all their problems."""

from __future__ import annotations

import os
from errno import EFBIG
from stat import S_ISDIR, S_ISREG

from codetracer_filter._messages import (
    ERR_FILTER_INHERIT,
    ERR_FILTER_NOT_FOUND,
    ERR_FILTER_SYNTAX,
    ERR_FILTER_UNREADABLE,
    WARN_FILTER_REPEATED,
    display,
    nearest,
)
from codetracer_filter._positions import Positions, toml_text
from codetracer_filter._schema import SourceReader
from codetracer_filter.model import ExecDecision, InlineFilter, TraceFilterConfig, ValueAction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from codetracer_filter.errors import FilterDiagnostic, FilterProblem
    from codetracer_filter.model import FilterSource, IoConfig, ScopeRule

__all__ = ["ConfigAggregator", "builtin_filter", "load_config"]

_LARGEST_FILE = 1024 * 1024


def load_config(
    paths: Iterable[str | os.PathLike[str]],
    inline: Iterable[InlineFilter | tuple[str, str]] = (),
) -> TraceFilterConfig:
    """Load ``inline`` texts and then files into one configuration.

    Raises `FilterError` with every problem of every source.
    """
    aggregator = ConfigAggregator()
    for source in inline:
        aggregator.add_inline(source if isinstance(source, InlineFilter) else InlineFilter(*source))
    for path in paths:
        aggregator.add_file(path)
    return aggregator.finish()


def builtin_filter(name: str) -> InlineFilter:
    """Read the filter called ``name`` that ships with this package."""
    path = os.path.join(os.path.dirname(__file__), "builtin", f"{name}.toml")
    # The loader of this module also reads from a zip file, and costs no import.
    loader = globals()["__spec__"].loader
    return InlineFilter(f"builtin-{name}", loader.get_data(path).decode("utf-8"))


def filter_root(path: str) -> str:
    """The directory that relative ``file`` selectors of the file at ``path`` start from.

    It is the parent of the nearest enclosing ``.codetracer`` directory, or else the directory
    of the file.
    """
    directory = start = os.path.dirname(path)
    while True:
        parent, name = os.path.split(directory)
        if name == ".codetracer":
            return parent.replace(os.sep, "/")
        if parent == directory:
            return start.replace(os.sep, "/")
        directory = parent


class ConfigAggregator:
    """Adds sources up to a configuration: rules in order, defaults from the last that set them."""

    def __init__(self) -> None:
        self._sources: list[FilterSource] = []
        self._problems: list[FilterProblem] = []
        self._diagnostics: list[FilterDiagnostic] = []
        self._refused: dict[str, FilterDiagnostic] = {}
        self._seen: set[str] = set()

    def add_inline(self, source: InlineFilter) -> None:
        """Add a source given as text; it has no root."""
        self._add_text(f"<inline:{source.label}>", None, source.text.encode("utf-8"))

    def add_builtin(self, name: str, among: Sequence[str] = ("default",)) -> None:
        """Add the filter called ``name`` that ships with this package, one of ``among``."""
        if name in among:
            self.add_inline(builtin_filter(name))
        else:
            self._report(
                ERR_FILTER_NOT_FOUND,
                f"<inline:builtin-{name}>",
                f"there is no built-in filter for {display(name)}",
                nearest(name, among),
            )

    def add_file(self, path: str | os.PathLike[str]) -> None:
        """Add the file at ``path``; one that is in the chain already is used only once."""
        given = os.fspath(path)
        real = os.path.realpath(os.path.expanduser(given))
        if real in self._seen:
            from codetracer_filter.errors import FilterDiagnostic

            self._diagnostics.append(
                FilterDiagnostic(
                    WARN_FILTER_REPEATED,
                    real,
                    "the file is in the chain already and is used once, at its first place",
                    "name it once",
                )
            )
            return
        self._seen.add(real)
        try:
            data = _read(real)
        except (OSError, ValueError) as error:
            self._problems.append(_unreadable(given, error))
            return
        self._add_text(real, filter_root(real), data)

    def add_selectors(self, only: Iterable[str], skip: Iterable[str]) -> None:
        """Add scope selectors of a command line; relative paths in them start here."""
        from codetracer_filter._command_line import command_line_source

        directory = os.getcwd().replace(os.sep, "/")
        self._sources.append(command_line_source(only, skip, directory, self._problems.append))

    def finish(self) -> TraceFilterConfig:
        """Return the configuration, or raise `FilterError` with everything that is wrong."""
        default_exec: ExecDecision | None = None
        default_action: ValueAction | None = None
        io: IoConfig | None = None
        rules: list[ScopeRule] = []
        for source in self._sources:
            default_exec = source.default_exec or default_exec
            default_action = source.default_value_action or default_action
            io = source.io or io
            rules.extend(source.rules)
        if not self._problems:
            self._check_first_defaults()
        if self._problems or default_exec is None or default_action is None:
            from codetracer_filter.errors import FilterError

            raise FilterError(self._problems, [*self._diagnostics, *self._refused.values()])
        return TraceFilterConfig(
            sources=tuple(self._sources),
            default_exec=default_exec,
            default_value_action=default_action,
            io=io,
            rules=tuple(rules),
            diagnostics=tuple(self._diagnostics),
        )

    def _check_first_defaults(self) -> None:
        """Report ``inherit`` in the first source, which has nothing to inherit from."""
        if not self._sources:
            message = "the chain is empty"
            remedy = "name a filter file, or start from the built-in filter"
            self._report(ERR_FILTER_INHERIT, "<empty chain>", message, remedy)
            return
        first = self._sources[0]
        for key, value, example in (
            ("default_exec", first.default_exec, "trace"),
            ("default_value_action", first.default_value_action, "allow"),
        ):
            if value is None:
                positions = Positions(toml_text(first.data))
                self._report(
                    ERR_FILTER_INHERIT,
                    first.path,
                    f"'scope.{key}' inherits, but this is the first source of the chain",
                    f'write {key} = "{example}"',
                    *positions.find(("scope", key)),
                )

    def _report(
        self,
        code: str,
        path: str,
        message: str,
        remedy: str,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        from codetracer_filter.errors import FilterProblem

        self._problems.append(FilterProblem(code, path, message, remedy, line, column))

    def _add_text(self, path: str, root: str | None, data: bytes) -> None:
        from tomli import TOMLDecodeError, loads

        try:
            text = toml_text(data)
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            message = f"the file is not UTF-8 text (byte {error.start + 1})"
            self._report(ERR_FILTER_SYNTAX, path, message, "save it as UTF-8", line)
            return
        try:
            document = loads(text)
            positions = Positions(text)
        except TOMLDecodeError as error:
            self._report(
                ERR_FILTER_SYNTAX,
                path,
                f"this is not valid TOML: {error.msg}",
                "correct the syntax",
                error.lineno,
                error.colno,
            )
            return
        except ValueError:
            message = "it holds a number of more digits than Python reads"
            self._report(ERR_FILTER_SYNTAX, path, message, "write a smaller one", 1)
            return
        except RecursionError:
            message = "it is nested too deeply"
            self._report(ERR_FILTER_SYNTAX, path, message, "write it flatter", 1)
            return
        reader = SourceReader(path, root, data, positions, self._refused)
        source = reader.read(document)
        self._problems.extend(
            sorted(reader.problems, key=lambda problem: (problem.line or 0, problem.column or 0))
        )
        self._sources.append(source)


def _read(path: str) -> bytes:
    """The content of the file at ``path``.

    Raises OSError, and ValueError when no filter can be there: a device may have no end, and
    opening a FIFO waits for its writer.
    """
    mode = os.stat(path).st_mode
    if S_ISDIR(mode):
        raise ValueError("it is a folder")
    if not S_ISREG(mode):
        raise ValueError("it is a device, a pipe or a socket, not a file")
    with open(path, "rb") as file:
        data = file.read(_LARGEST_FILE + 1)
    if len(data) > _LARGEST_FILE:
        raise OSError(EFBIG, "it is larger than 1 MiB")
    return data


def _unreadable(path: str, error: OSError | ValueError) -> FilterProblem:
    from codetracer_filter.errors import ErrorKind, FilterProblem

    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    message = f"the filter file cannot be read: {reason}"
    if isinstance(error, (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError)):
        return FilterProblem(ERR_FILTER_NOT_FOUND, path, message, "give the path of a filter file")
    remedy = "make the file readable or leave it out"
    if isinstance(error, OSError) and error.errno == EFBIG:
        remedy = "give the path of a filter file"
    return FilterProblem(
        ERR_FILTER_UNREADABLE,
        path,
        message,
        remedy,
        kind=ErrorKind.ENVIRONMENT,
    )
