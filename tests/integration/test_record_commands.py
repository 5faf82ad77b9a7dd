"""Console scripts, standard input, test frameworks and options, through the installed command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from integration.recording import RECORDER, record, recorder, run_plain, write_files

# Two lines for every interpreter whose path has blanks in it, as installers write them.
TOOL = f"""#!/bin/sh
'''exec' "{sys.executable}" "$0" "$@"
' '''
import sys, os
print(sys.argv, sys.path[0], sys.orig_argv[1:], __file__, __name__)
if sys.argv[1:] == ["fail"]:
    raise ValueError("failed")
if sys.argv[1:] == ["interrupt"]:
    raise KeyboardInterrupt
sys.exit(int(sys.argv[1]) if len(sys.argv) > 1 else "text")
"""
TESTS = """
import unittest


class Case(unittest.TestCase):
    def test_good(self):
        self.assertEqual(1 + 1, 2)

    def test_bad(self):
        self.assertEqual(1 + 1, 3)
"""


def run(words: list[str], folder: Path, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command in `folder`."""
    return subprocess.run(
        words,
        cwd=folder,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"} | environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )


def steps_of(folder: Path, *words: str) -> list[dict[str, object]]:
    """The calls of the trace in `folder`."""
    done = recorder(["show", "--format", "json", "--calls", *words, os.fspath(folder)], folder)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("word", ["", "0", "3", "256", "fail", "interrupt"])
def test_a_console_script_behaves_as_a_shell_starts_it(word: str, tmp_path: Path) -> None:
    """Arguments, path, messages, traceback and every status are equal to the byte."""
    write_files(tmp_path, {"bin/tool": TOOL, "work/notes": ""})
    (tmp_path / "bin" / "tool").chmod(0o755)
    path = f"{tmp_path}/bin:{os.environ['PATH']}"
    words = ["tool", word] if word else ["tool"]
    # A shell names the script by its path; the kernel gives that to the interpreter.
    plain = run([f"{tmp_path}/bin/tool", *words[1:]], tmp_path / "work")
    recorded = run(
        [os.fspath(RECORDER), "record", "-q", "-o", "../out", *words], tmp_path / "work", PATH=path
    )
    assert recorded.stdout == plain.stdout
    assert recorded.stderr == plain.stderr
    assert recorded.returncode == plain.returncode
    assert any(call["function"] == "<__main__>" for call in steps_of(tmp_path / "out"))


@pytest.mark.parametrize(
    "source",
    [
        b"import sys\nprint(sys.argv, sys.path[0], sys.orig_argv, sorted(globals()))\n",
        b"print(__file__, __name__, __loader__, __spec__)\n1 / 0\n",
        b"print(repr(__import__('sys').stdin.read()))\nraise SystemExit(4)\n",
        b"# coding: latin-1\nprint(ascii('\xe9'))\n",
        b"def broken(:\n",
        b"x = '\xff'\n",
        b"",
    ],
)
def test_standard_input_is_run_as_python_runs_it(source: bytes, tmp_path: Path) -> None:
    """What it finds, its traceback and its status are equal to the byte."""
    plain = run_plain(["-", "a", "-b"], tmp_path, source)
    recorded = record(["-", "a", "-b"], tmp_path, tmp_path / "out", source)
    assert recorded.stdout == plain.stdout
    assert recorded.stderr == plain.stderr
    assert recorded.returncode == plain.returncode


def test_functions_that_code_from_standard_input_calls_are_recorded(tmp_path: Path) -> None:
    """The code itself has no file, as with ``-c``."""
    write_files(tmp_path, {"helper.py": "def double(x):\n    return 2 * x\n"})
    recorded = record(["-"], tmp_path, tmp_path / "out", b"import helper\nhelper.double(21)\n")
    assert recorded.returncode == 0
    assert any(call["function"] == "double" for call in steps_of(tmp_path / "out"))


@pytest.mark.parametrize("option", ["--unittest", "--pytest"])
def test_tests_are_run_by_their_framework_and_recorded_without_it(
    option: str, tmp_path: Path
) -> None:
    """The status is the framework's; its own code is in the trace only when asked for."""
    write_files(tmp_path, {"test_sums.py": TESTS})
    words = {"--unittest": ["test_sums"], "--pytest": ["-q", "-p", "no:cacheprovider"]}[option]
    done = run([os.fspath(RECORDER), "record", "-o", "out", option, *words], tmp_path)
    assert done.returncode == 1
    calls = steps_of(tmp_path / "out")
    assert {"Case.test_good", "Case.test_bad"} <= {call["function"] for call in calls}
    paths = {str(call["path"]) for call in calls if call["path"]}
    assert [path for path in paths if {"_pytest", "unittest"} & set(Path(path).parts)] == []
    assert os.fspath(tmp_path / "test_sums.py") in paths
    metadata = json.loads((tmp_path / "out" / "trace_metadata.json").read_text())
    names = [entry["name"] for entry in metadata["trace_filter"]["filters"]]
    assert f"builtin-{option[2:]}" in names


def test_the_filter_of_a_framework_can_be_left_out(tmp_path: Path) -> None:
    """Only the built-in default is in the chain then."""
    write_files(tmp_path, {"test_sums.py": "import unittest\n"})
    words = ["record", "-q", "--no-framework-filters", "-o", "out", "--unittest", "test_sums"]
    run([os.fspath(RECORDER), *words], tmp_path)
    metadata = json.loads((tmp_path / "out" / "trace_metadata.json").read_text())
    names = [entry["name"] for entry in metadata["trace_filter"]["filters"]]
    assert names == ["builtin-default"]


PROGRAM = """
import sys

def wanted(n):
    return n + 1

def unwanted(n):
    return [n] * 50

print(wanted(1), len(unwanted(2)))
sys.exit(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A folder with a program of two functions that exits with its argument."""
    write_files(tmp_path, {"main.py": PROGRAM})
    return tmp_path


@pytest.mark.parametrize(
    ("options", "functions"),
    [
        (["--only", "obj:*.wanted"], {"wanted"}),
        (["--skip", "obj:*.unwanted"], {"<__main__>", "wanted"}),
        (["--only", "file:main.py", "--skip", "obj:*wanted"], {"<__main__>"}),
    ],
)
def test_selectors_choose_code_without_a_filter_file(
    options: list[str], functions: set[str], program: Path
) -> None:
    """What is skipped is skipped in any case; with ``--only`` nothing else is recorded."""
    done = recorder(["record", "-q", "-o", "out", *options, "main.py"], program)
    assert (done.returncode, done.stderr) == (0, b"")
    assert {call["function"] for call in steps_of(program / "out")} == {"<toplevel>", *functions}


def test_limits_are_options(program: Path) -> None:
    """An option is stronger than the environment."""
    words = ["record", "-q", "-o", "out", "--max-items", "3", "main.py"]
    done = run([os.fspath(RECORDER), *words], program, CODETRACER_MAX_ITEMS="7")
    assert done.returncode == 0
    (call,) = (call for call in steps_of(program / "out") if call["function"] == "unwanted")
    value = call["value"]
    assert isinstance(value, dict)
    assert value["value"].startswith("[2, 2, 2")
    assert value["value"].count("2, 2, 2, 2") == 0


def test_a_status_can_be_withheld(program: Path) -> None:
    """The command returns 0 and says so; the trace has the status of the program."""
    words = ["record", "-q", "-o", "out", "--no-propagate-script-exit", "main.py"]
    done = recorder([*words, "3"], program)
    assert done.returncode == 0
    assert b"the program exited with status 3; returning 0" in done.stderr
    assert b"--propagate-script-exit" in done.stderr
    metadata = json.loads((program / "out" / "trace_metadata.json").read_text())
    assert metadata["process_exit_status"]["code"] == 3
    assert recorder([*words, "0"], program).stderr == b""


@pytest.mark.parametrize(
    ("source", "status", "message"),
    [
        ("raise SystemExit('text')", 0, b"text\n"),
        ("raise ValueError", 1, b"ValueError\n"),
        ("raise KeyboardInterrupt", -2, b"KeyboardInterrupt\n"),
        ("import os, sys\nif not os.fork(): sys.exit(5)\nsys.exit(os.wait()[1] >> 8)", 0, b""),
    ],
)
def test_withholding_a_status_hides_no_message_and_no_failure(
    source: str, status: int, message: bytes, tmp_path: Path
) -> None:
    """Texts of ``sys.exit`` are shown, exceptions and signals end the process as ever."""
    write_files(tmp_path, {"main.py": source})
    words = ["record", "-q", "-o", "out", "--no-propagate-script-exit", "main.py"]
    done = recorder(words, tmp_path)
    assert done.returncode == status
    assert message in done.stderr
    if "fork" in source:
        assert done.stderr.count(b"exited with status 5; returning 0") == 1


def test_recording_can_be_switched_off(program: Path) -> None:
    """The program runs in the same way, with a notice and no folder; a wrong value is a misuse."""
    variable = "CODETRACER_PYTHON_RECORDER_DISABLED"
    plain = run_plain(["main.py", "4"], program)
    for value in ("1", " TRUE "):
        done = run([os.fspath(RECORDER), "record", "main.py", "4"], program, **{variable: value})
        assert (done.stdout, done.returncode) == (plain.stdout, 4)
        assert done.stderr == f"codetracer-core: not recording: {variable} is set\n".encode()
    done = run([os.fspath(RECORDER), "record", "main.py"], program, **{variable: "perhaps"})
    assert (done.stdout, done.returncode) == (b"", 2)
    assert not (program / "trace-out").exists()
    done = run([os.fspath(RECORDER), "record", "-q", "main.py"], program, **{variable: "off"})
    assert (program / "trace-out" / "trace.ct").is_file()


def test_the_output_folder_may_come_from_the_environment(program: Path) -> None:
    """An option is stronger, under either of its names."""
    environ = {"CODETRACER_PYTHON_RECORDER_OUT_DIR": "from-environment"}
    run([os.fspath(RECORDER), "record", "-q", "main.py"], program, **environ)
    assert (program / "from-environment" / "trace.ct").is_file()
    words = ["record", "-q", "--trace-dir", "from-option", "main.py"]
    run([os.fspath(RECORDER), *words], program, **environ)
    assert (program / "from-option" / "trace.ct").is_file()
    assert not (program / "trace-out").exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--max-depht", "3"],
        ["--max-depth", "x"],
        ["--trace-filter", "gone.toml"],
        ["--out-dir", "main.py"],
        ["--materialise", "soon"],
    ],
)
def test_a_failure_has_exactly_one_trailer_when_asked_for(
    options: list[str], program: Path
) -> None:
    """``--json-errors`` counts from where it stands, whatever kind of misuse follows."""
    done = recorder(["record", "--json-errors", *options, "main.py"], program)
    assert done.returncode == 2
    trailers = [line for line in done.stderr.splitlines() if line.startswith(b"{")]
    (human,) = (line for line in done.stderr.splitlines() if not line.startswith(b"{"))
    (trailer,) = map(json.loads, trailers)
    assert f"[{trailer['error_code']}]".encode() in human


