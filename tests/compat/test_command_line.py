"""``python -m codetracer_python_recorder``: the same command lines do the same with both."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from codetracer_core.compat import FOLDER
from codetracer_core.ctfs.reader import Trace
from event_array import EventArray
from reference_wheel import MODULE, run_compatible, run_reference

SCRIPT = """\
import sys
print(sys.argv[1:])
def leave(how):
    if how == "number":
        sys.exit(3)
    if how == "raise":
        raise ValueError("end")
leave(sys.argv[1] if len(sys.argv) > 1 else "")
print("end")
"""

FILTER = """\
[meta]
name = "mine"
version = 1
[scope]
default_exec = "trace"
default_value_action = "allow"
[[scope.rules]]
selector = "obj:*.leave"
exec = "skip"
"""

LINES = {
    "plain": ["app.py"],
    "format, folder and arguments": ["--trace-dir", "out", "--format", "json", "app.py", "a", "-b"],
    "options after the script": ["app.py", "a", "--trace-dir=out", "--format", "JSON", "b"],
    "separator before and after the script": ["--", "app.py", "--", "--format", "json"],
    "unknown options belong to the script": ["app.py", "--verbose", "--log-levels", "x"],
    "a status is kept back": ["app.py", "number"],
    "a status is passed on": ["--propagate-script-exit", "app.py", "number"],
    "a status is not passed on": ["--no-propagate-script-exit", "app.py", "number"],
    "an exception": ["app.py", "raise"],
    "an exception, passed on": ["--propagate-script-exit", "app.py", "raise"],
    "all of the policy": [
        "--on-recorder-error",
        "disable",
        "--require-trace",
        "--keep-partial-trace",
        "--log-level",
        "warn",
        "--log-file",
        "log.txt",
        "--json-errors",
        "--io-capture",
        "off",
        "--no-module-name-from-globals",
        "app.py",
    ],
    "filters": ["--trace-filter", "mine.toml", "--trace-filter", "a.toml::b.toml", "app.py"],
    "an activation file": ["--activation-path", "app.py", "app.py"],
    "no script": [],
    "a missing script": ["absent.py"],
    "an unknown format": ["--format", "yaml", "app.py"],
    "an unknown option before the script": ["--bogus", "app.py"],
    "a missing filter": ["--trace-filter", "absent.toml", "app.py"],
    "an unknown policy": ["--on-recorder-error", "explode", "app.py"],
}


def prepared(folder: Path) -> Path:
    """`folder`, made, with the script and the filter in it."""
    folder.mkdir(exist_ok=True)
    (folder / "app.py").write_text(SCRIPT, encoding="utf-8")
    for name in ("mine.toml", "a.toml", "b.toml"):
        (folder / name).write_text(FILTER, encoding="utf-8")
    return folder


@pytest.mark.parametrize("what", sorted(LINES))
def test_a_command_line_does_the_same_with_both(what: str, tmp_path: Path) -> None:
    """Output, exit status, and what the metadata say about the program and its end are equal."""
    seen = []
    for run in (run_reference, run_compatible):
        folder = prepared(tmp_path / run.__name__)
        result = run(["-m", MODULE, *LINES[what]], folder, status=None)
        found = sorted(folder.rglob("trace_metadata.json"))
        facts = {
            "status": result.returncode,
            "stdout": result.stdout,
            "complains": bool(result.stderr),
            "metadata": [str(path.relative_to(folder)) for path in found],
        }
        for path in found:
            metadata = json.loads(path.read_bytes())
            recorder = metadata.get("recorder", {})
            facts |= {key: metadata[key] for key in ("args", "process_exit_status")}
            facts["program"] = Path(metadata["program"]).relative_to(folder)
            facts["filters"] = [
                Path(entry["path"]).name for entry in metadata["trace_filter"]["filters"]
            ]
            if what not in ("an exception", "an exception, passed on"):
                facts["recorder"] = recorder["name"]
                facts["target"] = Path(recorder["target_script"]).relative_to(folder)
            facts["json"] = (path.parent / "trace.json").exists()
        seen.append(facts)
    assert seen[1] == seen[0]


def ours(
    folder: Path, *words: str | Path, status: int = 0, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run our command line in `folder`."""
    return run_compatible(["-m", MODULE, *words], folder, environ=environ, status=status)


def test_the_folder_has_its_newer_name_and_variable(tmp_path: Path) -> None:
    """--out-dir, -o and the variable name the folder of a trace, the option being stronger."""
    folder = prepared(tmp_path)
    ours(folder, "--out-dir", "one", "app.py")
    ours(folder, "-o", "two", "app.py", CODETRACER_PYTHON_RECORDER_OUT_DIR="three")
    ours(folder, "app.py", CODETRACER_PYTHON_RECORDER_OUT_DIR="three")
    assert [(folder / name / "trace.ct").exists() for name in ("one", "two", "three")] == [True] * 3


