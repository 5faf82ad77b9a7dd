"""The logger: the form of a line, where it goes, and what it leaves alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codetracer_log import (
    LogError,
    RecorderLogger,
    active_trace_id,
    log_recorder_error,
    recorder_logger,
    run_id,
    set_active_trace_id,
    use_stderr,
    with_error_code,
)

KEYS = [
    "ts_micros",
    "level",
    "target",
    "run_id",
    "trace_id",
    "message",
    "error_code",
    "module_path",
    "file",
    "line",
    "fields",
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "recorder.log"


@pytest.fixture
def logger(log: Path) -> RecorderLogger:
    made = RecorderLogger()
    made.configure(level="trace", log_file=log)
    return made


@pytest.fixture(autouse=True)
def _as_found() -> Iterator[None]:
    yield
    set_active_trace_id(None)
    recorder_logger().configure()
    use_stderr()


def entries(text: str | Path) -> list[dict[str, Any]]:
    """The lines of a log as dictionaries."""
    whole = text.read_text("utf-8") if isinstance(text, Path) else text
    return [json.loads(line) for line in whole.splitlines()]


def run(program: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a program that can import what this test can."""
    return subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": os.pathsep.join(sys.path), **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_full_line_has_all_keys_in_order(logger: RecorderLogger, log: Path) -> None:
    """A line with everything known has the keys of the format in their order."""
    set_active_trace_id("session")
    before = time.time_ns() // 1000
    logger.error("no space", target="core::journal", error_code="ERR_IO", path="/traces")
    line = sys._getframe().f_lineno - 1
    (entry,) = entries(log)
    assert list(entry) == KEYS
    assert before <= entry.pop("ts_micros") <= time.time_ns() // 1000
    assert entry == {
        "level": "ERROR",
        "target": "core::journal",
        "run_id": run_id(),
        "trace_id": "session",
        "message": "no space",
        "error_code": "ERR_IO",
        "module_path": __name__,
        "file": __file__,
        "line": line,
        "fields": {"path": "/traces", "error_code": "ERR_IO"},
    }


def test_what_is_unknown_is_left_out(logger: RecorderLogger, log: Path) -> None:
    """Without a session, a code and fields the line has none of their keys."""
    logger.info("hello")
    (entry,) = entries(log)
    assert list(entry) == [k for k in KEYS if k not in ("trace_id", "error_code", "fields")]
    assert entry["target"] == __name__.replace(".", "::")


def test_each_method_has_its_level(logger: RecorderLogger, log: Path) -> None:
    """The five methods write the five levels."""
    for write in (logger.error, logger.warn, logger.info, logger.debug, logger.trace):
        write("x")
    written = [entry["level"] for entry in entries(log)]
    assert written == ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"]