def test_a_trailer_can_be_refused(program: Path) -> None:
    """The option is stronger than the environment."""
    words = ["record", "--no-json-errors", "gone.py"]
    done = run([os.fspath(RECORDER), *words], program, CODETRACER_JSON_ERRORS="on")
    assert len(done.stderr.splitlines()) == 1


def test_a_required_trace_that_has_nothing_is_a_failure(program: Path) -> None:
    """The program has run, and its status of 0 becomes 1."""
    words = ["record", "--require-trace", "--json-errors", "--skip", "file:**", "main.py"]
    done = recorder(words, program)
    assert done.stdout == b"2 50\n"
    assert done.returncode == 1
    assert done.stderr.count(b"codetracer-core: error: [ERR_TRACE_MISSING]") == 1
    assert len([line for line in done.stderr.splitlines() if line.startswith(b"{")]) == 1


def test_the_closing_line_says_only_what_is_so(program: Path) -> None:
    """A trace that ``show`` cannot read is not offered to it; nothing recorded has its reason."""
    words = ["record", "-o", "out", "--format", "json", "--no-keep-journal", "main.py"]
    done = recorder(words, program)
    assert done.stderr.decode().endswith(f" in {program}/out/trace.json\n")
    write_files(program, {"other.py": ""})
    done = recorder(["record", "-o", "out2", "--activation-path", "other.py", "main.py"], program)
    assert f"nothing was recorded: no code of {program}/other.py ran" in done.stderr.decode()


