"""A trace as text for people."""

from __future__ import annotations

from codetracer_core.cli.walk import Entered, Left, Stepped, Wrote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from codetracer_core.cli.sources import Sources
    from codetracer_core.cli.walk import Item
    from codetracer_core.ctfs.events import Event
    from codetracer_core.ctfs.reader import Call, Step, Value, Variable

__all__ = ["TextView"]

_VALUE_LIMIT = 200
_LEVEL_LIMIT = 40
_TOPLEVEL = "<toplevel>"
_ENTRIES = {
    "found": "was running",
    "resume": "goes on",
    "throw": "goes on with an exception",
    "switch": "goes on",
}
_ENDINGS = {"lost": "  ended unseen"}


class TextView:
    """Renders what a walk yields; step numbers take `width` characters.

    The files of calls are shown relative to `workdir`, the program's working directory, when they
    are below it.
    """

    def __init__(self, workdir: str, width: int) -> None:
        self._workdir = workdir.rstrip("/") + "/"
        self._width = width

    def step_lines(self, items: Iterable[Item], sources: Sources) -> Iterator[str]:
        """Render everything that happened.

        What a line has changed is known at the next step of the same call, and stands before it.
        """
        blank = " " * self._width
        for item in items:
            match item:
                case Entered(call, step) if call.function != _TOPLEVEL:
                    yield f"{blank} {_indent(call.depth - 1)}{self._head(call, step)}"
                case Stepped(step, call):
                    indent = _indent(call.depth if call is not None else 0)
                    for change in _changes(item):
                        yield f"{blank} {indent}        {change}"
                    yield f"{step.index:>{self._width}} {indent}{_step(step, sources)}"
                case Wrote(event, depth):
                    source = _source(event)
                    for line in event.content.decode("utf-8", "backslashreplace").splitlines():
                        yield f"{blank} {_indent(depth)}        {source}: {_plain(line)}"
                case Left(call):
                    ending = _ending(call)
                    if ending:
                        yield f"{blank} {_indent(call.depth)}{ending}"

    def call_lines(self, calls: Iterable[tuple[Call, Step | None]]) -> Iterator[str]:
        """Render calls, each with its own first step, as a tree."""
        for call, step in calls:
            indent = _levels(call.depth)
            if call.function == _TOPLEVEL:
                yield f"{indent}{call.function}{_result(call)}"
            else:
                yield f"{indent}{self._head(call, step, _result(call))}"

    def _head(self, call: Call, step: Step | None, result: str = "") -> str:
        arguments = ", ".join(_binding(argument, "=") for argument in call.arguments)
        name = _plain(call.function)
        entry = _ENTRIES.get(call.entry)
        if entry is not None:
            signature = f"{name} {entry}"
        else:
            signature = name if name.startswith("<") and not arguments else f"{name}({arguments})"
        if call.task:
            signature += f" in task {_plain(call.task)}"
        if step is None:
            return f"{signature}{result}"
        path = _plain(step.path.removeprefix(self._workdir))
        return f"{signature}{result}  [{path}:{step.line}]"


def _indent(depth: int) -> str:
    """The root call has no line of its own, so what it calls stands at the margin."""
    return _levels(max(depth - 1, 0))


def _levels(count: int) -> str:
    """The indent of `count` levels; beyond the limit the number stands instead of more blanks.

    Lines would otherwise grow with the depth, and deep recursions print gigabytes of blanks.
    """
    if count <= _LEVEL_LIMIT:
        return "  " * count
    return f"{'  ' * _LEVEL_LIMIT}[{count}] "


def _step(step: Step, sources: Sources) -> str:
    match step.kind:
        case "raise":
            return f"{step.line:>5} ! raised {_exception(step)}"
        case "catch":
            return f"{step.line:>5} ! caught {_exception(step)}"
        case "line" | "column":
            source = sources.line(step.path, step.line)
            if source is None:
                return f"{step.line:>5} | {_plain(step.path)}:{step.line}"
            return f"{step.line:>5} | {_plain(source.expandtabs())}"
        case kind:
            return f"----- {kind.replace('-', ' ')} {step.thread}"


def _exception(step: Step) -> str:
    message = f": {_plain(step.message)}" if step.message else ""
    return f"{_plain(step.exception)}{message}"


def _changes(item: Stepped) -> Iterator[str]:
    for variable in item.changed:
        yield _binding(variable, " = ")
    for name in item.deleted:
        yield f"{_plain(name)} deleted"


def _ending(call: Call) -> str:
    if call.function == _TOPLEVEL:
        return f"ended: {_value(call.return_value)}" if call.return_value.kind != "Void" else ""
    if call.exception is not None:
        return f"  ended by {_value(call.exception)}"
    if call.return_value.kind == "Void":
        return _ENDINGS.get(call.exit, "")
    return f"  {'yield' if call.exit == 'yield' else 'return'} {_value(call.return_value)}"


def _result(call: Call) -> str:
    if call.exception is not None:
        return f" ! ended by {_value(call.exception)}"
    if call.return_value.kind == "Void":
        return ""
    return f" {'yields' if call.exit == 'yield' else '->'} {_value(call.return_value)}"


def _binding(variable: Variable, sign: str) -> str:
    return f"{_plain(variable.name)}{sign}{_value(variable.value)}"


def _value(value: Value) -> str:
    return _plain(value.text(_VALUE_LIMIT))


def _source(event: Event) -> str:
    """Where the text of an event comes from."""
    if event.stream != "log":
        return event.stream
    level, logger = event.details.get("level"), event.details.get("logger")
    return _plain(f"log {level} {logger}")


def _plain(text: str) -> str:
    """`text` without what would move the cursor or change colours."""
    if text.isprintable():
        return text
    return "".join(
        mark if mark.isprintable() else mark.encode("unicode_escape").decode("ascii")
        for mark in text
    )
