"""Tests of code that is in no file, and of files that change while the program runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from integration.recording import RECORDER, record, recorder, write_files

REGISTERED = """\
import linecache

def make(name, source, known):
    if known:
        linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    namespace = {"__name__": "made"}
    exec(compile(source, name, "exec"), namespace)
    return namespace["made"]

source = "def made(a):\\n    b = a * 2\\n    return b\\n"
make("<made 1>", source, True)(4)
make("<made 2>", source, False)(5)
make("<made 3>", source, True)(7)
make("<made 3>", "def made(a):\\n    return a\\n", True)(8)
make("<string>", source, False)(6)
eval("[len(word) for word in ()]")
"""


def shown(folder: Path, *words: str) -> list[str]:
    """The lines that ``show`` prints, without indent; nothing may be on standard error."""
    done = recorder(["show", *words, "out"], folder)
    assert (done.returncode, done.stderr) == (0, b"")
    return [line.strip() for line in done.stdout.decode().splitlines()]


def metadata(folder: Path) -> dict[str, dict[str, object]]:
    """What the trace's metadata say of its sources, by path."""
    document = json.loads((folder / "out" / "trace_metadata.json").read_bytes())
    return {source["path"]: source for source in document["sources"]}


@pytest.mark.parametrize("wait", ["", "import time; time.sleep(2.5)\n"])
def test_a_source_that_changes_after_a_kill_is_told_apart(wait: str, tmp_path: Path) -> None:
    """Whether what was known of it had reached the journal or not; others are not suspected."""
    text = f"import os, part\npart.made(1)\n{wait}os.kill(os.getpid(), 9)\n"
    part = "def made(number):\n    return number\n"
    write_files(tmp_path, {"main.py": text, "part.py": part})
    assert record(["main.py"], tmp_path, tmp_path / "out").returncode == -9
    (tmp_path / "part.py").write_text(f"\n{part}")
    assert recorder(["recover", "out"], tmp_path).returncode == 0
    found = metadata(tmp_path)
    assert found[str(tmp_path / "part.py")]["changed"] is True
    assert "changed" not in found[str(tmp_path / "main.py")]


def test_code_whose_source_is_in_linecache_is_recorded_with_it(tmp_path: Path) -> None:
    """Other code in no file is skipped, whatever its name; a name that had two sources is told."""
    write_files(tmp_path, {"main.py": REGISTERED})
    assert record(["main.py"], tmp_path, tmp_path / "out").returncode == 0
    calls = [line.split("  [")[0] for line in shown(tmp_path, "--calls")]
    assert calls == [
        *("<toplevel> -> 0", "<__main__> -> None"),
        *[line for line in calls if line.startswith("make(")][:1],
        *("<made> -> None", "made(a=4) -> 8"),
        *[line for line in calls if line.startswith("make(")][1:3],
        *("<made> -> None", "made(a=7) -> 14"),
        *[line for line in calls if line.startswith("make(")][3:4],
        *("<made> -> None", "made(a=8) -> 8"),
        *[line for line in calls if line.startswith("make(")][4:],
    ]
    assert "3 |     return b" in [line.split(" ", 1)[-1].strip() for line in shown(tmp_path)]
    assert metadata(tmp_path)["<made 1>"]["text"] == "def made(a):\n    b = a * 2\n    return b\n"
    names = {str(tmp_path / "main.py"), "<made 1>", "<made 3>"}
    assert set(metadata(tmp_path)) == names
    assert {name for name in names if "changed" in metadata(tmp_path)[name]} == {"<made 3>"}


def test_a_program_on_the_command_line_is_recorded_with_its_source(tmp_path: Path) -> None:
    """Code that it makes itself has the same name and is not taken for it."""
    code = "def add(a):\n    return a + 1\nexec('def add2(b):\\n    return b')\nadd2(add(1))"
    assert record(["-c", code], tmp_path, tmp_path / "out").returncode == 0
    calls = [line.split("  [")[0] for line in shown(tmp_path, "--calls")]
    assert calls == ["<toplevel> -> 0", "<__main__> -> None", "add(a=1) -> 2"]
    assert [line for line in shown(tmp_path) if line.endswith("2 |     return a + 1")]
    assert metadata(tmp_path)["<string>"]["text"] == code


def run_from(folder: Path, command: list[str]) -> subprocess.CompletedProcess[bytes]:
    """Run a command whose standard input is the file ``input``."""
    with (folder / "input").open("rb") as stdin:
        return subprocess.run(command, stdin=stdin, cwd=folder, capture_output=True, check=False)