@pytest.mark.parametrize(
    ("selector", "is_own_module"), [("pkg:literal:calendar", True), ("file:other/main.py", False)]
)
def test_the_closing_line_names_the_module_that_a_selector_has_missed(
    selector: str, is_own_module: bool, program: Path
) -> None:
    """A module that is the program is called ``__main__``, which is said when nothing was named."""
    words = ["record", "-o", "out", "--only", selector, "-m", "calendar", "2024", "2"]
    line = recorder(words, program).stderr.decode().splitlines()[-1]
    assert f"nothing was recorded: --only {selector} names no code that ran" in line
    assert line.endswith("--only pkg:literal:__main__") is is_own_module


def test_the_closing_line_tells_of_children_when_only_they_have_steps(program: Path) -> None:
    """A selector that names code of a child alone is not said to have named nothing at all."""
    body = "import os\nif not os.fork():\n    import lent\nelse:\n    os.wait()\n"
    write_files(program, {"main.py": body, "lent.py": "x = 1\n"})
    done = recorder(["record", "-o", "out", "--only", "file:lent.py", "main.py"], program)
    parent, child = done.stderr.decode().splitlines()[-2:]
    assert "nothing was recorded of this process: --only file:lent.py names no code" in parent
    assert f"1 child process was recorded, too: {program}/out/" in child


