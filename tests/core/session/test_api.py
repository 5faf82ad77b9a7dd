"""Recording from inside a program. Each test runs one, in a process of its own."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

from core.recorder.support import NEEDS_MONITORING
from integration.recording import run_plain
from naive import ct, journal

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


@NEEDS_MONITORING
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


@NEEDS_MONITORING
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
            tools = getattr(sys, "monitoring", None)
            print(error.code, codetracer_core.is_tracing(), tools and tools.get_tool(5))
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


def test_a_decorated_function_is_recorded_each_time_it_is_called(tmp_path: Path) -> None:
    """Result, exceptions and name are the function's; calls inside belong to the outer one."""
    printed = run(
        """
        @codetracer_core.trace("out")
        def countdown(n):
            "Count."
            if n < 0:
                raise ValueError(n)
            return n and countdown(n - 1)
        print(countdown(2), codetracer_core.is_tracing(), countdown.__name__, countdown.__doc__)
        print(len(list(Path("out").glob("*.ctj"))), len(list(Path("out").iterdir())))
        try:
            countdown(-1)
        except ValueError as error:
            print(error, codetracer_core.is_tracing())
        countdown(3)
        """,
        tmp_path,
    )
    assert printed == ["0 False countdown Count.", "1 4", "-1 False"]
    assert functions(tmp_path / "out" / "trace.ct").count("countdown") == 4


def test_recording_brings_no_module_that_writes_code(tmp_path: Path) -> None:
    """A recording leaves ``dataclasses`` and ``inspect`` to those who want them: they take long."""
    printed = run(
        """
        with codetracer_core.trace("out"):
            work(1)
        print([name for name in ("dataclasses", "inspect", "ast") if name in sys.modules])
        """,
        tmp_path,
    )
    assert printed == ["[]"]


def test_a_decorated_coroutine_function_is_recorded_until_it_ends(tmp_path: Path) -> None:
    """It stays a coroutine function, and what runs while it waits is in the trace."""
    printed = run(
        """
        import asyncio, inspect
        @codetracer_core.trace("out")
        async def main():
            work(1)
            await asyncio.sleep(0.001)
            return work(2)
        print(inspect.iscoroutinefunction(main), asyncio.run(main()), codetracer_core.is_tracing())
        """,
        tmp_path,
    )
    assert printed == ["True 3 False"]
    assert functions(tmp_path / "out" / "trace.ct").count("work") == 2


def test_what_cannot_be_decorated_is_refused(tmp_path: Path) -> None:
    """Generator functions, classes and what cannot be called at all; the error is a TypeError."""
    printed = run(
        """
        def numbers():
            yield 1
        async def more():
            yield 1
        for what in (numbers, more, int, 3):
            try:
                codetracer_core.trace("out")(what)
            except TypeError as error:
                print(error.code, isinstance(error, codetracer_core.UsageError))
        """,
        tmp_path,
    )
    assert printed == ["ERR_INVALID_ARGUMENT True"] * 4


def test_flushing_brings_what_was_recorded_into_the_journal(tmp_path: Path) -> None:
    """Another reader finds it there, without the ring, while the session goes on."""
    printed = run(
        """
        import shutil
        codetracer_core.flush()
        session = codetracer_core.start("out")
        work(700700700)
        codetracer_core.flush()
        (journal,) = Path("out").glob("*.ctj")
        shutil.copy(journal, "copy.ctj")
        work(900900900)
        session.flush()
        session.flush()
        codetracer_core.stop()
        session.flush()
        codetracer_core.flush()
        """,
        tmp_path,
    )
    assert printed == []
    early = [event for event in journal.load(tmp_path / "copy.ctj") if "700700700" in repr(event)]
    late = [event for event in journal.load(tmp_path / "copy.ctj") if "900900900" in repr(event)]
    assert early
    assert not late
    assert functions(tmp_path / "out" / "trace.ct").count("work") == 2


def test_flushing_while_other_threads_record_loses_nothing(tmp_path: Path) -> None:
    """Every call of every thread is in the trace."""
    run(
        """
        import threading
        def many():
            for number in range(300):
                work(number)
        with codetracer_core.trace("out"):
            threads = [threading.Thread(target=many) for _ in range(3)]
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                codetracer_core.flush()
            for thread in threads:
                thread.join()
        """,
        tmp_path,
    )
    trace = ct.load(tmp_path / "out" / "trace.ct")
    arguments = [
        dict(call["args"])["n"]["i"]
        for call in trace.calls
        if call["function"] == "work" and call["args"]
    ]
    assert sorted(arguments) == sorted([*range(300)] * 3)


