"""Recording from inside a program. Each test runs one, in a process of its own."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

from integration.recording import run_plain
from naive import ct

if TYPE_CHECKING:
    from pathlib import Path

PRELUDE = """\
import codetracer_core, os, sys
from pathlib import Path

def work(n):
    total = n + 1
    return total
"""


def run(body: str, folder: Path) -> list[str]:
    """Run a program made of the prelude and `body`; return the lines it printed."""
    (folder / "program.py").write_text(PRELUDE + textwrap.dedent(body))
    done = run_plain(["program.py"], folder)
    assert done.stderr.decode() == ""
    assert done.returncode == 0
    return done.stdout.decode().splitlines()


def functions(trace: Path) -> list[str]:
    """The functions called in `trace`, in order."""
    loaded = ct.load(trace)
    return [str(call["function"]) for call in loaded.calls]


def test_a_session_records_from_start_to_stop(tmp_path: Path) -> None:
    """Calls between the two are in the trace, those before and after are not."""
    printed = run(
        """
        work(1)
        session = codetracer_core.start("out")
        print(codetracer_core.is_tracing(), session.path == Path.cwd() / "out", session.active)
        work(2)
        codetracer_core.stop()
        print(codetracer_core.is_tracing(), session.active)
        work(3)
        """,
        tmp_path,
    )
    assert printed == ["True True True", "False False"]
    trace = ct.load(tmp_path / "out" / "trace.ct")
    arguments = [dict(call["args"]) for call in trace.calls if "work" in str(call["function"])]
    assert [argument["n"]["i"] for argument in arguments] == [2]


def test_the_block_records_and_lets_exceptions_through(tmp_path: Path) -> None:
    """``with trace(DIR)`` gives the session and stops it whatever happens."""
    printed = run(
        """
        try:
            with codetracer_core.trace("out") as session:
                work(2)
                raise ValueError("mine")
        except ValueError as error:
            print(error, codetracer_core.is_tracing())
        """,
        tmp_path,
    )
    assert printed == ["mine False"]
    assert "work" in functions(tmp_path / "out" / "trace.ct")


def test_sessions_follow_each_other_in_one_process(tmp_path: Path) -> None:
    """Each replaces the trace in its folder, also one of this process."""
    printed = run(
        """
        for number in range(3):
            with codetracer_core.trace("out"):
                work(number)
        print(len(list(Path("out").iterdir())))
        """,
        tmp_path,
    )
    assert printed == ["4"]
    trace = ct.load(tmp_path / "out" / "trace.ct")
    arguments = [dict(call["args"]) for call in trace.calls if call["function"] == "work"]
    assert [argument["n"]["i"] for argument in arguments] == [2]


def test_a_second_session_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    """The error is a RuntimeError with its own code; no folder is made."""
    printed = run(
        """
        codetracer_core.start("out")
        try:
            codetracer_core.start("other")
        except RuntimeError as error:
            print(error.code, error.kind, codetracer_core.is_tracing(), os.path.exists("other"))
        work(1)
        codetracer_core.stop()
        """,
        tmp_path,
    )
    assert printed == ["ERR_ALREADY_TRACING Usage True False"]
    assert "work" in functions(tmp_path / "out" / "trace.ct")


def test_stopping_twice_or_without_a_session_does_nothing(tmp_path: Path) -> None:
    """``stop`` can stand in any clean-up."""
    printed = run(
        """
        codetracer_core.stop()
        session = codetracer_core.start("out")
        print(session.stop().calls, session.stop(), codetracer_core.stop())
        """,
        tmp_path,
    )
    assert printed == ["1 None None"]


def test_the_exit_code_given_to_stop_is_in_the_trace(tmp_path: Path) -> None:
    """Without one the trace ends with a label."""
    run('codetracer_core.start("out")\ncodetracer_core.stop(exit_code=4)\n', tmp_path)
    metadata = json.loads((tmp_path / "out" / "trace_metadata.json").read_text())
    assert metadata["process_exit_status"] == {"code": 4, "label": None}
    run('codetracer_core.start("out")\ncodetracer_core.stop()\n', tmp_path)
    metadata = json.loads((tmp_path / "out" / "trace_metadata.json").read_text())
    assert metadata["process_exit_status"] == {"code": None, "label": "<exit>"}


def test_a_session_that_nobody_stops_ends_with_the_interpreter(tmp_path: Path) -> None:
    """The trace is complete, and nothing is printed."""
    run('codetracer_core.start("out")\nwork(5)\n', tmp_path)
    assert "work" in functions(tmp_path / "out" / "trace.ct")


def test_a_failed_start_leaves_nothing_installed(tmp_path: Path) -> None:
    """After the error no session runs, no monitoring tool is left, and a later start works."""
    printed = run(
        """
        Path("file").touch()
        tools = [sys.monitoring.get_tool(number) for number in range(6)]
        for path, filters in (("file", None), ("out", "missing.toml")):
            try:
                codetracer_core.start(path, trace_filter=filters)
            except codetracer_core.RecorderError as error:
                print(error.code)
        print(codetracer_core.is_tracing(), os.path.exists("out"))
        print(tools == [sys.monitoring.get_tool(number) for number in range(6)])
        with codetracer_core.trace("out"):
            work(1)
        """,
        tmp_path,
    )
    assert printed == ["ERR_TRACE_DIR_CONFLICT", "ERR_FILTER_NOT_FOUND", "False False", "True"]
    assert "work" in functions(tmp_path / "out" / "trace.ct")


def test_a_recorder_that_cannot_be_installed_leaves_the_old_trace(tmp_path: Path) -> None:
    """An older trace is replaced only by a session that has started."""
    printed = run(
        """
        with codetracer_core.trace("out"):
            work(1)
        before = sorted(os.listdir("out"))
        for number in (3, 4, 5):
            sys.monitoring.use_tool_id(number, "taken")
        try:
            codetracer_core.start("out")
        except codetracer_core.UsageError as error:
            print(error.code, codetracer_core.is_tracing())
        print(before == sorted(os.listdir("out")))
        try:
            codetracer_core.start("new/folder")
        except codetracer_core.UsageError:
            print(os.path.exists("new"))
        """,
        tmp_path,
    )
    assert printed[0].endswith(" False")
    assert printed[1:] == ["True", "False"]


def test_a_required_trace_that_is_empty_is_an_error(tmp_path: Path) -> None:
    """With the policy ``require_trace`` stopping without a step fails, and tracing is over."""
    printed = run(
        """
        Path("none.toml").write_text(
            '[meta]\\nname = "none"\\nversion = 1\\n'
            '[scope]\\ndefault_exec = "skip"\\ndefault_value_action = "allow"\\n'
            '[[scope.rules]]\\nselector = "pkg:*"\\nexec = "skip"\\n'
        )
        codetracer_core.start("out", trace_filter="none.toml", policy={"require_trace": True})
        work(1)
        try:
            codetracer_core.stop()
        except codetracer_core.UsageError as error:
            print(error.code, codetracer_core.is_tracing())
        """,
        tmp_path,
    )
    assert printed == ["ERR_TRACE_MISSING False"]


def test_a_trace_that_cannot_be_made_is_an_error_and_the_journal_stays(tmp_path: Path) -> None:
    """The session is over, nothing is installed, and the journal holds what was recorded."""
    printed = run(
        """
        session = codetracer_core.start("out")
        work(1)
        os.mkdir("out/trace.ct")
        try:
            codetracer_core.stop()
        except codetracer_core.EnvironmentError as error:
            print(error.code, codetracer_core.is_tracing(), sys.monitoring.get_tool(5))
        os.rmdir("out/trace.ct")
        """,
        tmp_path,
    )
    assert printed == ["ERR_IO False None"]
    assert len(list((tmp_path / "out").glob("trace.*.ctj"))) == 1


def test_policy_and_environment_apply_to_one_session(tmp_path: Path) -> None:
    """Arguments win over the environment, and switching the environment off ignores it."""
    printed = run(
        """
        os.environ["CODETRACER_MAX_ITEMS"] = "nonsense"
        try:
            codetracer_core.start("out")
        except codetracer_core.UsageError as error:
            print(error.code)
        with codetracer_core.trace("out", apply_env_policy=False, policy={"max_items": 2}):
            def show(items):
                return len(items)
            show([1, 2, 3, 4])
        """,
        tmp_path,
    )
    assert printed == ["ERR_INVALID_POLICY_VALUE"]
    trace = ct.load(tmp_path / "out" / "trace.ct")
    (shown,) = [call for call in trace.calls if call["function"] == "show"]
    items = dict(shown["args"])["items"]["elements"]
    assert [item.get("i") for item in items][:2] == [1, 2]
    assert len(items) == 3


def test_importing_the_package_imports_next_to_nothing(tmp_path: Path) -> None:
    """The public names are there, and load what they need when they are used."""
    printed = run(
        """
        heavy = ("dataclasses", "json", "codetracer_filter", "asyncio", "socket", "ssl")
        print([name for name in heavy if name in sys.modules])
        print({"start", "stop", "trace", "is_tracing", "TraceSession"} <= set(dir(codetracer_core)))
        print(codetracer_core.UsageError.__mro__[1].__name__, callable(codetracer_core.start))
        try:
            codetracer_core.nothing
        except AttributeError as error:
            print(error)
        """,
        tmp_path,
    )
    assert printed[0] == "[]"
    assert printed[1:] == [
        "True",
        "RecorderError True",
        "module 'codetracer_core' has no attribute 'nothing'",
    ]
