"""Tests that a step that catches an exception is told its message."""

from __future__ import annotations

from codetracer_core.cli.flights import Flights
from codetracer_core.ctfs.reader import Step


def follow(*told: tuple[str, str, str]) -> list[tuple[str, str]]:
    """The kind and message of each step after it was followed."""
    flights = Flights()
    steps = [
        Step(number, kind, 0, "/p.py", 1, None, exception, message)
        for number, (kind, exception, message) in enumerate(told)
    ]
    return [(step.kind, step.message) for step in map(flights.follow, steps)]


def test_what_is_caught_has_the_message_of_what_was_raised() -> None:
    """The raising step is the last one before with the same type."""
    assert follow(("raise", "KeyError", "a"), ("catch", "KeyError", "")) == [
        *(("raise", "a"), ("catch", "a")),
    ]


def test_an_exception_that_was_handled_inside_is_not_taken_for_the_outer_one() -> None:
    """Each raising is caught once, the innermost first."""
    told = follow(
        *(("raise", "KeyError", "outer"), ("raise", "KeyError", "inner")),
        *(("catch", "KeyError", ""), ("catch", "KeyError", "")),
    )
    assert [message for _, message in told] == ["outer", "inner", "inner", "outer"]


def test_an_exception_that_was_raised_before_the_first_step_has_no_message() -> None:
    """Another type's message is never used."""
    told = follow(("raise", "OSError", "other"), ("catch", "KeyError", ""))
    assert told[1] == ("catch", "")


def test_threads_do_not_catch_the_exceptions_of_others() -> None:
    """A switch of threads tells whose steps follow."""
    flights = Flights()
    steps = [
        Step(0, "raise", 0, "/p.py", 1, None, "KeyError", "main"),
        Step(1, "thread-switch", 0, "/p.py", 1, None, thread=2),
        Step(2, "catch", 0, "/p.py", 1, None, "KeyError"),
        Step(3, "thread-switch", 0, "/p.py", 1, None, thread=0),
        Step(4, "catch", 0, "/p.py", 1, None, "KeyError"),
    ]
    assert [step.message for step in map(flights.follow, steps)] == ["main", "", "", "", "main"]
