"""Programs behave under the recorder as under ``python``: output, errors and exit status."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from integration.record_programs import PROGRAMS, RecordedProgram
from integration.recording import (
    RECORDER,
    auto_record,
    record,
    recorder,
    run_plain,
    with_auto_start,
    write_files,
)
from naive import ct


def compare(
    program: RecordedProgram, folder: Path, out_dir: Path
) -> subprocess.CompletedProcess[bytes]:
    """Run `program` in `folder` plainly, by the command, and told by its environment to record.

    Fails unless it behaves the same each time. The command records into `out_dir`, the environment
    into ``auto`` beside it. Returns how it behaved.
    """
    folder.mkdir(exist_ok=True)
    write_files(folder, {"main.py": program.source, **program.files})
    environment = with_auto_start(folder)
    plain = run_plain(program.words, folder, program.stdin, environment)
    for recorded in (
        record(program.words, folder, out_dir, program.stdin, environment),
        auto_record(program.words, folder, out_dir.with_name("auto"), program.stdin),
    ):
        assert recorded.stdout == plain.stdout
        assert recorded.stderr == plain.stderr
        assert recorded.returncode == plain.returncode
    if program.status is not None:
        assert plain.returncode == program.status
    return plain


def balanced(trace: ct.Trace) -> bool:
    """Whether every call lies inside its parent, and no step outside of a call."""
    calls = trace.calls
    for call in calls[1:]:
        parent = calls[call["parent"]]
        if not parent["first"] <= call["first"] <= call["last"]:
            return False
        if call["last"] > parent["last"] or call["depth"] != parent["depth"] + 1:
            return False
    return (calls[0]["first"], calls[0]["last"]) == (0, len(trace.steps) - 1)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_behaves_the_same_recorded(name: str, tmp_path: Path) -> None:
    """Output, errors and exit status are equal to the byte, and a whole trace is left."""
    program = PROGRAMS[name]
    out_dir, auto_dir = tmp_path / "out", tmp_path / "auto"
    behaved = compare(program, tmp_path / "program", out_dir)
    assert list(out_dir.glob("trace.*.ctj"))
    # What does not compile never starts, so there is nothing to begin a session with.
    assert not program.traced or list(auto_dir.glob("trace.*.ctj"))
    if not program.finished:
        return
    metadata = json.loads((out_dir / "trace_metadata.json").read_text())
    status = metadata["process_exit_status"]
    if behaved.returncode < 0:
        assert status == {"code": None, "label": "<SIGINT>"}
    elif behaved.returncode != 120:
        assert status["code"] == behaved.returncode or "hook" in name
    for folder in (out_dir, auto_dir) if program.traced else (out_dir,):
        trace = ct.load(folder / "trace.ct")
        assert (trace.calls[1:] != []) == program.traced
        assert balanced(trace)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_program_without_standard_streams_behaves_the_same_recorded(
    closed: str, tmp_path: Path
) -> None:
    """It finds None in their place, its files get their descriptors, and no line of ours."""
    source = (
        "import os, sys\n"
        "with open('found', 'w') as found:\n"
        "    print(found.fileno(), sys.stdin, sys.stdout, sys.stderr, file=found)\n"
        "    print('out')\n"
        "    1 / 0\n"
    )
    ways = {
        "plain": shlex.join([sys.executable, "main.py"]),
        "record": shlex.join([str(RECORDER), "record", "-o", str(tmp_path / "out"), "main.py"]),
        "auto": f"CODETRACER_TRACE={tmp_path}/auto {shlex.join([sys.executable, 'main.py'])}",
    }
    behaved = {}
    for way, command in ways.items():
        write_files(tmp_path / "program", {"main.py": source})
        done = subprocess.run(
            ["/bin/sh", "-c", f"{command} {closed}"],
            cwd=tmp_path / "program",
            env=os.environ | with_auto_start(tmp_path / "program"),
            capture_output=True,
            check=False,
        )
        errors = [line for line in done.stderr.splitlines() if b"codetracer-core show" not in line]
        found = (tmp_path / "program" / "found").read_text().partition("<_io")
        behaved[way] = done.returncode, done.stdout, errors, found[0], "None" in found[2]
    assert behaved["record"] == behaved["auto"] == behaved["plain"]
    assert (tmp_path / "out" / "trace.ct").exists()
    assert (tmp_path / "auto" / "trace.ct").exists()


def test_interrupts_reach_programs_where_the_tests_were_started_without_them() -> None:
    """A shell's background job, ``nohup`` and some CI systems ignore SIGINT, which is inherited."""
    tests = Path(__file__).parents[1]
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "interrupted and signal"]
    command = shlex.join([sys.executable, *words, __file__])
    subprocess.run(
        ["/bin/sh", "-c", f"trap '' INT; {command}"],
        cwd=tests.parent,
        env=os.environ | {"PYTHONPATH": os.fspath(tests)},
        stdout=subprocess.DEVNULL,
        check=True,
    )


