"""Settings of a project: where they are looked for, and what is wrong with them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codetracer_core.errors import EnvironmentError_, RecorderError, UsageError
from codetracer_core.session.bootstrap import TraceSessionBootstrap
from codetracer_core.session.project import project_settings
from codetracer_policy import RecorderPolicy, configure_policy, reset_policy


@pytest.fixture(autouse=True)
def _fresh_policy() -> Iterator[None]:
    reset_policy()
    yield
    reset_policy()


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program two folders below the project's file."""
    path = tmp_path / "src" / "app" / "main.py"
    path.parent.mkdir(parents=True)
    path.write_text("print('ran')\n")
    return path


def write(folder: Path, text: str) -> Path:
    path = folder / "pyproject.toml"
    path.write_text(text)
    return path


def policy_of(program: Path, **arguments: object) -> RecorderPolicy:
    """The policy of a session of `program` that the environment says nothing about."""
    bootstrap = TraceSessionBootstrap.prepare(
        program.parent / "out",
        argv=[str(program)],
        **{"policy_environ": {}, **arguments},  # type: ignore[arg-type]
    )
    return bootstrap.policy


def test_the_nearest_file_above_the_program_gives_the_settings(
    tmp_path: Path, program: Path
) -> None:
    """A session has the settings of its project, and knows which file they came from."""
    path = write(tmp_path, "[tool.codetracer]\nmax_items = 7\nmax_value = '64KiB'\n")
    policy = policy_of(program)
    assert (policy.limits.max_items, policy.limits.max_value) == (7, 65536)
    assert str(policy.origin("max_items")) == f"file {path}"


def test_a_nearer_file_without_the_table_ends_the_search(tmp_path: Path, program: Path) -> None:
    """A project inside another one does not get the settings of the outer one."""
    write(tmp_path, "[tool.codetracer]\nmax_items = 7\n")
    write(program.parent, "[project]\nname = 'inner'\n")
    assert project_settings(str(program)) is None


