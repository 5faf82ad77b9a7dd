"""Scripts that use the package from inside a program get the same from ours as from PyPI's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from event_array import EventArray
from reference_wheel import run_compatible, run_reference

BEGINNING = """\
import json, os, sys
from pathlib import Path
import codetracer_python_recorder as codetracer
here = Path.cwd()

def failure(function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except Exception as error:
        families = [
            family.__name__
            for family in (ValueError, RuntimeError, TypeError, FileNotFoundError)
            if isinstance(error, family)
        ]
        print("raised", families or error.code)
    else:
        print("no failure")
"""

SAME = {
    "a session is started, flushed and stopped": """\
session = codetracer.start(here / "out", format="json")
print(codetracer.is_tracing(), isinstance(session, codetracer.TraceSession))
print(session.path == here / "out", session.format)
codetracer.flush()
session.flush()
session.stop()
print(codetracer.is_tracing(), sorted(p.suffix for p in Path("out").glob("trace*.json")))
codetracer.stop()
session.stop(exit_code=4)
""",
    "a block is recorded": """\
with codetracer.trace("out", format=codetracer.TRACE_JSON) as session:
    print(codetracer.is_tracing(), type(session).__name__)
print(codetracer.is_tracing())
try:
    with codetracer.trace("out", format="json"):
        raise KeyError("passes")
except KeyError as error:
    print(error, codetracer.is_tracing())
with codetracer.start("out", format="JSON") as session:
    print(session.format)
print(codetracer.is_tracing())
""",
    "the names of formats": """\
print(codetracer.TRACE_JSON, codetracer.TRACE_BINARY, codetracer.DEFAULT_FORMAT)
from codetracer_python_recorder import formats
print(formats.normalize_format("JSON"), formats.normalize_format(None))
print(formats.is_supported("Binary"), formats.is_supported("yaml"))
session = codetracer.start("out")
print(session.format)
session.stop()
""",
    "a second session is refused": """\
codetracer.start("out", format="json")
try:
    codetracer.start("other", format="json")
except RuntimeError as error:
    print("tracing already active" in str(error))
codetracer.stop()
from codetracer_python_recorder.codetracer_python_recorder import (
    flush_tracing, is_tracing, start_tracing, stop_tracing,
)
start_tracing("out", "json", None, None)
try:
    start_tracing("out", "json")
except codetracer.UsageError as error:
    print(error.code, error.kind, "tracing already active" in str(error))
flush_tracing()
stop_tracing(7)
print(is_tracing(), stop_tracing() is None)
print(json.loads(Path("out/trace_metadata.json").read_text())["process_exit_status"])
""",
    "wrong arguments of start": """\
Path("file").write_text("x")
failure(codetracer.start, "file")
failure(codetracer.start, "out", format="yaml")
failure(codetracer.start, "out", trace_filter="absent.toml")
failure(codetracer.start, "out", trace_filter=" :: ")
failure(codetracer.start, "out", trace_filter=[])
failure(codetracer.start, "out", trace_filter=here)
failure(codetracer.start, "out", trace_filter=5)
failure(codetracer.start, "out", trace_filter=b"x")
print(codetracer.is_tracing(), Path("out").exists())
""",
    "the policy is changed, told, and changed by the environment": """\
print(json.dumps(codetracer.policy_snapshot(), sort_keys=True))
codetracer.configure_policy("disable", True, True, " info ", "log.txt", True)
codetracer.configure_policy(propagate_script_exit=True, module_name_from_globals=False)
print(json.dumps(codetracer.policy_snapshot(), sort_keys=True))
codetracer.configure_policy(log_level=" ", log_file="", io_capture_line_proxies=False)
codetracer.configure_policy(None, None, io_capture_fd_fallback=True)
print(json.dumps(codetracer.policy_snapshot(), sort_keys=True))
os.environ["CODETRACER_REQUIRE_TRACE"] = "no"
os.environ["CODETRACER_CAPTURE_IO"] = "proxies,fd"
codetracer.configure_policy_from_env()
print(json.dumps(codetracer.policy_snapshot(), sort_keys=True))
""",
    "wrong settings leave the policy alone": """\
failure(codetracer.configure_policy, on_recorder_error="explode")
failure(codetracer.configure_policy, require_trace=1)
failure(codetracer.configure_policy, require_trace=True, json_errors="yes")
failure(codetracer.configure_policy, **{"require_trace": True, "on_recorder_error": ""})
os.environ["CODETRACER_REQUIRE_TRACE"] = "maybe"
failure(codetracer.configure_policy_from_env)
print(json.dumps(codetracer.policy_snapshot(), sort_keys=True))
""",
    "settings of a session stay": """\
codetracer.start("out", format="json", policy={"require_trace": False, "log_file": here / "log"})
print(codetracer.policy_snapshot()["log_file"] == str(here / "log"))
codetracer.stop()
print(codetracer.policy_snapshot()["log_file"] == str(here / "log"))
os.environ["CODETRACER_JSON_ERRORS"] = "1"
codetracer.start("out", format="json", apply_env_policy=False).stop()
print(codetracer.policy_snapshot()["json_errors"])
codetracer.start("out", format="json").stop()
print(codetracer.policy_snapshot()["json_errors"])
""",
    "errors have families, codes and contexts": """\
for name in ("UsageError", "EnvironmentError", "TargetError", "InternalError"):
    print(issubclass(getattr(codetracer, name), codetracer.RecorderError))
print(issubclass(codetracer.RecorderError, Exception))
from codetracer_python_recorder import codetracer_python_recorder as backend
print(codetracer.UsageError is backend.UsageError)
try:
    codetracer.configure_policy(on_recorder_error="explode")
except codetracer.RecorderError as error:
    print(error.code, error.kind, type(error.context), str(error).startswith("[" + error.code))
""",
    "a trace's balance": """\
from codetracer_python_recorder.trace_balance import (
    TraceBalanceError, TraceBalanceResult, load_trace_events, summarize_trace_balance,
)
def show(events):
    result = summarize_trace_balance(events)
    print(result.call_count, result.return_count, result.delta, result.is_balanced,
          result.first_negative_index, isinstance(result, TraceBalanceResult))
show([{"Call": {}}, {"Return": {}}])
show([{"Return": {}}, {"Call": {}}])
show([{"Call": {}}, {"Call": {}}, {"Return": {}}])
show([])
for text in ("{}", "[1]", "nonsense", "[]"):
    Path("trace.json").write_text(text)
    try:
        print(list(load_trace_events(Path("trace.json"))))
    except TraceBalanceError as error:
        print("refused", isinstance(error, RuntimeError))
try:
    summarize_trace_balance([{"Call": {}, "Return": {}}])
except TraceBalanceError:
    print("refused")
try:
    load_trace_events(Path("absent.json"))
except TraceBalanceError:
    print("refused")
""",
    "importing the package starts a session": """\
import subprocess
# Set from within: where core is installed too, it would record from the start.
program = '''
import os, sys
os.environ.update(CODETRACER_TRACE=sys.argv[1], CODETRACER_FORMAT="json")
import codetracer_python_recorder as c
print(c.is_tracing())
c.stop()
'''
subprocess.run([sys.executable, "-c", program, str(here / "auto")], check=True)
print(Path("auto/trace.json").exists())
from codetracer_python_recorder import auto_start
print(auto_start.ENV_TRACE_PATH, auto_start.ENV_TRACE_FORMAT, auto_start.ENV_TRACE_FILTER)
""",
    "exports": """\
from codetracer_python_recorder import api, session
print(sorted(set(codetracer.__all__)))
print(sorted(api.__all__), sorted(set(session.__all__) & set(api.__all__)))
""",
}


@pytest.mark.parametrize("what", sorted(SAME))
def test_a_script_prints_the_same_with_both(what: str, tmp_path: Path) -> None:
    """What a script learns from the package does not depend on which of the two it is."""
    printed = []
    for run in (run_reference, run_compatible):
        folder = tmp_path / run.__name__
        folder.mkdir()
        (folder / "script.py").write_text(BEGINNING + SAME[what], encoding="utf-8")
        printed.append(run(["script.py"], folder).stdout)
    assert printed[1] == printed[0]


def ours(folder: Path, source: str, **environ: str) -> str:
    """What a script that uses our package prints."""
    (folder / "script.py").write_text(BEGINNING + source, encoding="utf-8")
    return run_compatible(["script.py"], folder, environ=environ).stdout


def test_a_wrong_variable_does_not_break_the_import(tmp_path: Path) -> None:
    """An invalid setting in the environment is reported when a session starts, not before."""
    printed = ours(
        tmp_path,
        'failure(codetracer.start, "out")\nprint(codetracer.is_tracing())\n',
        CODETRACER_ON_RECORDER_ERROR="explode",
    )
    assert printed == "raised ERR_INVALID_POLICY_VALUE\nFalse\n"


def test_the_policy_of_core_is_another_one(tmp_path: Path) -> None:
    """Importing the package and changing its policy leaves core's policy as it was."""
    printed = ours(
        tmp_path,
        "import codetracer_policy\n"
        "before = codetracer_policy.current_policy()\n"
        'codetracer.configure_policy(require_trace=True, on_recorder_error="abort")\n'
        "print(codetracer_policy.current_policy() == before)\n",
    )
    assert printed == "True\n"


def test_a_session_begins_and_ends_in_the_caller(tmp_path: Path) -> None:
    """A session recorded from inside holds the caller's lines and calls, balanced, none of ours."""
    ours(
        tmp_path,
        'def work(n):\n    return n + 1\nwith codetracer.trace("out", format="json"):\n'
        "    work(1)\n    last = work(2)\n",
    )
    array = EventArray.read(tmp_path / "out" / "trace.json")
    calls = [item[1] for item in array.flow if item[0] == "call"]
    assert calls == ["<toplevel>", "<__main__>", "work", "work"]
    assert len([item for item in array.flow if item[0] == "return"]) == len(calls)
    assert array.paths == [str(tmp_path / "script.py")]


def test_only_what_happens_below_the_activation_file_is_recorded(tmp_path: Path) -> None:
    """With start_on_enter another file's calls come in only below code of that file."""
    (tmp_path / "inner.py").write_text("def run(f):\n    return f(1)\n", encoding="utf-8")
    ours(
        tmp_path,
        "import inner\ndef f(n):\n    return n\n"
        'session = codetracer.start("out", format="json", start_on_enter="inner.py")\n'
        "f(0)\ninner.run(f)\nsession.stop()\n",
    )
    array = EventArray.read(tmp_path / "out" / "trace.json")
    assert [item[1] for item in array.flow if item[0] == "call"] == ["<toplevel>", "run", "f"]


def test_a_session_that_nobody_stops_ends_with_the_program(tmp_path: Path) -> None:
    """What was started by the environment is a whole trace although the program never stops it."""
    program = "import codetracer_python_recorder\ndef f():\n    pass\nf()\nraise SystemExit(5)\n"
    (tmp_path / "app.py").write_text(program, encoding="utf-8")
    out = tmp_path / "auto"
    environ = {"CODETRACER_TRACE": str(out), "CODETRACER_FORMAT": "json"}
    run_compatible(["app.py"], tmp_path, environ=environ, status=5)
    array = EventArray.read(out / "trace.json")
    assert "f" in [item[1] for item in array.flow if item[0] == "call"]


def test_output_past_the_streams_is_recorded_where_it_can_be(tmp_path: Path) -> None:
    """With the settings of the package; a terminal is left as it is, with a warning."""
    (tmp_path / "script.py").write_text(
        BEGINNING + "import pty\n"
        'policy = {"io_capture_fd_fallback": True}\n'
        'session = codetracer.start("out", format="json", policy=policy)\n'
        "os.system('echo child')\n"
        "session.stop()\n"
        'print(codetracer.policy_snapshot()["io_capture"])\n'
        "os.dup2(pty.openpty()[1], 1)\n"
        'codetracer.start("terminal", policy=policy).stop()\n',
        encoding="utf-8",
    )
    result = run_compatible(["script.py"], tmp_path)
    assert result.stdout == "child\n{'line_proxies': True, 'fd_fallback': True}\n"
    output = EventArray.read(tmp_path / "out" / "trace.json").output
    assert "child\n" in [event["content"] for event in output]
    warning = json.loads(result.stderr.splitlines()[0])
    assert (warning["level"], warning["error_code"]) == ("WARN", "ERR_NO_MIRROR")
