"""Recordings in which nothing is skipped: the recorder itself must still not be in them."""

from __future__ import annotations

from pathlib import Path

from integration.recording import record, write_files
from naive import ct

EVERYTHING = """\
[meta]
name = "everything"
version = 1

[scope]
default_exec = "trace"
default_value_action = "allow"

[[scope.rules]]
selector = 'file:regex:.'
exec = "trace"
"""


def test_a_trace_holds_the_program_and_nothing_of_what_starts_and_ends_it(tmp_path: Path) -> None:
    """With the standard library traced, a program that calls nothing has its own steps only, also
    when the output folder holds an earlier trace that has to go."""
    write_files(tmp_path, {"one.py": "print(1)\n", "all.toml": EVERYTHING})
    for _ in range(2):
        done = record(["--trace-filter", "all.toml", "one.py"], tmp_path, tmp_path / "out")
        assert (done.stdout, done.stderr, done.returncode) == (b"1\n", b"", 0)
        trace = ct.load(tmp_path / "out" / "trace.ct")
        assert trace.paths == [str(tmp_path / "one.py")]
        assert trace.funcs == ["<toplevel>", "<__main__>"]
        assert len(trace.steps) == 2


def test_what_makes_a_command_ready_to_run_is_not_recorded(tmp_path: Path) -> None:
    """The text of -c is compiled, and put where tracebacks look for it, before recording begins."""
    write_files(tmp_path, {"all.toml": EVERYTHING})
    done = record(["--trace-filter", "all.toml", "-c", "print(1)"], tmp_path, tmp_path / "out")
    assert (done.stdout, done.stderr, done.returncode) == (b"1\n", b"", 0)
    assert ct.load(tmp_path / "out" / "trace.ct").paths == ["<string>"]


def test_warnings_of_the_log_are_not_steps_of_the_program(tmp_path: Path) -> None:
    """What the recorder imports to write a log line is not recorded as the program's doing."""
    filter_text = EVERYTHING.partition("[[scope.rules]]")[0]
    write_files(tmp_path, {"one.py": "print(1)\n", "third_party.toml": filter_text})
    # Naming a filter twice is worth a warning.
    twice = ["--trace-filter", "third_party.toml", "--trace-filter", "third_party.toml"]
    done = record([*twice, "one.py"], tmp_path, tmp_path / "out")
    assert done.stdout == b"1\n"
    assert b"WARN" in done.stderr
    assert len(ct.load(tmp_path / "out" / "trace.ct").steps) == 2
