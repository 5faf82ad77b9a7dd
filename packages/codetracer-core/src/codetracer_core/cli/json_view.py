"""A trace as JSON, one object a line; ``docs/cli.md`` describes the fields."""

from __future__ import annotations

import json

from codetracer_core.cli.walk import Entered, Left, Stepped, Wrote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from codetracer_core.cli.walk import Item
    from codetracer_core.ctfs.reader import Call, Step, Value, Variable

__all__ = ["call_lines", "step_lines"]

_DETAILS = ("thread", "task", "path", "line", "flags", "level", "logger")
"""What is shown of an event's metadata."""


def step_lines(items: Iterable[Item]) -> Iterator[str]:
    """Render what a walk yields."""
    for item in items:
        match item:
            case Entered(call, step):
                yield _line("call", **_call(call, step))
            case Stepped(step, call, changed, deleted):
                yield _line(
                    "step",
                    **_step(step),
                    call=None if call is None else call.key,
                    depth=0 if call is None else call.depth,
                    changed=[_variable(variable) for variable in changed],
                    deleted=list(deleted),
                )
            case Wrote(event):
                yield _line(
                    "output",
                    step=event.step,
                    stream=event.stream,
                    text=event.content.decode("utf-8", "backslashreplace"),
                    **{name: event.details[name] for name in _DETAILS if name in event.details},
                )
            case Left(call):
                yield _line("return", call=call.key, **_result(call))


def call_lines(calls: Iterable[tuple[Call, Step | None]]) -> Iterator[str]:
    """Render calls, each with its own first step."""
    for call, step in calls:
        yield _line("call", **_call(call, step), last_step=call.last_step, **_result(call))


def _line(record: str, /, **fields: object) -> str:
    return json.dumps({"type": record, **fields})


def _call(call: Call, step: Step | None) -> dict[str, object]:
    return {
        "call": call.key,
        "parent": call.parent if call.parent >= 0 else None,
        "depth": call.depth,
        "function": call.function,
        "path": None if step is None else step.path,
        "line": None if step is None else step.line,
        "entry": call.entry,
        "task": call.task or None,
        "first_step": call.first_step,
        "arguments": [_variable(argument) for argument in call.arguments],
    }


def _step(step: Step) -> dict[str, object]:
    fields: dict[str, object] = {
        "step": step.index,
        "kind": step.kind,
        "path": step.path,
        "line": step.line,
        "column": step.column,
    }
    if step.exception:
        fields |= {"exception": step.exception, "message": step.message}
    if step.thread is not None:
        fields["thread"] = step.thread
    return fields


def _result(call: Call) -> dict[str, object]:
    void = call.return_value.kind == "Void"
    return {
        "value": None if void else _value(call.return_value),
        "exception": None if call.exception is None else _value(call.exception),
        "exit": call.exit,
    }


def _variable(variable: Variable) -> dict[str, str]:
    return {"name": variable.name, **_value(variable.value)}


def _value(value: Value) -> dict[str, str]:
    return {"type": value.type_name, "value": value.text()}
