"""The order in which a trace is told, and what counts as news."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from codetracer_core.cli.json_view import call_lines as json_call_lines
from codetracer_core.cli.json_view import step_lines as json_lines
from codetracer_core.cli.text_view import TextView
from codetracer_core.cli.walk import Entered, Left, Stepped, Wrote, walk
from codetracer_core.ctfs.reader import Call, Event, Step, Value, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codetracer_core.cli.walk import Item

VOID = Value("Void")


def number(value: int) -> Value:
    """An int as the trace has it."""
    return Value("Int", "int", value)


def variables(**values: int) -> tuple[Variable, ...]:
    """Variables that are ints."""
    return tuple(Variable(name, number(value)) for name, value in values.items())


def call(key: int, parent: int, first: int, last: int, depth: int, **arguments: int) -> Call:
    """A call of the function ``f<key modulo 10>``."""
    return Call(
        key,
        key % 10,
        f"f{key % 10}",
        parent,
        first,
        last,
        depth,
        variables(**arguments),
        VOID,
        None,
        0,
    )


@dataclass
class Story:
    """A trace in memory, with the part of the reader's interface that a walk uses."""

    states: list[tuple[Variable, ...]]
    every_call: list[Call]
    written: list[Event] = field(default_factory=list)
    kinds: dict[int, Step] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.states)

    @property
    def call_count(self) -> int:
        return len(self.every_call)

    def call(self, key: int) -> Call:
        return next(call for call in self.every_call if call.key == key)

    def children(self, key: int) -> Iterator[int]:
        return (call.key for call in self.every_call if call.parent == key)

    def step(self, index: int) -> Step:
        return self.kinds.get(index, Step(index, "line", 0, "/a.py", index + 1, 1))

    def steps(self, start: int, stop: int) -> Iterator[Step]:
        return map(self.step, range(start, stop))

    def variable_records(self, index: int) -> list[bytes]:
        return [f"{item.name}={item.value.data}".encode() for item in self.states[index]]

    def decode_variable(self, record: bytes) -> Variable:
        name, _, value = record.decode().partition("=")
        return Variable(name, number(int(value)))

    def call_of_step(self, index: int) -> Call | None:
        covering = [c for c in self.every_call if c.first_step <= index <= c.last_step]
        return covering[-1] if covering else None

    def events(self, start: int, stop: int) -> Iterator[Event]:
        return (event for event in self.written if start <= event.step < stop)


def tell(story: Story, start: int = 0, stop: int | None = None) -> list[Item]:
    """Everything that a walk through `story` yields."""
    return list(walk(story, start, stop))  # type: ignore[arg-type]


def outline(items: list[Item]) -> str:
    """``+0`` for a call entered, ``-0`` for one left, ``3`` for a step, ``!`` for output."""
    words = []
    for item in items:
        match item:
            case Entered(entered):
                words.append(f"+{entered.key}")
            case Stepped(step):
                words.append(str(step.index))
            case Left(left):
                words.append(f"-{left.key}")
            case Wrote():
                words.append("!")
    return " ".join(words)


def news(items: list[Item]) -> list[dict[str, int]]:
    """The changed variables of each step."""
    return [
        {variable.name: int(str(variable.value.data)) for variable in item.changed}
        for item in items
        if isinstance(item, Stepped)
    ]


NESTED = Story(
    states=[variables()] * 8,
    every_call=[
        call(0, -1, 0, 7, 0),
        call(1, 0, 1, 5, 1),
        call(2, 1, 2, 3, 2),
        call(3, 1, 5, 5, 2),
    ],
)


def test_calls_are_entered_before_their_first_step_and_left_after_their_last() -> None:
    """Calls that end together are left from the inside out."""
    assert outline(tell(NESTED)) == "+0 0 +1 1 +2 2 3 -2 4 +3 5 -3 -1 6 7 -0"


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [
        (0, 2, "+0 0 +1 1"),
        (2, 5, "+2 2 3 -2 4"),
        (3, 7, "3 -2 4 +3 5 -3 -1 6"),
        (6, None, "6 7 -0"),
        (-1, None, "7 -0"),
        (5, 5, ""),
        (8, None, ""),
        (100, 200, ""),
    ],
)
def test_a_part_is_told_as_inside_the_whole(start: int, stop: int | None, expected: str) -> None:
    """Calls that began before are not entered, and those that last longer are not left."""
    assert outline(tell(NESTED, start, stop)) == expected


def test_only_what_has_changed_in_the_same_call_is_news() -> None:
    """A call in between does not make the caller's variables news again."""
    story = Story(
        states=[
            variables(a=1),
            variables(a=1),
            variables(b=5),
            variables(b=6),
            variables(a=2, c=3),
        ],
        every_call=[call(0, -1, 0, 4, 0), call(1, 0, 2, 3, 1)],
    )
    assert news(tell(story)) == [{"a": 1}, {}, {"b": 5}, {"b": 6}, {"a": 2, "c": 3}]


def test_arguments_are_no_news_at_the_first_step() -> None:
    """They stand at the call; a parameter that was changed before the first step is news."""
    story = Story(
        states=[variables(x=1, y=2), variables(x=1, y=3)],
        every_call=[call(0, -1, 0, 1, 0, x=1, y=0)],
    )
    assert news(tell(story)) == [{"y": 2}, {"y": 3}]


