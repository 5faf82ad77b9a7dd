"""What a session leaves behind, in programs of their own."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

from core.recorder.support import NEEDS_MONITORING
from integration.recording import recorder, run_plain
from naive import ct

if TYPE_CHECKING:
    from pathlib import Path

PRELUDE = """\
import os, sys
from pathlib import Path
from codetracer_core import api
from codetracer_core.errors import RecorderError
from codetracer_core.session.bootstrap import TraceSessionBootstrap
from codetracer_core.session.output import OutputOptions

def record(policy=None, **options):
    output = OutputOptions(**options)
    return api.begin(TraceSessionBootstrap.prepare("out", output=output, policy=policy))

def work(n):
    return n + 1

def files():
    return sorted(path.name for path in Path("out").iterdir())
"""


def run(body: str, folder: Path) -> list[str]:
    """Run a program made of the prelude and `body`; return the lines it printed."""
    (folder / "program.py").write_text(PRELUDE + textwrap.dedent(body))
    done = run_plain(["program.py"], folder)
    assert done.stderr.decode() == ""
    assert done.returncode == 0
    return done.stdout.decode().splitlines()


def test_a_trace_for_later_is_only_a_sealed_journal(tmp_path: Path) -> None:
    """Stopping makes nothing; showing the folder makes the trace and has nothing to complain of."""
    printed = run(
        """
        session = record(materialise="later")
        work(1)
        finished = session.stop(exit_code=3)
        print(finished.path.suffix, finished.calls, finished.steps, finished.size > 0)
        print([Path(name).suffix for name in files()])
        """,
        tmp_path,
    )
    assert printed == [".ctj 1 2 True", "['.ctj']"]
    shown = recorder(["show", "out"], tmp_path)
    assert shown.stderr == b""
    assert b"work(n=1)" in shown.stdout
    metadata = json.loads((tmp_path / "out" / "trace_metadata.json").read_bytes())
    assert metadata["process_exit_status"] == {"code": 3, "label": None}
    assert metadata["complete"] is True


def test_a_journal_that_is_not_kept_goes_once_the_trace_is_there(tmp_path: Path) -> None:
    """The trace and what describes it stay."""
    printed = run(
        """
        session = record(keep_journal=False)
        work(1)
        print(session.stop().path.name, files())
        """,
        tmp_path,
    )
    assert printed == ["trace.ct ['trace.ct', 'trace_metadata.json', 'trace_paths.json']"]
    assert [call["function"] for call in ct.load(tmp_path / "out" / "trace.ct").calls][1:] == [
        "work"
    ]


def test_a_journal_stays_when_the_trace_cannot_be_made(tmp_path: Path) -> None:
    """Not keeping it is for sessions that have a trace."""
    printed = run(
        """
        session = record(keep_journal=False)
        os.mkdir("out/trace.ct")
        try:
            session.stop()
        except RecorderError as error:
            print(error.code, any(name.endswith(".ctj") for name in files()))
        """,
        tmp_path,
    )
    assert printed == ["ERR_IO True"]


def test_a_trace_in_json_is_an_array_of_events(tmp_path: Path) -> None:
    """The container that it is made from does not stay; the journal does."""
    printed = run(
        """
        session = record(format="json")
        work(1)
        print(session.stop().path.name, session.format)
        print([name for name in files() if not name.endswith(".ctj")])
        with record(format="json", keep_journal=False):
            work(2)
        print(files())
        """,
        tmp_path,
    )
    names = "['trace.json', 'trace_metadata.json', 'trace_paths.json']"
    assert printed == ["trace.json json", names, names]
    events = json.loads((tmp_path / "out" / "trace.json").read_bytes())
    functions = [event["Function"]["name"] for event in events if "Function" in event]
    assert "work" in functions


@NEEDS_MONITORING
def test_a_partial_trace_that_is_not_to_be_kept_leaves_no_file(tmp_path: Path) -> None:
    """What others have put into the folder stays, and the session says why it ended."""
    printed = run(
        """
        os.mkdir("out")
        Path("out/notes.txt").touch()
        session = record(policy={"keep_partial_trace": False, "log_file": "log"})
        work(1)
        sys.monitoring.free_tool_id(5)
        def unknown():
            return 2
        unknown()
        finished = session.stop()
        print(finished.path, finished.failure.code, files())
        """,
        tmp_path,
    )
    assert printed == ["None ERR_TOOL_ID_LOST ['notes.txt']"]
