"""What ``codetracer-core show`` prints of a recorded program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from integration.recording import RECORDER, record, recorder, run_plain, write_files

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """\
def add(a, b):
    total = a + b
    return total


def fail(password):
    raise KeyError("gone")


x = add(1, 2)
try:
    fail("secret")
except KeyError:
    x = [x, {"k": None}]
del x
"""

TEXT = """\
   <__main__>  [main.py:1]
 0     1 | def add(a, b):
 1     1 | def add(a, b):
           add = <function add>
 2     6 | def fail(password):
           fail = <function fail>
 3    10 | x = add(1, 2)
   add(a=1, b=2)  [main.py:1]
 4       1 | def add(a, b):
 5       2 |     total = a + b
             total = 3
 6       3 |     return total
       return 3
           x = 3
 7    11 | try:
 8    12 |     fail("secret")
   fail(password=<redacted>)  [main.py:6]
 9       6 | def fail(password):
10       7 |     raise KeyError("gone")
11       7 ! raised KeyError: 'gone'
       ended by KeyError(args=('gone',))
12    13 | except KeyError:
13    14 |     x = [x, {"k": None}]
14    14 ! caught KeyError: 'gone'
           x = [3, {'k': None}]
15    15 | del x
     return None
   ended: 0
"""

CALLS = """\
<toplevel> -> 0
  <__main__> -> None  [main.py:1]
    add(a=1, b=2) -> 3  [main.py:1]
    fail(password=<redacted>) ! ended by KeyError(args=('gone',))  [main.py:6]
"""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a recorded program, with its trace in ``out``."""
    folder = tmp_path_factory.mktemp("show")
    write_files(folder, {"main.py": PROGRAM})
    done = record(["main.py"], folder, folder / "out")
    assert (done.returncode, done.stderr) == (0, b"")
    return folder


def show(folder: Path, *words: str) -> list[str]:
    """The lines that ``show`` prints, addresses left out; nothing may be on standard error."""
    done = recorder(["show", *words], folder)
    assert done.stderr.decode() == ""
    assert done.returncode == 0
    return without_addresses(done.stdout.decode()).splitlines()


def without_addresses(text: str) -> str:
    """`text` with every address cut after its ``0x``."""
    import re

    return re.sub(r"0x[0-9a-f]+", "0x", text)


def records(folder: Path, *words: str) -> list[dict[str, Any]]:
    """The objects that ``show --format json`` prints."""
    return [json.loads(line) for line in show(folder, "--format", "json", *words)]


def test_text_shows_lines_changes_calls_and_results(recording: Path) -> None:
    """Changes stand below the line that made them; calls are indented by their depth."""
    assert show(recording, "out") == TEXT.splitlines()


def test_a_trace_file_is_shown_like_its_folder(recording: Path) -> None:
    """Either may be named."""
    assert show(recording, "out/trace.ct") == TEXT.splitlines()


def test_the_tree_of_calls_has_one_line_a_call(recording: Path) -> None:
    """Arguments, results and places are on it."""
    assert show(recording, "--calls", "out") == CALLS.splitlines()


def test_a_range_of_steps_is_cut_out(recording: Path) -> None:
    """Either end may be left out, count from the end, or be the only one."""
    assert [line[:2] for line in show(recording, "--steps", "4:6", "out")] == ["  ", "4 ", "5 "]
    tail = show(recording, "--steps=-1:", "out")
    assert [line for line in tail if line[:2].strip()] == ["15    15 | del x"]
    assert tail[-1] == "   ended: 0"
    assert len(show(recording, "--steps", "7", "out")) >= 1
    (only,) = records(recording, "--calls", "--steps", "4:9", "out")
    assert only["function"] == "add"


@pytest.mark.parametrize("steps", ["500:", "5:3", "=-3:2", "99"])
def test_a_range_without_steps_is_a_misuse(steps: str, recording: Path) -> None:
    """The message says which steps there are."""
    option = f"--steps{steps}" if steps.startswith("=") else f"--steps={steps}"
    done = recorder(["show", option, "out"], recording)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"[ERR_TRACE_INDEX] no step is in the range" in done.stderr
    assert b": the trace has the steps 0 to " in done.stderr


def test_a_journal_is_shown_by_its_folder(recording: Path) -> None:
    """Whoever names the journal is told the command for its trace."""
    (journal,) = (recording / "out").glob("trace.*.ctj")
    done = recorder(["show", f"out/{journal.name}"], recording)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().endswith("use codetracer-core show out\n")