def test_code_without_a_file_belongs_to_the_working_directory(
    tmp_path: Path, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands given by ``-c`` are looked up from where they are run."""
    path = write(tmp_path, "[tool.codetracer]\njson_errors = true\n")
    monkeypatch.chdir(program.parent)
    found = project_settings("-c")
    assert found is not None
    assert (found.values, found.detail) == ({"json_errors": True}, str(path))


def test_a_relative_log_file_stands_beside_the_settings(tmp_path: Path, program: Path) -> None:
    """Where a project logs does not depend on where its programs are started."""
    write(tmp_path, "[tool.codetracer]\nlog_file = 'logs/recorder.log'\n")
    assert policy_of(program).log_file == str(tmp_path / "logs" / "recorder.log")


def test_precedence_of_the_file(tmp_path: Path, program: Path) -> None:
    """The file is stronger than the defaults and weaker than whatever the session is told."""
    write(
        tmp_path,
        "[tool.codetracer]\nmax_step = 20000\nmax_items = 20\nmax_text = 20\nmax_depth = 2\n",
    )
    configure_policy(max_items=30, max_text=30, max_depth=3)
    environ = {"CODETRACER_MAX_TEXT": "40", "CODETRACER_MAX_DEPTH": "4"}
    limits = policy_of(program, policy={"max_depth": 5}, policy_environ=environ).limits
    found = (limits.max_value, limits.max_step, limits.max_items, limits.max_text, limits.max_depth)
    assert found == (16384, 20000, 30, 40, 5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "this is no TOML",
        "[project]\nname = 'codetracer-demo'\n",
        "[tool.black]\nline-length = 100 # codetracer\n",
        "[tool.codetracer]\n",
        "tool = 3 # codetracer\n",
    ],
)
def test_a_file_that_says_nothing_to_us_is_no_mistake(
    text: str, tmp_path: Path, program: Path
) -> None:
    """Without settings in it, a file changes nothing, whatever else is in it."""
    write(tmp_path, text)
    assert project_settings(str(program)) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[tool.codetracer]\nmax_items = \n", "line 2, column 13"),
        ("[tool.codetracer]\nmax_items = 1\nmax_items = 2\n", "line 3"),
        ("tool.codetracer = 3\n", "tool.codetracer is not a table"),
        ("tool.codetracer = " + "[" * 5000, "nested too deeply"),
        ("[tool.codetracer]\nlog_file = '\udcff'\n", "byte 30 is not UTF-8"),
        ("[tool.codetracer]\nmax_items = " + "9" * 5000, "Exceeds the limit"),
    ],
)
def test_a_file_that_cannot_be_parsed_is_named(
    text: str, problem: str, tmp_path: Path, program: Path
) -> None:
    """When a file that speaks of us is no TOML, the error says where."""
    path = tmp_path / "pyproject.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match="the settings of the project") as caught:
        project_settings(str(program))
    assert caught.value.code == "ERR_PROJECT_SYNTAX"
    assert caught.value.context == {"path": str(path)}
    assert problem in caught.value.message


@given(st.binary(max_size=200), st.booleans())
@example(b"[tool.codetracer]\nmax_items = 0x" + b"f" * 5000, False)
def test_any_file_gives_a_policy_or_an_error_of_ours(content: bytes, in_the_table: bool) -> None:
    """Whatever stands in a project's file, all that comes of it is a usage error."""
    head = b"[tool.codetracer]\n" if in_the_table else b"# codetracer\n"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pyproject.toml").write_bytes(head + content)
        try:
            policy_of(Path(folder, "main.py"))
        except RecorderError as error:
            assert error.code != "ERR_UNKNOWN"
            assert error.kind == "Usage"


def test_wrong_settings_name_file_key_and_nearest_name(tmp_path: Path, program: Path) -> None:
    """Every wrong name and value of the file is told at once, each with the file and a remedy."""
    path = write(tmp_path, "[tool.codetracer]\nmax-items = 3\njson_errors = 'on'\nmax_depth = 99\n")
    with pytest.raises(UsageError) as caught:
        policy_of(program)
    message = caught.value.message
    assert f"max-items ({path}): there is no such setting; did you mean max_items?" in message
    assert f"json_errors ({path}): str is not allowed; use true or false" in message
    assert f"max_depth ({path}): 99 is out of range" in message


def test_a_file_that_cannot_be_used_is_an_error_of_the_machine(
    tmp_path: Path, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings that are there and cannot be read are not left out silently."""
    path = write(tmp_path, "# codetracer" + " " * 2**20)
    with pytest.raises(EnvironmentError_, match="1 MiB"):
        project_settings(str(program))
    path.unlink()
    path.symlink_to("/proc/self/mem")  # a regular file whose first bytes nobody can read
    with pytest.raises(EnvironmentError_, match="cannot be read") as caught:
        project_settings(str(program))
    assert caught.value.code == "ERR_PROJECT_UNREADABLE"
    assert caught.value.context == {"path": str(path)}


def test_what_only_has_the_name_is_passed_over(tmp_path: Path, program: Path) -> None:
    """A folder or a pipe of that name is no project's file."""
    write(tmp_path, "[tool.codetracer]\nmax_items = 7\n")
    (program.parent / "pyproject.toml").mkdir()
    os.mkfifo(program.parent.parent / "pyproject.toml")
    assert policy_of(program).limits.max_items == 7


def test_the_command_obeys_the_project(tmp_path: Path, program: Path) -> None:
    """A mistake in the project's file ends ``record`` with status 2 before the program starts."""
    path = write(tmp_path, "[tool.codetracer]\nrequire_tracee = true\n")
    recorder = [sys.executable, "-m", "codetracer_core", "record", "-o"]
    environ = {name: value for name, value in os.environ.items() if "CODETRACER" not in name}
    done = subprocess.run(
        [*recorder, tmp_path / "out", program],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("codetracer-core: error: [ERR_UNKNOWN_POLICY_KEY]")
    assert f"require_tracee ({path})" in done.stderr
    assert "did you mean require_trace?" in done.stderr
    assert not (tmp_path / "out").exists()
