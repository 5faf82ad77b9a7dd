"""Calls of a trace: ranges, results, threads, and calls without an end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from codetracer_core.ctfs.materialiser import materialise
from core.materialise.builder import Builder, Function
from core.materialise.comparison import check, compare, load
from core.materialise.expected import ct_value
from naive import ct
from naive import journal as naive

MODULE = Function(0, "<__main__>", flags=1)
F = Function(1, "f", line=10, slots=("a", "b"), globals=("g",))
GEN = Function(2, "gen", line=20, slots=("n",))
ERROR = naive.ExceptionObject("ValueError", ("no", 1))
VOID = {"kind": "Void", "type": None}


def only(trace: ct.Trace, function: str) -> dict[str, Any]:
    (call,) = pieces(trace, function)
    return call


def pieces(trace: ct.Trace, function: str) -> list[dict[str, Any]]:
    return [call for call in trace.calls if call["function"] == function]


def span(call: dict[str, Any]) -> tuple[int, int]:
    return call["first"], call["last"]


def test_the_root_covers_the_trace_and_returns_the_exit_status() -> None:
    """Call 0 is ``<toplevel>``: its range is the whole trace, its value how the program ended."""
    builder = Builder()
    builder.call(MODULE)
    builder.step(2)
    for end, value in (
        ({"exit_status": {"code": 3, "label": None}}, ct_value(3)),
        ({"exit_status": {"code": None, "label": "<exit>"}}, ct_value("<exit>")),
        ({"exit_status": {"code": 1 << 70}}, ct_value(str(1 << 70))),
        ({}, VOID),
        (None, VOID),
    ):
        trace, _, _ = load(builder, end=end)
        root = trace.calls[0]
        assert (root["function"], root["parent"], root["depth"]) == ("<toplevel>", -1, 0)
        assert span(root) == (0, 1)
        assert root["returned"] == value


def test_a_call_has_its_arguments_and_its_result() -> None:
    """Arguments are the variables of the entry step; later steps do not change them."""
    builder = Builder()
    builder.call(MODULE)
    builder.call(F, {0: 5, 1: [1]})
    builder.step(11, {0: 6}, others={0: "global"})
    builder.end(0x08, (1, 2))
    call = only(check(builder), "f")
    assert [tuple(arg) for arg in call["args"]] == [("a", ct_value(5)), ("b", ct_value([1]))]
    assert call["returned"] == ct_value((1, 2))
    assert call["exception"]["kind"] is None
    assert span(call) == (1, 2)


def test_an_exception_that_ends_a_call_is_in_its_record() -> None:
    """Unwinding fills the exception field and leaves the return value void."""
    builder = Builder()
    builder.call(F)
    builder.raises(ERROR)
    builder.end(0x0A, ERROR)
    trace = check(builder)
    assert only(trace, "f")["exception"] == ct_value(ERROR)
    assert only(trace, "f")["returned"] == VOID


@pytest.mark.parametrize("text", ["boom", "é" * 600, "\ud800", ""])
def test_a_raise_record_carries_the_message(text: str) -> None:
    """The message of a raise is the exception's one text, cut at 512 bytes."""
    builder = Builder()
    builder.call(F)
    builder.raises(naive.ExceptionObject("ValueError", (text,)))
    step = check(builder).steps[1]
    assert (step["kind"], step["exception"]) == ("raise", "ValueError")
    assert len(step["message"].encode()) <= 512 + len("…".encode())


def test_a_generator_has_a_call_for_each_run() -> None:
    """A yield ends a call with the value; resuming begins another one without arguments."""
    builder = Builder()
    builder.call(MODULE)
    builder.call(GEN, {0: 2})
    builder.end(0x09, 0)
    for value in (1, 2):
        builder.step(3)
        builder.enter(0x06, GEN, 21)
        builder.step(22, {0: value})
        builder.end(0x09, value)
    runs = pieces(check(builder), "gen")
    assert [run["returned"] for run in runs] == [ct_value(value) for value in (0, 1, 2)]
    assert [len(run["args"]) for run in runs] == [1, 0, 0]
    assert [span(run) for run in runs] == [(1, 1), (3, 3), (5, 5)]


def test_variables_of_a_run_are_gone_in_the_next() -> None:
    """A resumed frame shows only what is stated again."""
    builder = Builder()
    builder.call(MODULE)
    builder.call(GEN, {0: 2})
    builder.end(0x09, 0)
    builder.enter(0x06, GEN, 21)
    builder.step(22)
    assert check(builder).values[-1] == []


def test_open_calls_last_to_the_end() -> None:
    """Calls without an end reach to the last step and return nothing."""
    builder = Builder()
    builder.call(MODULE)
    builder.call(F)
    builder.step(11)
    trace = check(builder)
    assert [span(call) for call in trace.calls] == [(0, 2), (0, 2), (1, 2)]
    assert only(trace, "f")["returned"] == VOID