def test_json_has_one_object_a_line(recording: Path) -> None:
    """Steps name their call and what has changed; calls their arguments; returns their result."""
    told = records(recording, "out")
    assert [r["step"] for r in told if r["type"] == "step"] == list(range(16))
    calls = {r["call"]: r for r in told if r["type"] == "call"}
    assert [calls[key]["function"] for key in sorted(calls)] == [
        *("<toplevel>", "<__main__>", "add", "fail"),
    ]
    assert calls[2]["parent"] == 1
    assert calls[2]["line"] == 1
    assert calls[2]["arguments"] == [
        {"name": "a", "type": "int", "value": "1"},
        {"name": "b", "type": "int", "value": "2"},
    ]
    (total,) = [r for r in told if r["type"] == "step" and r["line"] == 3]
    assert total["changed"] == [{"name": "total", "type": "int", "value": "3"}]
    assert total["call"] == 2
    returns = {r["call"]: r for r in told if r["type"] == "return"}
    assert returns[2]["value"] == {"type": "int", "value": "3"}
    assert returns[3]["value"] is None
    assert returns[3]["exception"]["type"] == "KeyError"
    assert returns[0]["value"] == {"type": "int", "value": "0"}


def test_json_of_calls_has_their_results_too(recording: Path) -> None:
    """One object tells all about a call."""
    (add,) = [r for r in records(recording, "--calls", "out") if r["function"] == "add"]
    assert (add["first_step"], add["last_step"]) == (4, 6)
    assert add["value"] == {"type": "int", "value": "3"}
    assert add["exception"] is None


def test_a_missing_source_is_replaced_by_places_and_told_once(tmp_path: Path) -> None:
    """Without its source a line is its path and number."""
    write_files(tmp_path, {"main.py": "x = 1\ny = 2\n"})
    record(["main.py"], tmp_path, tmp_path / "out")
    (tmp_path / "main.py").rename(tmp_path / "moved.py")
    done = recorder(["show", "out"], tmp_path)
    assert f"    2 | {tmp_path / 'main.py'}:2\n" in done.stdout.decode()
    assert done.stderr.decode().count("--source-root") == 1
    assert len(done.stderr.splitlines()) == 1
    (tmp_path / "new").mkdir()
    (tmp_path / "moved.py").rename(tmp_path / "new" / "main.py")
    found = recorder(["show", "--source-root", f"{tmp_path}={tmp_path / 'new'}", "out"], tmp_path)
    assert found.stderr == b""
    assert "    2 | y = 2\n" in found.stdout.decode()


def test_a_changed_source_is_told(tmp_path: Path) -> None:
    """Lines may be other than those that ran, and the reader must know."""
    write_files(tmp_path, {"main.py": "x = 1\n"})
    record(["main.py"], tmp_path, tmp_path / "out")
    write_files(tmp_path, {"main.py": "x = 2\n"})
    done = recorder(["show", "out"], tmp_path)
    assert done.returncode == 0
    (line,) = done.stderr.decode().splitlines()
    assert "main.py has changed since it was recorded" in line