def test_by_default_only_warnings_and_errors_are_written(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A fresh logger writes warnings and errors to standard error and drops the rest."""
    logger = RecorderLogger()
    logger.info("no")
    logger.warn("yes")
    assert [entry["message"] for entry in entries(capfd.readouterr().err)] == ["yes"]
    assert logger.enabled("WARN", "x")
    assert not logger.enabled("INFO", "x")


def test_targets_have_levels_of_their_own(logger: RecorderLogger, log: Path) -> None:
    """A target with a level of its own is louder than the rest."""
    logger.configure(level="error,core::journal=debug", log_file=log)
    logger.debug("dropped", target="core")
    logger.debug("kept", target="core::journal::writer")
    assert [entry["message"] for entry in entries(log)] == ["kept"]


def test_an_invalid_level_is_warned_about_once(capfd: pytest.CaptureFixture[str]) -> None:
    """A specification that cannot be read keeps the default and is reported the first time only."""
    logger = RecorderLogger()
    logger.configure(level="loud")
    logger.configure(level="loud")
    logger.info("no")
    (entry,) = entries(capfd.readouterr().err)
    assert (entry["level"], entry["error_code"]) == ("WARN", "ERR_INVALID_LOG_SPEC")
    assert logger.enabled("WARN", "x")


def test_a_file_that_cannot_be_opened_is_replaced_by_standard_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A log file in a missing folder gives one warning, and lines go to standard error."""
    logger = RecorderLogger()
    logger.configure(log_file=tmp_path / "missing" / "log")
    logger.error("still here")
    warning, entry = entries(capfd.readouterr().err)
    assert (warning["level"], warning["error_code"]) == ("WARN", "ERR_IO")
    assert "No such file" in warning["message"]
    assert entry["message"] == "still here"
    assert logger.log_file is None


@pytest.mark.parametrize("name", ["", "nul\0"])
def test_a_path_that_is_none_is_replaced_by_standard_error(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Texts that no file can have as a name are warned about like any other failure."""
    RecorderLogger().configure(log_file=name)
    assert entries(capfd.readouterr().err)[0]["error_code"] == "ERR_IO"


def test_a_file_that_fails_later_is_replaced_line_by_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """When the file cannot be written any more the line goes to standard error."""
    folder = tmp_path / "logs"
    folder.mkdir()
    logger = RecorderLogger()
    logger.configure(log_file=folder / "log")
    (folder / "log").unlink()
    folder.rmdir()
    logger.error("lost otherwise")
    assert [entry["message"] for entry in entries(capfd.readouterr().err)] == ["lost otherwise"]


def test_a_rotated_file_is_followed(logger: RecorderLogger, log: Path) -> None:
    """After the file was moved away, lines go to a new file of the same name."""
    logger.info("first")
    log.rename(log.with_suffix(".1"))
    logger.info("second")
    assert [entry["message"] for entry in entries(log.with_suffix(".1"))] == ["first"]
    assert [entry["message"] for entry in entries(log)] == ["second"]


def test_the_file_stays_the_same_when_the_program_changes_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative log file is meant relative to the folder at the time it was configured."""
    monkeypatch.chdir(tmp_path)
    logger = RecorderLogger()
    logger.configure(log_file="log")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    logger.error("x")
    assert len(entries(tmp_path / "log")) == 1


def test_no_descriptor_stays_open(logger: RecorderLogger) -> None:
    """Logging to a file leaves the program's next descriptor number as it was."""
    logger.info("load what is loaded once")
    before = os.dup(0)
    os.close(before)
    logger.info("x")
    after = os.dup(0)
    os.close(after)
    assert after == before


def test_values_are_written_without_running_their_code(logger: RecorderLogger, log: Path) -> None:
    """Objects are shown by type name; plain data is shown as JSON can hold it."""

    class Nosy:
        def __repr__(self) -> str:
            raise AssertionError("the program's code ran")

        __str__ = __hash__ = __repr__  # type: ignore[assignment]

    class Name(str):
        __slots__ = ()

        def __str__(self) -> str:
            raise AssertionError("the program's code ran")

    deep: list[Any] = []
    for _ in range(1000):
        deep = [deep]
    logger.info(
        "x",
        object=Nosy(),
        name=Name("n"),
        nan=float("nan"),
        low=-float("inf"),
        many=[1, (2.5, None), {"k": True, 3: b"x"}],
        large=1 << 100_000,
        deep=deep,
    )
    fields = entries(log)[0]["fields"]
    assert fields["object"] == "<Nosy>"
    assert fields["name"] == "n"
    assert (fields["nan"], fields["low"]) == ("nan", "-inf")
    assert fields["many"] == [1, [2.5, None], {"k": True, "3": "<bytes>"}]
    assert int(fields["large"], 16) == 1 << 100_000
    assert json.dumps(fields["deep"]).count("[") == 7


def test_any_text_makes_one_valid_line(logger: RecorderLogger, log: Path) -> None:
    """Line ends, quotes, other scripts and lone surrogates come back as they were."""
    text = 'a\nb\r"\\ é \U0001f600 \udc80'
    logger.info(text, text=text)
    (entry,) = entries(log)
    assert entry["message"] == text
    assert entry["fields"]["text"] == text


def test_the_run_id_is_a_random_uuid() -> None:
    """The run id is a UUID of version 4 that stays the same within the process."""
    assert uuid.UUID(run_id()).version == 4
    assert run_id() == run_id()


def test_threads_that_come_first_share_a_run_id() -> None:
    """Threads that ask for the run id at once, before there is one, get the same."""
    done = run(
        "import os, threading\n"
        "from codetracer_log import run_id\n"
        "gate, urandom = threading.Barrier(4, timeout=5), os.urandom\n"
        "def together(size):\n"
        "    gate.wait()\n"
        "    return urandom(size)\n"
        "os.urandom = together\n"
        "ids = []\n"
        "threads = [threading.Thread(target=lambda: ids.append(run_id())) for _ in range(4)]\n"
        "[thread.start() for thread in threads]\n"
        "[thread.join() for thread in threads]\n"
        "print(len(ids), len(set(ids)))"
    )
    assert done.stdout.split() == ["4", "1"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_has_a_run_id_of_its_own() -> None:
    """After a fork parent and child log under different run ids."""
    done = run(
        "import os\nfrom codetracer_log import recorder_logger\n"
        "recorder_logger().warn('parent')\n"
        "pid = os.fork()\n"
        "recorder_logger().warn('child' if pid == 0 else 'parent')\n"
        "if pid == 0: os._exit(0)\n"
        "os.waitpid(pid, 0)"
    )
    ids: dict[str, set[str]] = {"parent": set(), "child": set()}
    for entry in entries(done.stderr):
        ids[entry["message"]].add(entry["run_id"])
    assert [len(found) for found in ids.values()] == [1, 1]
    assert ids["parent"] != ids["child"]


def test_an_error_code_covers_a_block(logger: RecorderLogger, log: Path) -> None:
    """Within the block lines carry its code unless they have their own; blocks nest."""
    with with_error_code("ERR_OUTER"):
        with with_error_code("ERR_INNER"):
            logger.info("x")
        logger.info("x")
        logger.info("x", error_code="ERR_OWN")
    logger.info("x")
    codes = [entry.get("error_code") for entry in entries(log)]
    assert codes == ["ERR_INNER", "ERR_OUTER", "ERR_OWN", None]


def test_an_error_code_does_not_reach_other_threads(logger: RecorderLogger, log: Path) -> None:
    """A code set in one thread is not on the lines of another."""
    with with_error_code("ERR_MINE"):
        thread = threading.Thread(target=lambda: logger.info("x"))
        thread.start()
        thread.join()
    assert "error_code" not in entries(log)[0]


def test_the_session_is_on_lines_while_it_is_active(logger: RecorderLogger, log: Path) -> None:
    """The trace id appears while one is set and disappears with it."""
    set_active_trace_id("one")
    assert active_trace_id() == "one"
    logger.info("x")
    set_active_trace_id(None)
    logger.info("x")
    assert [entry.get("trace_id") for entry in entries(log)] == ["one", None]


def test_lines_of_many_threads_do_not_mix(logger: RecorderLogger, log: Path) -> None:
    """Every line of every thread arrives whole."""

    def write(number: int) -> None:
        for turn in range(50):
            logger.info("x" * 2000, number=number, turn=turn)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = {(entry["fields"]["number"], entry["fields"]["turn"]) for entry in entries(log)}
    assert seen == {(number, turn) for number in range(4) for turn in range(50)}


def test_errors_are_logged_once_with_code_and_context(
    log: Path,
) -> None:
    """A failure is logged at its first report only, also when it comes back wrapped."""
    recorder_logger().configure(log_file=log)
    inner = LogError("ERR_IO", "cannot write", path="/t", errno="28")
    outer = LogError("ERR_TRACE_INCOMPLETE", "stopped early")
    outer.__cause__ = inner
    assert log_recorder_error("flush", inner)
    line = sys._getframe().f_lineno - 1
    assert not log_recorder_error("flush", inner)
    assert not log_recorder_error("stop", outer)
    (entry,) = entries(log)
    assert entry["level"] == "ERROR"
    assert entry["target"].endswith("::errors")
    assert entry["message"] == "flush: cannot write (errno=28, path=/t)"
    assert entry["error_code"] == "ERR_IO"
    assert entry["fields"] == {"error_kind": "Usage", "error_code": "ERR_IO"}
    assert (entry["file"], entry["line"]) == (__file__, line)


def test_exceptions_of_the_program_are_described_and_not_written_to(log: Path) -> None:
    """An exception without a code is an unknown failure; its code is not run and it stays as is."""

    class OddError(Exception):
        @property
        def code(self) -> str:
            raise AssertionError("the program's code ran")

        __str__ = __repr__ = lambda self: 1 / 0  # type: ignore[assignment,return-value]

    recorder_logger().configure(log_file=log)
    error = OddError("why", 3)
    assert log_recorder_error("run", error)
    (entry,) = entries(log)
    assert entry["message"] == "run: OddError: why"
    assert entry["error_code"] == "ERR_UNKNOWN"
    assert vars(error) == {}


def test_standard_error_is_the_real_one(capfd: pytest.CaptureFixture[str]) -> None:
    """Lines do not pass through ``sys.stderr``, whatever the program has put there."""

    class Trap:
        def write(self, _text: str) -> int:
            raise AssertionError("written through sys.stderr")

    before, sys.stderr = sys.stderr, Trap()
    try:
        RecorderLogger().warn("x")
    finally:
        sys.stderr = before
    assert len(entries(capfd.readouterr().err)) == 1


def test_another_descriptor_can_stand_for_standard_error(tmp_path: Path) -> None:
    """A recorder that mirrors descriptor 2 can send its own lines past the mirror."""
    with (tmp_path / "real").open("wb") as real:
        use_stderr(real.fileno())
        RecorderLogger().warn("x")
    assert len(entries(tmp_path / "real")) == 1


def test_a_file_that_took_the_number_of_standard_error_is_left_alone(tmp_path: Path) -> None:
    """With an identity, lines are written only while the descriptor is that file."""
    with (tmp_path / "real").open("wb") as real, (tmp_path / "other").open("wb") as other:
        status = os.fstat(real.fileno())
        use_stderr(real.fileno(), identity=(status.st_dev, status.st_ino))
        RecorderLogger().warn("x")
        os.dup2(other.fileno(), real.fileno())
        RecorderLogger().warn("y")
    assert [entry["message"] for entry in entries(tmp_path / "real")] == ["x"]
    assert (tmp_path / "other").read_bytes() == b""


def test_a_closed_standard_error_is_no_failure() -> None:
    """With descriptor 2 closed a line is lost and the program goes on."""
    done = run(
        "import os\nfrom codetracer_log import recorder_logger\n"
        "os.close(2)\nrecorder_logger().warn('x')\nprint('alive')"
    )
    assert (done.returncode, done.stdout) == (0, "alive\n")


def test_a_broken_pipe_is_no_failure() -> None:
    """With nobody reading standard error a line is lost and the program goes on."""
    done = run(
        "import os\nfrom codetracer_log import recorder_logger\n"
        "r, w = os.pipe()\nos.dup2(w, 2)\nos.close(w)\nos.close(r)\n"
        "recorder_logger().warn('x')\nprint('alive')"
    )
    assert (done.returncode, done.stdout) == (0, "alive\n")


def test_nothing_is_imported_before_the_first_line() -> None:
    """Import and filtered lines load neither structlog nor anything heavy."""
    done = run(
        "import sys\nfrom codetracer_log import recorder_logger, metrics_sink\n"
        "recorder_logger().info('no')\nmetrics_sink().record_session({'steps': 1})\n"
        "heavy = {'structlog', 'asyncio', 'ssl', 'socket', 'logging', 'json', 'typing'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        "recorder_logger().warn('yes')\nprint('structlog' in sys.modules)"
    )
    assert done.stdout == "[]\nTrue\n", done.stderr


def test_the_programs_structlog_is_left_alone() -> None:
    """A configuration made before our first line is unchanged by it, and none is made by us."""
    done = run(
        "import structlog\nfrom codetracer_log import recorder_logger\n"
        "recorder_logger().warn('before')\nprint(structlog.is_configured())\n"
        "structlog.configure(processors=[structlog.processors.KeyValueRenderer()])\n"
        "mine = structlog.get_config()\nrecorder_logger().warn('after')\n"
        "print(structlog.get_config() == mine)\nstructlog.get_logger().warning('own')"
    )
    assert done.stdout == "False\nTrue\nevent='own'\n", done.stderr
    assert [entry["message"] for entry in entries(done.stderr)] == ["before", "after"]


def test_without_structlog_the_line_is_the_same(tmp_path: Path) -> None:
    """Where structlog cannot be imported, or is something else, lines have the same bytes."""
    program = (
        "import time\ntime.time_ns = lambda: 5000\n"
        "from codetracer_log import _identity, recorder_logger\n"
        "_identity.run_id.__globals__['_uuid4'] = lambda: 'fixed'\n"
        "recorder_logger().warn('é', a=[1, {}], b=2.5)"
    )
    (tmp_path / "absent").mkdir()
    (tmp_path / "absent" / "structlog.py").write_text("raise ImportError")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "structlog.py").write_text("x = 1")

    def line(*folders: Path) -> str:
        path = os.pathsep.join([*map(str, folders), *sys.path])
        return run(program, PYTHONPATH=path).stderr

    assert entries(line())[0]["message"] == "é"
    assert line(tmp_path / "absent") == line()
    assert line(tmp_path / "other") == line()


def test_a_line_at_the_very_end_of_the_process() -> None:
    """A line that is logged while the interpreter goes down does not raise."""
    done = run(
        "from codetracer_log import recorder_logger\nlogger = recorder_logger()\n"
        "class Last:\n    def __del__(self):\n        logger.warn('last')\n"
        "import builtins\nbuiltins.last = Last()"
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_can_log_while_its_parent_was_importing_structlog(tmp_path: Path) -> None:
    """A fork that cuts off the import in another thread does not make the child wait for it."""
    (tmp_path / "structlog.py").write_text("import main\nmain.begun.set()\nmain.go_on.wait(60)\n")
    (tmp_path / "main.py").write_text(
        "import os, signal, threading\nfrom codetracer_log import recorder_logger\n"
        "begun, go_on = threading.Event(), threading.Event()\n"
        "def run():\n"
        "    thread = threading.Thread(target=lambda: recorder_logger().warn('thread'))\n"
        "    thread.start()\n"
        "    begun.wait(60)\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        signal.alarm(30)\n"
        "        recorder_logger().warn('child')\n"
        "        os._exit(0)\n"
        "    status = os.waitpid(child, 0)[1]\n"
        "    go_on.set()\n"
        "    thread.join()\n"
        "    print(status)\n"
    )
    path = os.pathsep.join([os.fspath(tmp_path), *sys.path])
    done = run("import main; main.run()", PYTHONPATH=path, PYTHONWARNINGS="ignore")
    assert done.stdout == "0\n"
    assert [entry["message"] for entry in entries(done.stderr)] == ["child", "thread"]