def test_what_the_last_call_of_a_function_saw_is_no_news_in_its_next_call() -> None:
    """Globals are not told again in each call, but locals are when they are bound anew."""
    story = Story(
        states=[
            variables(),
            variables(limit=9),
            variables(limit=9, local=1),
            variables(),
            variables(limit=9),
            variables(limit=9, local=1),
        ],
        every_call=[call(0, -1, 0, 5, 0), call(1, 0, 1, 2, 1), call(11, 0, 4, 5, 1)],
    )
    story.every_call[2] = Call(2, 1, "f1", 0, 4, 5, 1, (), VOID, None, 0)
    assert news(tell(story)) == [{}, {"limit": 9}, {"local": 1}, {}, {}, {"local": 1}]


def test_a_variable_that_is_gone_is_told_once() -> None:
    """Deleting is a change, too."""
    story = Story(
        states=[variables(a=1, b=2), variables(b=2), variables(b=2)],
        every_call=[call(0, -1, 0, 2, 0)],
    )
    steps = [item for item in tell(story) if isinstance(item, Stepped)]
    assert [step.deleted for step in steps] == [(), ("a",), ()]


def test_a_step_without_variables_that_is_no_line_changes_nothing() -> None:
    """A thread switch in between does not make everything look deleted and new."""
    story = Story(
        states=[variables(a=1), (), variables(a=1)],
        every_call=[call(0, -1, 0, 2, 0)],
        kinds={1: Step(1, "thread-switch", 0, "/a.py", 1, 1, thread=3)},
    )
    steps = [item for item in tell(story) if isinstance(item, Stepped)]
    assert [(step.changed, step.deleted) for step in steps][1:] == [((), ()), ((), ())]


def test_steps_outside_of_any_call_are_told(tmp_path: object) -> None:
    """Traces of other recorders may have none."""
    story = Story(states=[variables(a=1)], every_call=[])
    (only,) = tell(story)
    assert isinstance(only, Stepped)
    assert only.call is None
    assert news([only]) == [{"a": 1}]


@pytest.mark.parametrize(
    ("calls", "line"),
    [
        ([call(2, 1, 2, 3, 2), call(3, 1, 5, 5, 2)], 2),
        ([call(2, 1, 1, 3, 2), call(3, 1, 5, 5, 2)], 5),
        ([call(2, 1, 1, 3, 2), call(3, 2, 2, 2, 3), call(4, 1, 4, 5, 2)], 7),
        ([call(2, 1, 1, 6, 2)], None),
        ([call(2, 0, 7, 7, 1)], 2),
    ],
)
def test_the_place_of_a_call_is_a_step_of_its_own(calls: list[Call], line: int | None) -> None:
    """A resumed generator may begin inside of callees, and may have no step of its own at all."""
    story = Story(
        states=[variables()] * 8,
        every_call=[call(0, -1, 0, 7, 0), call(1, 0, 1, 6, 1), *calls],
    )
    (step,) = [
        item.step for item in tell(story) if isinstance(item, Entered) and item.call.key == 1
    ]
    assert (step and step.line) == line


def test_a_call_without_a_step_of_its_own_has_no_place() -> None:
    """Text leaves the place out, and JSON has null for it."""
    only = call(1, 0, 1, 6, 1)
    assert list(TextView("/", 1).call_lines([(only, None)])) == ["  f1()"]
    (record,) = json_call_lines([(only, None)])
    assert '"path": null, "line": null, "entry": "", "task": null, "first_step": 1' in record


class NoSources:
    """Sources that are not there."""

    def line(self, path: str, line: int) -> None:
        return None


def test_output_exceptions_and_threads_have_their_own_lines() -> None:
    """Control characters of the program cannot reach the terminal."""
    story = Story(
        states=[variables()] * 4,
        every_call=[call(0, -1, 0, 3, 0)],
        written=[
            Event(0, 0, 0, "", b"first\nsecond \x1b[31m\n"),
            Event(1, 12, 2, "", b"\xff"),
        ],
        kinds={
            1: Step(1, "raise", 0, "/a.py", 2, 1, exception="ValueError", message="bad\nvalue"),
            2: Step(2, "catch", 0, "/a.py", 4, 1, exception="ValueError"),
            3: Step(3, "thread-switch", 0, "/a.py", 4, 1, thread=7),
        },
    )
    lines = list(TextView("/", 1).step_lines(tell(story), NoSources()))  # type: ignore[arg-type]
    assert lines == [
        "  f0()  [a.py:1]",
        "0     1 | /a.py:1",
        "          stdout: first",
        "          stdout: second \\x1b[31m",
        "1     2 ! raised ValueError: bad\\nvalue",
        "2     4 ! caught ValueError: bad\\nvalue",
        "          stderr: \\xff",
        "3 ----- thread switch 7",
    ]
    records = "\n".join(json_lines(tell(story)))
    assert '"stream": "stderr", "text": "\\\\xff"' in records
    assert '"kind": "raise"' in records
    assert '"thread": 7' in records