def test_a_resumed_generator_is_where_it_goes_on(tmp_path: Path) -> None:
    """The line of what it calls first is not taken for its own."""
    source = (
        "def h(x):\n    return x\n\n\n"
        "def g():\n    h((yield 1))\n    yield 2\n\n\n"
        "def outer():\n    yield from g()\n\n\n"
        "it = outer()\nnext(it)\nnext(it)\n"
    )
    write_files(tmp_path, {"main.py": source})
    record(["main.py"], tmp_path, tmp_path / "out")
    assert show(tmp_path, "--calls", "out")[2:] == [
        "    outer() yields 1  [main.py:10]",
        "      g() yields 1  [main.py:5]",
        "    outer goes on yields 2  [main.py:11]",
        "      g goes on yields 2  [main.py:7]",
        "        h(x=None) -> None  [main.py:1]",
    ]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_closed_pipe_ends_the_command_quietly(form: str, recording: Path) -> None:
    """It dies like other tools, with nothing on standard error, however much is left to print."""
    write_files(recording, {"long.py": "for i in range(50_000):\n    pass\n"})
    if not (recording / "long").exists():
        record(["long.py"], recording, recording / "long")
    with subprocess.Popen(
        [os.fspath(RECORDER), "show", "--format", form, "long"],
        cwd=recording,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == -signal.SIGPIPE


def run_in_shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `command`, where ``$0`` is the recorder, with the shell's redirections."""
    return subprocess.run(
        ["/bin/sh", "-c", command, os.fspath(RECORDER)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "words", ["show out", "show --format json out", "show --help", "--version"]
)
@pytest.mark.parametrize(
    ("redirection", "problem"),
    [(">/dev/full", "cannot be written (No space left on device)"), (">&-", "is closed")],
)
def test_an_output_that_takes_nothing_is_one_clear_line(
    words: str, redirection: str, problem: str, recording: Path
) -> None:
    """It is no defect to report, and nothing follows at exit."""
    done = run_in_shell(f'"$0" {words} {redirection}', recording)
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"codetracer-core: error: [ERR_IO] standard output {problem}; ")
    assert done.returncode == 1


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"])
def test_a_standard_error_that_takes_nothing_changes_no_status(
    redirection: str, recording: Path
) -> None:
    """Only our own lines are lost: the trace is whole, and a failure still has its status."""
    assert run_in_shell(f'"$0" record -o lost main.py {redirection}', recording).returncode == 0
    assert show(recording, "lost") == TEXT.splitlines()
    for words, status in (("record gone.py", 2), ("show gone", 2), ("show main.py", 1)):
        command = f'CODETRACER_JSON_ERRORS=on "$0" {words} {redirection}'
        done = run_in_shell(command, recording)
        assert (done.returncode, done.stdout, done.stderr) == (status, "", "")


def test_deep_recursion_is_indented_up_to_a_limit(tmp_path: Path) -> None:
    """From 40 levels on their number stands before the line; memory and output stay small."""
    source = (
        "import sys\nsys.setrecursionlimit(20_000)\n"
        "def down(n):\n    return n and down(n - 1)\ndown(15_000)\n"
    )
    write_files(tmp_path, {"main.py": source})
    record(["main.py"], tmp_path, tmp_path / "out")
    lines = show(tmp_path, "out")
    assert max(map(len, lines)) < 200
    assert any(
        line.endswith(f"{' ' * 80}[15001]     4 |     return n and down(n - 1)") for line in lines
    )
    calls = show(tmp_path, "--calls", "out")
    assert calls[40].startswith(f"{' ' * 80}down(n=14962) ")
    assert calls[41].startswith(f"{' ' * 80}[41] down(n=14961) ")
    assert calls[15_002] == f"{' ' * 80}[15002] down(n=0) -> 0  [main.py:3]"
    assert peak_of_show(tmp_path) <= 56 * 1024


def test_a_killed_program_is_shown_from_its_journal(tmp_path: Path) -> None:
    """The trace is made first, and the command says so."""
    source = "import os, signal\nx = 1\nos.kill(os.getpid(), signal.SIGKILL)\n"
    write_files(tmp_path, {"main.py": source})
    assert record(["main.py"], tmp_path, tmp_path / "out").returncode == -signal.SIGKILL
    assert not (tmp_path / "out" / "trace.ct").exists()
    done = recorder(["show", "out"], tmp_path)
    assert done.returncode == 0
    (notice,) = done.stderr.decode().splitlines()
    assert "without closing its trace" in notice
    assert "    3 | os.kill(os.getpid(), signal.SIGKILL)\n" in done.stdout.decode()
    assert recorder(["show", "out"], tmp_path).stderr == b""


def test_an_output_that_cannot_express_the_text_gets_escapes(tmp_path: Path) -> None:
    """An ASCII terminal shows everything, somehow."""
    write_files(tmp_path, {"main.py": "naïve = '🙂'\nx = 1\n"})
    record(["main.py"], tmp_path, tmp_path / "out")
    words = ["-X", "utf8=0", "-m", "codetracer_core", "show", "out"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii:strict"}
    done = subprocess.run(
        [sys.executable, *words], cwd=tmp_path, env=environment, capture_output=True, check=True
    )
    assert b"na\\xefve = '\\U0001f642'" in done.stdout


def test_memory_stays_bounded_however_long_the_trace_is(tmp_path: Path) -> None:
    """A hundred thousand steps are shown in memory for the reader's caches, 8 MB a stream."""
    source = "def f(n):\n    return n + 1\nfor i in range(25_000):\n    f(i)\n"
    write_files(tmp_path, {"main.py": source})
    record(["main.py"], tmp_path, tmp_path / "out")
    assert peak_of_show(tmp_path) <= 56 * 1024


def peak_of_show(folder: Path) -> int:
    """The largest resident memory, in KiB, of showing the trace in ``out``."""
    measure = (
        "import resource, subprocess\n"
        f"command = [{os.fspath(RECORDER)!r}, 'show', 'out']\n"
        "subprocess.run(command, stdout=subprocess.DEVNULL, check=True)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    return int(run_plain(["-c", measure], folder).stdout)


def test_a_filter_can_hide_what_is_yielded(tmp_path: Path) -> None:
    """A `ret` pattern for `<yield>` covers the yields and leaves the returned values alone."""
    write_files(
        tmp_path,
        {
            "app.py": "def numbers():\n    yield 111222\n\ndef one():\n    return 333444\n\n"
            "next(numbers())\none()\n",
            "filter.toml": '[meta]\nname = "yields"\nversion = 1\n\n[scope]\n'
            'default_exec = "trace"\ndefault_value_action = "allow"\n\n[[scope.rules]]\n'
            'selector = "pkg:*"\n\n[[scope.rules.value_patterns]]\n'
            'selector = "ret:literal:<yield>"\naction = "redact"\n',
        },
    )
    words = ["--trace-filter", "filter.toml", "app.py"]
    assert record(words, tmp_path, tmp_path / "out").returncode == 0
    text = recorder(["show", "out"], tmp_path).stdout.decode()
    assert "yield <redacted>" in text
    assert "333444" in text