def test_a_call_without_a_step_is_moved_to_its_caller() -> None:
    """A frame that is lost before its first step takes the step before it, not one of others."""
    builder = Builder()
    builder.call(MODULE)
    builder.enter(0x05, F, 12)
    builder.end(0x0B)
    builder.step(2)
    assert span(only(check(builder), "f")) == (0, 0)


def test_steps_that_the_ranges_give_to_another_call_are_counted(tmp_path: Path) -> None:
    """The metadata tell how many steps are in the range of a call that did not run them."""
    builder = Builder()
    builder.call(MODULE)
    for _ in range(2):
        builder.enter(0x05, F, 12)
        builder.end(0x0B)
    builder.step(2)
    builder.enter(0x06, GEN, 22)
    builder.step(23)
    builder.enter(0x05, F, 12)
    builder.end(0x0B)
    builder.end(0x09, 1)
    builder.step(3)
    materialise(builder.write(tmp_path), tmp_path)
    trace = ct.load(tmp_path / "trace.ct")
    ran = [call["function"] for call in (innermost(trace, step) for step in range(4))]
    assert ran == ["f", "<__main__>", "f", "<__main__>"]
    metadata = json.loads((tmp_path / "trace_metadata.json").read_text(encoding="utf-8"))
    assert metadata["counts"]["steps_misplaced"] == 2


def innermost(trace: ct.Trace, step: int) -> dict[str, Any]:
    """The call with the highest key whose range has the step."""
    return [call for call in trace.calls if call["first"] <= step <= call["last"]][-1]


def test_no_call_spans_a_switch_of_threads() -> None:
    """At a switch the open calls end; a frame that steps again gets another piece."""
    builder = Builder()
    builder.call(MODULE)
    builder.call(F, {0: 1})
    builder.thread_start(1, "Worker")
    builder.switch(1)
    builder.call(GEN, {0: 7})
    builder.switch(0)
    builder.step(11)
    builder.switch(1)
    builder.step(21)
    builder.end(0x08, "done")
    builder.switch(0)
    builder.end(0x08, "main")
    builder.step(2)
    trace = check(builder)
    first, second = pieces(trace, "f")
    assert span(first) == (1, 3)
    assert span(second) == (6, 6 + 1)
    assert (first["returned"], second["returned"]) == (VOID, ct_value("main"))
    assert (len(first["args"]), len(second["args"])) == (1, 0)
    assert first["parent"] == second["parent"]
    assert first["depth"] == second["depth"]
    roots = pieces(trace, "<thread Worker>")
    assert [(root["parent"], root["depth"]) for root in roots] == [(0, 1), (0, 1)]
    assert [span(root) for root in roots] == [(4, 5), (8, 9)]
    switches = [n for n, step in enumerate(trace.steps) if step["kind"] == "thread-switch"]
    assert switches == [3, 5, 7, 9]
    for call in trace.calls[1:]:
        assert not any(call["first"] <= step < call["last"] for step in switches), call


def test_a_call_into_a_thread_without_a_name_is_shown() -> None:
    """A thread whose start was not recorded is called after its number."""
    builder = Builder()
    builder.switch(5)
    builder.call(F)
    assert pieces(check(builder), "<thread Thread-5>")


def test_deep_recursion_is_recorded() -> None:
    """A stack of many frames comes back with its depths, over chunks that list a part of it."""
    builder = Builder(chunk_bytes=20_000)
    for depth in range(3000):
        builder.call(F, {0: depth})
    for depth in reversed(range(3000)):
        builder.step(11)
        builder.end(0x08, depth)
    trace = check(builder)
    assert [call["depth"] for call in trace.calls] == list(range(3001))


def test_a_caller_may_have_very_many_children() -> None:
    """The list of children is complete and in order, however long it is."""
    builder = Builder()
    builder.call(MODULE)
    for number in range(17_000):
        builder.call(F, {0: number % 300})
        builder.end(0x08, number % 11)
    trace = check(builder)
    assert trace.calls[1]["children"] == list(range(2, 17_002))


def test_functions_of_one_name_stay_apart() -> None:
    """Two functions called the same are two entries of the table."""
    builder = Builder()
    builder.call(Function(0, "f"))
    builder.call(Function(1, "f", path="/w/other.py"))
    assert check(builder).funcs == ["<toplevel>", "f", "f"]


def test_names_and_types_are_listed_once() -> None:
    """Types and variables of one name share an entry, whatever ids the journal gives them."""
    builder = Builder()
    builder.call(Function(0, "f", slots=("x",)), {0: naive.Object("int", 7)})
    builder.call(Function(1, "g", slots=("x",)), {0: 7})
    trace = check(builder)
    assert trace.varnames == ["x"]
    assert trace.types.count("int") == 1