@pytest.mark.parametrize(
    ("encoding", "first"),
    [("utf-8", "x = 1"), ("latin-1", "# coding: latin-1"), ("utf-8", "# coding: ascii")],
)
def test_a_program_from_standard_input_is_recorded(
    encoding: str, first: str, tmp_path: Path
) -> None:
    """With its source, in the encoding that it names; what cannot be decoded ends as it does
    alone."""
    source = f"{first}\nimport sys\ny = 'caf\xe9'\nprint(ascii(y), repr(sys.stdin.read()))\n1 / 0\n"
    (tmp_path / "input").write_bytes(source.encode(encoding))
    recording = [str(RECORDER), "record", "--quiet", "--out-dir", "out"]
    done, alone = run_from(tmp_path, [*recording, "-"]), run_from(tmp_path, [sys.executable, "-"])
    assert (done.returncode, done.stdout) == (alone.returncode, alone.stdout)
    assert done.stderr == alone.stderr
    if "ascii" not in first:
        assert [line for line in shown(tmp_path) if line.endswith("3 | y = 'caf\xe9'")]
        assert metadata(tmp_path)["<stdin>"]["text"] == source


@pytest.mark.parametrize(
    "way", [["-c", "{code}"], ["main.py"], ["-"]], ids=["command", "linecache", "stdin"]
)
def test_sources_in_no_file_survive_a_kill(way: list[str], tmp_path: Path) -> None:
    """They are in the journal as soon as their code runs."""
    code = "import os\nx = 5\nos.kill(os.getpid(), 9)\n"
    main = REGISTERED + "import os\nos.kill(os.getpid(), 9)\n"
    write_files(tmp_path, {"main.py": main})
    words = [word.replace("{code}", code) for word in way]
    command = [str(RECORDER), "record", "--out-dir", "out", *words]
    done = subprocess.run(command, cwd=tmp_path, input=code.encode(), check=False)
    assert done.returncode == -9
    lines = recorder(["show", "out"], tmp_path).stdout.decode().splitlines()
    wanted = "2 |     b = a * 2" if way == ["main.py"] else "2 | x = 5"
    assert [line for line in lines if line.endswith(wanted)]


def test_the_examples_of_doctest_are_recorded(tmp_path: Path) -> None:
    """While doctest runs it knows their source."""
    write_files(
        tmp_path,
        {
            "main.py": 'import doctest\ndef one():\n    """\n    >>> one()\n    1\n    """\n'
            "    return 1\ndoctest.testmod()\n"
        },
    )
    assert record(["main.py"], tmp_path, tmp_path / "out").returncode == 0
    assert [line for line in shown(tmp_path) if line.endswith("1 | one()")]


def test_a_file_that_changes_while_it_is_recorded_is_told(tmp_path: Path) -> None:
    """The metadata say so, and whoever sees its lines is warned."""
    write_files(
        tmp_path,
        {
            "main.py": "import part\nopen('part.py', 'a').write('# more\\n')\npart.f()\n",
            "part.py": "def f():\n    return 1\n",
        },
    )
    assert record(["main.py"], tmp_path, tmp_path / "out").returncode == 0
    found = metadata(tmp_path)
    assert found[str(tmp_path / "part.py")]["changed"] is True
    assert "changed" not in found[str(tmp_path / "main.py")]
    told = recorder(["show", "out"], tmp_path).stderr.decode()
    assert told.count("part.py changed while it was recorded") == 1
    assert "main.py" not in told


def test_functions_of_one_name_stay_apart(tmp_path: Path) -> None:
    """Those of one file, of other files, and of a module that was loaded again have places of
    their own."""
    write_files(
        tmp_path,
        {
            "main.py": "import importlib, other, sys\nsys.dont_write_bytecode = True\n"
            "def f(): return 1\nf()\ndef f(): return 2\nf()\nother.f()\n"
            "open('other.py', 'w').write('\\n\\ndef f(): return 44\\n')\n"
            "importlib.reload(other).f()\n",
            "other.py": "def f(): return 3\n",
        },
    )
    assert record(["main.py"], tmp_path, tmp_path / "out").returncode == 0
    told = recorder(["show", "--calls", "out"], tmp_path).stdout.decode().splitlines()
    assert [line.strip() for line in told if line.strip().startswith("f()")] == [
        *("f() -> 1  [main.py:3]", "f() -> 2  [main.py:5]"),
        *("f() -> 3  [other.py:1]", "f() -> 44  [other.py:3]"),
    ]