def test_a_session_may_start_inside_a_thread_and_stop_inside_a_function(tmp_path: Path) -> None:
    """The trace is balanced: every call lies inside its parent."""
    printed = run(
        """
        import threading
        def begin():
            codetracer_core.start("out")
            work(1)
        def end(depth):
            if depth:
                end(depth - 1)
            else:
                codetracer_core.stop()
            work(3)
        thread = threading.Thread(target=begin)
        thread.start()
        thread.join()
        work(2)
        end(2)
        print(codetracer_core.is_tracing())
        """,
        tmp_path,
    )
    assert printed == ["False"]
    trace = ct.load(tmp_path / "out" / "trace.ct")
    works = [dict(call["args"])["n"]["i"] for call in trace.calls if call["function"] == "work"]
    assert works == [1, 2]
    assert [call["function"] for call in trace.calls].count("end") == 3
    for call in trace.calls[1:]:
        parent = trace.calls[call["parent"]]
        assert parent["first"] <= call["first"] <= call["last"] <= parent["last"]


def test_the_settings_of_the_process_hold_for_later_sessions(tmp_path: Path) -> None:
    """They come before those of the environment and of the call, and errors are core's."""
    printed = run(
        """
        codetracer_core.configure_policy(require_trace=True, log_level="error")
        print(codetracer_core.policy_snapshot()["require_trace"])
        codetracer_core.configure_policy_from_env({"CODETRACER_REQUIRE_TRACE": "off"})
        print(codetracer_core.policy_snapshot()["require_trace"])
        for settings in ({"on_recorder_error": "maybe"}, {"no_such": 1}, {"require_trace": 3}):
            try:
                codetracer_core.configure_policy(**settings)
            except codetracer_core.UsageError as error:
                print(error.code, isinstance(error, TypeError))
        try:
            codetracer_core.configure_policy_from_env({"CODETRACER_REQUIRE_TRACE": "maybe"})
        except codetracer_core.UsageError as error:
            print(error.code)
        print(codetracer_core.policy_snapshot()["require_trace"])
        """,
        tmp_path,
    )
    assert printed == [
        "True",
        "False",
        "ERR_INVALID_POLICY_VALUE False",
        "ERR_UNKNOWN_POLICY_KEY True",
        "ERR_INVALID_POLICY_VALUE True",
        "ERR_INVALID_POLICY_VALUE",
        "False",
    ]


def test_only_what_happens_below_the_activation_file_is_recorded(tmp_path: Path) -> None:
    """The format is one that callers of other recorders name."""
    (tmp_path / "part.py").write_text("def inside():\n    return 1\n")
    run(
        """
        import part
        codetracer_core.start("out", format="binary", start_on_enter="part.py")
        work(1)
        part.inside()
        work(2)
        codetracer_core.stop()
        """,
        tmp_path,
    )
    called = functions(tmp_path / "out" / "trace.ct")
    assert "inside" in called
    assert "work" not in called


def test_of_threads_that_start_at_once_one_gets_the_session(tmp_path: Path) -> None:
    """The others are refused and leave no folder; of those that stop it, one makes the trace."""
    printed = run(
        """
        import threading
        together, got = threading.Barrier(8), []
        def begin(n):
            together.wait()
            try:
                codetracer_core.start(f"out {n}")
                got.append("started")
            except codetracer_core.RecorderError as error:
                got.append(error.code)
            work(n)
        def end(n):
            together.wait()
            codetracer_core.stop()
        for target in begin, end:
            threads = [threading.Thread(target=target, args=(n,)) for n in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        print(sorted(got), codetracer_core.is_tracing())
        with codetracer_core.trace("out again"):
            work(1)
        """,
        tmp_path,
    )
    assert printed == [f"{['ERR_ALREADY_TRACING'] * 7 + ['started']} False"]
    folders = sorted(path.name for path in tmp_path.glob("out*"))
    assert len(folders) == 2
    for folder in folders:
        assert any("work" in name for name in functions(tmp_path / folder / "trace.ct"))


def test_what_no_session_can_be_made_of_is_refused_with_a_code(tmp_path: Path) -> None:
    """Arguments of another type, and paths that no system takes, are errors of ours."""
    printed = run(
        """
        for arguments in (
            {"path": 3}, {"path": None}, {"path": b"out"}, {"path": "a\\0b"}, {"path": ""},
            {"path": "x" * 300}, {"format": 3}, {"policy": 3}, {"trace_filter": 3},
            {"start_on_enter": 3}, {"start_on_enter": "a\\0b"},
        ):
            try:
                codetracer_core.start(**{"path": "out", **arguments})
            except codetracer_core.RecorderError as error:
                print(error.code, isinstance(error, TypeError), isinstance(error, ValueError))
        print(codetracer_core.is_tracing(), os.listdir())
        """,
        tmp_path,
    )
    argument = "ERR_INVALID_ARGUMENT"
    assert printed == [
        *[f"{argument} True False"] * 3,
        *[f"{argument} False True"] * 2,
        "ERR_TRACE_DIR_CREATE_FAILED False False",
        f"{argument} True False",
        "ERR_INVALID_POLICY_VALUE True False",
        *[f"{argument} True False"] * 2,
        f"{argument} False True",
        "False ['program.py']",
    ]