def test_recording_can_be_switched_off(tmp_path: Path) -> None:
    """With the variable set the script runs unrecorded, with a notice and its own status."""
    folder = prepared(tmp_path)
    environ = {"CODETRACER_PYTHON_RECORDER_DISABLED": "1"}
    result = ours(folder, "app.py", "number", status=3, **environ)
    assert result.stdout == "['number']\n"
    assert "CODETRACER_PYTHON_RECORDER_DISABLED" in result.stderr
    assert not (folder / "trace-out").exists()


def test_pytest_is_run_with_everything_behind_it(tmp_path: Path) -> None:
    """--pytest records the tests that the rest of the line names."""
    (tmp_path / "test_it.py").write_text("def test_it():\n    assert 1 + 1 == 2\n")
    words = ["--pytest", "-q", "-p", "no:cacheprovider", "test_it.py"]
    assert "1 passed" in ours(tmp_path, *words, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1").stdout
    with Trace(tmp_path / "trace-out" / "trace.ct") as trace:
        assert "test_it" in list(trace.functions)
    metadata = json.loads((tmp_path / "trace-out" / "trace_metadata.json").read_bytes())
    assert metadata["recorder"]["test_framework"] == "pytest"


def test_unittest_is_run_with_everything_behind_it(tmp_path: Path) -> None:
    """--unittest records the tests that the rest of the line names; their failure is its status."""
    (tmp_path / "test_it.py").write_text(
        "import unittest\nclass It(unittest.TestCase):\n"
        "    def test_it(self):\n        self.fail()\n"
    )
    words = ["--propagate-script-exit", "--format", "json", "--unittest", "-q", "test_it"]
    ours(tmp_path, *words, status=1)
    array = EventArray.read(tmp_path / "trace-out" / "trace.json")
    assert "It.test_it" in [item[1] for item in array.flow if item[0] == "call"]


def test_a_framework_without_arguments_is_refused(tmp_path: Path) -> None:
    """--pytest and --unittest need something to run."""
    for word in ("--pytest", "--unittest"):
        assert word in ours(tmp_path, word, status=2).stderr


def test_a_script_finds_the_modules_beside_it(tmp_path: Path) -> None:
    """The script's folder is on the import path, whatever the working directory is."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "helper.py").write_text("name = 'helped'\n")
    (folder / "main.py").write_text("import helper\nprint(helper.name)\n")
    assert ours(tmp_path, "app/main.py").stdout == "helped\n"


def test_the_traceback_shows_the_script_alone(tmp_path: Path) -> None:
    """An exception's traceback is that of plain python."""
    folder = prepared(tmp_path)
    plain = subprocess.run(
        [sys.executable, folder / "app.py", "raise"], capture_output=True, text=True, check=False
    )
    assert ours(folder, "app.py", "raise", status=1).stderr == plain.stderr


def test_the_message_of_an_exit_is_printed(tmp_path: Path) -> None:
    """sys.exit with a text prints it and is the status 1."""
    (tmp_path / "app.py").write_text("raise SystemExit('that is all')\n")
    result = ours(tmp_path, "--propagate-script-exit", "app.py", status=1)
    assert result.stderr == "that is all\n"


def test_a_trace_that_either_wrote_is_replaced(tmp_path: Path) -> None:
    """A folder with a trace of the package of PyPI takes one of ours, and then another one."""
    folder = prepared(tmp_path)
    run_reference(["-m", MODULE, "--format", "json", "app.py", "old"], folder)
    for name in ("new", "newer"):
        ours(folder, "--format", "json", "app.py", name)
        metadata = json.loads((folder / "trace-out" / "trace_metadata.json").read_bytes())
        assert metadata["args"] == [name]


def test_main_can_be_called_in_a_program(tmp_path: Path) -> None:
    """main(argv) returns the status and gives back sys.argv, sys.path and the main module."""
    folder = prepared(tmp_path)
    (folder / "caller.py").write_text(
        "import sys\nfrom codetracer_python_recorder.cli import main\n"
        "before = sys.argv, list(sys.path), sys.modules['__main__']\n"
        "print(main(['--format', 'json', '--propagate-script-exit', 'app.py', 'number']))\n"
        "print((sys.argv, sys.path, sys.modules['__main__']) == before)\n"
    )
    result = run_compatible(["caller.py"], folder)
    assert result.stdout == "['number']\n3\nTrue\n"
    array = EventArray.read(folder / "trace-out" / "trace.json")
    assert [item[1] for item in array.flow if item[0] == "call"] == [
        "<toplevel>",
        "<__main__>",
        "leave",
    ]


def test_the_command_tells_the_folder_for_the_import_path(tmp_path: Path) -> None:
    """compat-path prints the folder that makes the package's name mean ours, and nothing else."""
    words = [sys.executable, "-m", "codetracer_core", "compat-path"]
    result = subprocess.run(words, capture_output=True, text=True, check=True)
    assert result.stdout == f"{FOLDER}\n"
    assert sorted(path.name for path in Path(FOLDER).iterdir() if path.name != "__pycache__") == [
        "__init__.py",
        MODULE,
    ]
    refused = subprocess.run([*words, "x"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "ERR_COMMAND_LINE" in refused.stderr