def test_a_bound_variable_hides_outer_ones_of_its_name() -> None:
    """A slot hides a variable of the class body and a global, a variable of the body a global."""
    function = Function(1, "C", slots=("x",), globals=("x", "y", "z"))
    builder = Builder()
    builder.call(function)
    builder.step(2, others={0: "global", 1: "global", 2: "global"})
    builder.step(3, {0: "slot"}, {"y": "body", "x": "body"})
    builder.step(4, {0: naive.UNSET}, {"y": naive.UNSET})
    builder.step(5, {}, {"x": naive.UNSET}, {2: naive.UNSET})
    shown = [[(name, value["text"]) for name, value in record] for record in check(builder).values]
    assert shown == [
        [],
        [("x", "global"), ("y", "global"), ("z", "global")],
        [("x", "slot"), ("y", "body"), ("z", "global")],
        [("x", "body"), ("y", "global"), ("z", "global")],
        [("x", "global"), ("y", "global")],
    ]


def test_variables_appear_in_their_order() -> None:
    """Slots come in order, then names as first stated, then globals; unbound ones are left out."""
    builder = Builder()
    builder.call(F, {1: "b"})
    builder.step(11, {0: "a"}, {"z": 1, "y": 2}, {0: "g"})
    builder.step(12, {1: naive.UNSET}, {"z": naive.UNSET})
    builder.step(13, {1: "again"}, {"z": 3})
    assert [[name for name, _ in record] for record in check(builder).values[1:]] == [
        ["a", "b", "z", "y", "g"],
        ["a", "y", "g"],
        ["a", "b", "z", "y", "g"],
    ]


def test_many_globals_and_slots_are_followed() -> None:
    """Wide frames work like narrow ones: 300 slots, 300 names of a module."""
    wide = Function(1, "wide", slots=tuple(f"s{number}" for number in range(300)))
    builder = Builder()
    builder.call(MODULE)
    builder.step(1, named={f"n{number}": number for number in range(300)})
    builder.call(wide, dict.fromkeys(range(0, 300, 2), "even"))
    builder.step(2, dict.fromkeys(range(1, 300, 2), "odd"))
    builder.seal()
    builder.step(3, {299: None, 0: naive.UNSET})
    builder.end(0x08)
    builder.step(4, named={"n299": "last"})
    check(builder)


def test_text_that_only_grows_is_followed() -> None:
    """The shown text of a cut str stays while its length changes, also when it fits again."""
    builder = Builder()
    builder.call(F, {0: "x" * 10})
    for total in (11, 5000, 10, 12):
        text = "x" * 10
        builder.step(11, {0: text if total == 10 else naive.Cut("str", total, text)})
    shown = [record[0][1]["text"] for record in check(builder).values]
    assert shown[2] == "x" * 10 + "… (5000 characters in all)"
    assert shown[3] == "x" * 10


def test_a_gap_ends_the_calls_before_it() -> None:
    """Behind lost chunks the stacks are those that the chunk lists, as new pieces."""
    builder = Builder()
    builder.call(MODULE)
    builder.call(F, {0: 1})
    builder.seal()
    builder.step(11)
    builder.end(0x08, "lost")
    builder.call(GEN, {0: 2})
    builder.seal()
    builder.step(21)
    builder.end(0x08, "found")
    builder.step(3)
    del builder.sealed[1]
    # The lost chunk had number 2.
    trace, _, made = load_with_numbers(builder, [1, 3])
    assert any("chunks 2 to 2 are missing" in text for text in made.damage)
    assert [span(call) for call in pieces(trace, "<__main__>")] == [(0, 1), (2, 3)]
    assert span(only(trace, "f")) == (1, 1)
    assert only(trace, "gen")["returned"] == ct_value("found")
    assert only(trace, "gen")["parent"] == trace.calls.index(pieces(trace, "<__main__>")[1])


def load_with_numbers(builder: Builder, numbers: list[int]) -> tuple[ct.Trace, None, Any]:
    from codetracer_core.ctfs.materialiser import materialise
    from core.materialise import builder as files
    from core.materialise.comparison import folder

    with folder() as directory:
        path = directory / f"trace.{files.RECORDING_ID}.ctj"
        data = files.header()
        for number, records in zip(numbers, [*builder.sealed, bytes(builder.out)], strict=True):
            data += files.frame(2, number, files.chunk_header(number, len(records)) + records)
        path.write_bytes(data + files.frame(3, 0, b"{}"))
        made = materialise(path, directory)
        return ct.load(made.path), None, made


def test_calls_come_in_the_order_of_entry() -> None:
    """Keys rise with the first step, and parents come before children."""
    builder = Builder(chunk_bytes=300)
    builder.call(MODULE)
    for number in range(50):
        builder.switch(number % 3)
        builder.call(F, {0: number})
        if number % 4 == 3:
            builder.end(0x08, number)
    trace, wanted, _ = load(builder)
    compare(trace, wanted)
    firsts = [call["first"] for call in trace.calls]
    assert firsts == sorted(firsts)
    assert all(call["parent"] < key for key, call in enumerate(trace.calls))