def test_a_zip_file_behaves_the_same_recorded(tmp_path: Path) -> None:
    """A zip file with a main module is run from inside the archive."""
    folder = tmp_path / "program"
    folder.mkdir()
    with zipfile.ZipFile(folder / "app.zip", "w") as archive:
        archive.writestr("__main__.py", "import sys, inner\nprint(sys.argv, __file__)\n")
        archive.writestr("inner.py", "print(__name__)\n")
    compare(RecordedProgram("", words=("app.zip", "x")), folder, tmp_path / "out")


def test_a_compiled_script_behaves_the_same_recorded(tmp_path: Path) -> None:
    """A .pyc file runs as the main module, with no frame of the recorder in its traceback."""
    import py_compile

    folder = tmp_path / "program"
    write_files(folder, {"source.py": "print(__file__, __loader__)\n1 / 0\n"})
    py_compile.compile(str(folder / "source.py"), cfile=str(folder / "main.pyc"))
    program = RecordedProgram("", words=("main.pyc",))
    recorded = record(program.words, folder, tmp_path / "out")
    plain = run_plain(program.words, folder)
    hide_address = b"object at 0x"
    assert recorded.stdout.partition(hide_address)[0] == plain.stdout.partition(hide_address)[0]
    assert recorded.stderr == plain.stderr
    assert recorded.returncode == plain.returncode == 1


def test_the_package_run_as_a_module_is_the_same_command(tmp_path: Path) -> None:
    """``python -m codetracer_core record`` gives the program the same surroundings and status."""
    source = "import sys\nprint(sys.argv, sys.path[0], sys.orig_argv)\nraise KeyboardInterrupt\n"
    write_files(tmp_path / "program", {"main.py": source})
    plain = run_plain(["main.py", "a"], tmp_path / "program")
    words = ["-m", "codetracer_core", "record", "-q", "-o", str(tmp_path / "out"), "main.py", "a"]
    recorded = run_plain(words, tmp_path / "program")
    assert recorded.stdout == plain.stdout
    assert recorded.stderr == plain.stderr
    assert recorded.returncode == plain.returncode == -2


def test_run_as_a_module_the_recorder_imports_nothing_from_the_working_directory(
    tmp_path: Path,
) -> None:
    """There, too, modules beside the script are the program's alone."""
    program = PROGRAMS["modules of the program that are named like the standard library's"]
    write_files(tmp_path, {"main.py": program.source, **program.files})
    plain = run_plain(["main.py"], tmp_path)
    words = ["-m", "codetracer_core", "record", "-q", "-o", "out", "main.py"]
    recorded = run_plain(words, tmp_path)
    assert recorded.stdout == plain.stdout
    assert recorded.stderr == plain.stderr == b""


def test_interpreter_options_stay_in_force(tmp_path: Path) -> None:
    """Options before the command reach the program's flags and its restated command line."""
    source = "import sys\nprint(sys.flags, sys.orig_argv, sys.warnoptions, len(sys.path))\n"
    write_files(tmp_path / "program", {"main.py": source})
    options = ["-O", "-W", "error::UserWarning", "-X", "utf8"]
    plain = run_plain([*options, "main.py"], tmp_path / "program")
    words = ["-m", "codetracer_core", "record", "-q", "-o", str(tmp_path / "out"), "main.py"]
    recorded = run_plain([*options, *words], tmp_path / "program")
    assert recorded.stdout == plain.stdout
    assert recorded.stderr == plain.stderr


