"""What a trace says about its program."""

from __future__ import annotations

import json
import os
import sys
from types import ModuleType

import pytest

import codetracer_core
from codetracer_core.session.metadata import collect_metadata, main_script_of, storable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


def test_the_program_is_the_first_word_and_the_rest_are_arguments() -> None:
    """``sys.argv`` is divided as everybody reads it."""
    metadata = collect_metadata(["app.py", "-x", ""], "/src/app.py")
    assert metadata.program == "app.py"
    assert metadata.args == ("-x", "")
    assert metadata.main_script == "/src/app.py"
    assert metadata.workdir == os.getcwd()


def test_the_current_command_line_is_used_when_none_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A session that the program starts itself describes that program."""
    monkeypatch.setattr(sys, "argv", ["me", "a"])
    metadata = collect_metadata()
    assert (metadata.program, metadata.args) == ("me", ("a",))


@pytest.mark.parametrize("argv", [[], None, [3, b"x"]])
def test_a_command_line_that_the_program_spoilt_is_unknown(
    argv: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever stands in ``sys.argv``, the metadata can be made."""
    monkeypatch.setattr(sys, "argv", argv)
    metadata = collect_metadata(argv=[] if argv is None else None)
    assert metadata.program == "<unknown>"
    assert metadata.args == ()


def test_a_removed_working_directory_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program whose directory was deleted can be recorded."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert collect_metadata(["a"]).workdir == "<unknown>"


def test_undecodable_arguments_are_spelt_as_escapes() -> None:
    """Bytes that are no text stay recognisable, and the metadata is valid JSON in UTF-8."""
    metadata = collect_metadata(["a", os.fsdecode(b"\xe9x")])
    assert metadata.args == ("\\udce9x",)
    json.dumps(metadata.as_journal([]), ensure_ascii=False).encode("utf-8")


def test_ordinary_text_is_stored_as_it_is() -> None:
    """Only lone surrogates are changed."""
    assert storable("naïve 🙂\n") == "naïve 🙂\n"


def test_the_journal_gets_program_interpreter_recorder_and_filters() -> None:
    """Everything that a reader needs to tell what was recorded by what."""
    frame = collect_metadata(["a.py"], "/a.py").as_journal([{"name": "mine", "version": 1}])
    assert frame["program"] == "a.py"
    assert frame["main_script"] == "/a.py"
    assert frame["recorder"] == {"name": "codetracer-core", "version": codetracer_core.__version__}
    assert frame["trace_filter"] == {"filters": [{"name": "mine", "version": 1}]}
    assert frame["pid"] == os.getpid()
    interpreter = frame["interpreter"]
    assert isinstance(interpreter, dict)
    assert interpreter["implementation"] == "cpython"
    assert interpreter["version"] == ".".join(map(str, sys.version_info[:3]))


def test_the_main_script_is_the_absolute_file_of_the_main_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Main modules without a file, and files that are no text, have none."""
    monkeypatch.chdir(tmp_path)
    module = ModuleType("__main__")
    assert main_script_of(module) is None
    assert main_script_of(None) is None
    module.__file__ = "x.py"
    assert main_script_of(module) == str(tmp_path / "x.py")