SURROUNDINGS = """
import sys, os, gc, signal, threading, warnings
print(sys.flags, sys.warnoptions, sys._xoptions, sys.argv, sys.path, warnings.filters, __debug__)
for stream in (sys.stdin, sys.stdout, sys.stderr):
    print(stream.encoding, stream.errors, stream.line_buffering, stream.write_through, stream.name)
print([signal.getsignal(number) for number in signal.valid_signals()], threading.active_count())
print(sys.getrecursionlimit(), gc.get_threshold(), gc.isenabled(), sys.gettrace(), os.umask(0))
print(sorted(vars(sys)), sorted(globals()), sys.excepthook is sys.__excepthook__)
def f(): assert False, "asserted"
f()
"""


@pytest.mark.parametrize(
    "options",
    [["-X", "dev"], ["-W", "error"], ["-u"], ["-OO"], ["-P"], ["-I"], ["-bb", "-X", "utf8"]],
)
def test_interpreter_options_reach_the_program(options: list[str], tmp_path: Path) -> None:
    """Flags, warnings, streams, signals and hooks are as without the recorder."""
    write_files(tmp_path, {"main.py": SURROUNDINGS})
    plain = run_plain([*options, "main.py"], tmp_path)
    words = ["-m", "codetracer_core", "record", "-q", "-o", "out", "main.py"]
    recorded = run_plain([*options, *words], tmp_path)
    addresses = re.compile(rb"0x[0-9a-f]+")
    assert addresses.sub(b"", recorded.stdout) == addresses.sub(b"", plain.stdout)
    assert recorded.stderr == plain.stderr
    assert recorded.returncode == plain.returncode