def test_the_closing_line_comes_last_and_can_be_silenced(tmp_path: Path) -> None:
    """One line on standard error says how much was recorded, where it is and how to see it."""
    write_files(tmp_path, {"main.py": "import sys\nx = 1\nsys.exit('bye')\n"})
    recorded = recorder(["record", "-o", "my out", "main.py"], tmp_path)
    bye, summary = recorded.stderr.decode().splitlines()
    assert bye == "bye"
    assert summary.startswith("codetracer-core: ")
    assert " steps, 1 call, " in summary
    assert str(tmp_path / "my out" / "trace.ct") in summary
    assert summary.endswith("codetracer-core show 'my out'")
    assert record(["main.py"], tmp_path, tmp_path / "out").stderr == b"bye\n"


def test_the_closing_line_names_the_rule_that_skipped_the_program(tmp_path: Path) -> None:
    """When the main script was skipped, its rule is named with file, line and selector."""
    rules = (
        '[meta]\nname = "none"\nversion = 1\n'
        '[scope]\ndefault_exec = "inherit"\ndefault_value_action = "inherit"\n'
        '[[scope.rules]]\nselector = "file:**/main.py"\nexec = "skip"\nreason = "not mine"\n'
    )
    write_files(tmp_path, {"main.py": "x = 1\n", "none.toml": rules})
    recorded = recorder(["record", "--trace-filter", "none.toml", "main.py"], tmp_path)
    assert recorded.returncode == 0
    (line,) = recorded.stderr.decode().splitlines()
    assert "nothing was recorded: main.py is skipped by" in line
    assert f"{tmp_path / 'none.toml'}:7" in line
    assert "file:**/main.py" in line
    assert "not mine" in line


def test_the_closing_line_says_that_nothing_was_recorded(tmp_path: Path) -> None:
    """A command that does not compile has no step."""
    recorded = recorder(["record", "-c", "x = ("], tmp_path)
    line = recorded.stderr.decode().splitlines()[-1]
    assert "nothing was recorded: no code ran" in line


def test_a_program_may_stop_its_own_session(tmp_path: Path) -> None:
    """It finds itself recorded, and what came before its stop is in the trace."""
    source = (
        "import codetracer_core\nprint(codetracer_core.is_tracing())\ncodetracer_core.stop()\n"
        "print(codetracer_core.is_tracing())\ny = 1\n"
    )
    write_files(tmp_path, {"main.py": source})
    recorded = recorder(["record", "-o", "out", "main.py"], tmp_path)
    assert recorded.stdout == b"True\nFalse\n"
    assert recorded.returncode == 0
    (line,) = recorded.stderr.decode().splitlines()
    assert " 1 call, " in line
    assert max(step["line"] for step in ct.load(tmp_path / "out" / "trace.ct").steps) == 3


def test_nothing_but_ours_is_imported_before_the_program(tmp_path: Path) -> None:
    """The program finds no standard library module imported that ``python`` would not import."""
    source = (
        "import sys\n"
        "names = [n for n, m in sys.modules.items() if getattr(m, '__file__', None)]\n"
        "print(*sorted(n for n in names if n.partition('.')[0] in sys.stdlib_module_names))\n"
    )
    write_files(tmp_path, {"main.py": source})
    plain = set(run_plain(["main.py"], tmp_path).stdout.split())
    recorded = set(record(["main.py"], tmp_path, tmp_path / "out").stdout.split())
    assert plain <= recorded
    more = {name for name in recorded - plain if _is_python(name.decode())}
    # Codecs stay registered, and importlib is part of the interpreter's own machinery.
    assert more <= {b"encodings.ascii", b"importlib", b"importlib._abc"}


def _is_python(name: str) -> bool:
    from importlib.util import find_spec

    spec = find_spec(name)
    return spec is not None and (spec.origin or "").endswith(".py")
