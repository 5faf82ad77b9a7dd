"""Processes that find the output folder of another one. Each test runs programs of its own."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

from integration.recording import run_plain
from naive import ct

if TYPE_CHECKING:
    from pathlib import Path

CHILD = """\
import codetracer_core, sys
with codetracer_core.trace("out") as session:
    child = len(sys.argv)
print(session.path.name, flush=True)
"""


def run(body: str, folder: Path) -> list[str]:
    """Run a program made of `body` beside the child; return the lines that were printed."""
    (folder / "child.py").write_text(CHILD)
    prelude = (
        "import codetracer_core, os, subprocess, sys\nrun_child = [sys.executable, 'child.py']\n"
    )
    (folder / "program.py").write_text(prelude + textwrap.dedent(body))
    done = run_plain(["program.py"], folder)
    assert done.stderr.decode() == ""
    assert done.returncode == 0
    return done.stdout.decode().splitlines()


def metadata(folder: Path) -> dict[str, object]:
    """What the trace in `folder` says of itself."""
    content = json.loads((folder / "trace_metadata.json").read_bytes())
    assert isinstance(content, dict)
    return content


def test_a_child_that_records_while_its_parent_does_gets_a_folder_inside(tmp_path: Path) -> None:
    """Both traces are there, each with its own program."""
    (name,) = run(
        """
        codetracer_core.start("out")
        subprocess.run(run_child, check=True)
        codetracer_core.stop()
        """,
        tmp_path,
    )
    assert name.isdigit()
    assert metadata(tmp_path / "out")["program"] == "program.py"
    assert metadata(tmp_path / "out" / name)["program"] == "child.py"
    assert len(ct.load(tmp_path / "out" / name / "trace.ct").steps) > 1


def test_a_child_does_not_replace_the_finished_trace_of_its_parent(tmp_path: Path) -> None:
    """Neither does a grandchild; the same process may."""
    printed = run(
        """
        for number in range(2):
            with codetracer_core.trace("out"):
                number = 1
        subprocess.run(run_child, check=True)
        subprocess.run(["/bin/sh", "-c", f'"{sys.executable}" child.py && true'], check=True)
        """,
        tmp_path,
    )
    assert metadata(tmp_path / "out")["program"] == "program.py"
    assert [metadata(tmp_path / "out" / name)["program"] for name in printed] == ["child.py"] * 2


def test_another_program_replaces_a_trace_whose_process_is_no_ancestor(tmp_path: Path) -> None:
    """Programs that run one after the other in a folder leave the trace of the last one."""
    run('with codetracer_core.trace("out"):\n    x = 1\n', tmp_path)
    (name,) = run("subprocess.run(run_child, check=True)\n", tmp_path)
    assert name == "out"
    assert metadata(tmp_path / "out")["program"] == "child.py"


def test_a_process_that_runs_another_program_keeps_what_it_recorded_before(tmp_path: Path) -> None:
    """After ``exec`` it is the same process, whose journal is complete up to there."""
    (name,) = run(
        """
        codetracer_core.start("out")
        os.execv(sys.executable, run_child)
        """,
        tmp_path,
    )
    assert metadata(tmp_path / "out" / name)["program"] == "child.py"
    (journal,) = (tmp_path / "out").glob("trace.*.ctj")
    assert journal.with_suffix(".ring").exists()


def test_a_forked_child_may_record_into_the_folder_of_its_parent(tmp_path: Path) -> None:
    """It gets a folder inside, and its parent's recording goes on."""
    (name,) = run(
        """
        codetracer_core.start("out")
        def work(who):
            return who
        pid = os.fork()
        if pid == 0:
            with codetracer_core.trace("out") as session:
                work("child")
            print(session.path.name, flush=True)
            os._exit(0)
        os.waitpid(pid, 0)
        work("parent")
        codetracer_core.stop()
        """,
        tmp_path,
    )
    for folder, who in ((tmp_path / "out", "parent"), (tmp_path / "out" / name, "child")):
        calls = ct.load(folder / "trace.ct").calls
        arguments = [dict(call["args"]) for call in calls if call["function"] == "work"]
        assert [argument["who"]["text"] for argument in arguments] == [who]


def test_processes_that_start_at_once_keep_their_traces_apart(tmp_path: Path) -> None:
    """Whoever comes second moves into a folder of its own; every process has a whole trace."""
    run(
        """
        children = [subprocess.Popen(run_child, stdout=subprocess.DEVNULL) for _ in range(8)]
        assert not any(child.wait() for child in children)
        """,
        tmp_path,
    )
    for folder in [path.parent for path in (tmp_path / "out").rglob("*.ctj")]:
        assert metadata(folder)["complete"] is True
        assert not list(folder.glob("*.ring"))
        assert len(list(folder.glob("trace.*.ctj"))) == 1


def test_the_command_names_the_folder_that_it_has_used(tmp_path: Path) -> None:
    """What it says how to show is its own trace."""
    printed = run(
        """
        codetracer_core.start("out")
        command = [sys.executable, "-m", "codetracer_core", "record", "-o", "out", "plain.py"]
        open("plain.py", "w").write("x = 1\\n")
        print(subprocess.run(command, check=True, capture_output=True, text=True).stderr.strip())
        """,
        tmp_path,
    )
    (name,) = [path.name for path in (tmp_path / "out").iterdir() if path.is_dir()]
    assert printed[0].endswith(f"codetracer-core show out/{name}")
