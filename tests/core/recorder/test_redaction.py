"""Secrets that their names give away: no byte of them is ever written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.recorder.support import HERE, SHOW_ALL, record, run
from naive import ct, journal

VECTORS = json.loads((HERE.parents[1] / "vectors" / "redaction.json").read_bytes())
PROGRAM = HERE / "programs" / "hostile" / "plant_secrets.py"
SECRETS = 50
ARGUMENTS = "Arg0F83NHJ2", "Arg1K47QWE9"


def chunks_and_frames(path: Path) -> Iterator[bytes]:
    """What a journal holds, inflated, and the raw bytes of the ring beside it."""
    for _, _, content in journal.frames(path.read_bytes()):
        yield content
    ring = path.with_suffix(".ring")
    if ring.exists():
        yield ring.read_bytes()


def written(folder: Path) -> bytes:
    """Every byte that a session has written, inflated where it is compressed."""
    found = bytearray()
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        found += path.read_bytes()
        if path.suffix == ".ctj":
            found += b"".join(chunks_and_frames(path))
        elif path.suffix == ".ct":
            trace = ct.load(path)
            found += repr((trace.steps, trace.values, trace.calls, trace.events)).encode()
    return bytes(found)


def planted(folder: Path) -> list[str]:
    """The secrets of a run; that there are as many as there should be is checked."""
    secrets = (folder / "planted.txt").read_text().split()
    assert len(set(secrets)) >= SECRETS
    return [*secrets, *ARGUMENTS]


def command(out: Path, folder: Path, *more: str) -> list[str]:
    """The command that records the program with everything that the recorder can say."""
    return [
        *("-m", "codetracer_core", "record", "--out-dir", str(out)),
        *(
            "--capture-logging",
            "--log-level",
            "debug",
            "--log-file",
            str(out.parent / "recorder.log"),
            "--json-errors",
        ),
        *(str(PROGRAM), str(folder), *more, "--password", ARGUMENTS[0], f"--token={ARGUMENTS[1]}"),
    ]


def assert_hidden(data: bytes, secrets: list[str]) -> None:
    """Fail with the secrets that stand in the data."""
    assert [secret for secret in secrets if secret.encode() in data] == []
    assert b"PLAIN-" in data, "nothing was recorded of what may be shown"


def test_no_secret_of_a_finished_program_is_written(tmp_path: Path) -> None:
    """Journal, trace, sidecars, log and messages of the recorder hold none of fifty secrets in
    names, keys, attributes, nested containers, class bodies, exceptions, yields, returns, output
    and arguments of child processes."""
    folder = tmp_path / "program"
    folder.mkdir()
    done = run(command(tmp_path / "all" / "out", folder))
    assert done.status == 0, done.output
    assert_hidden(written(tmp_path / "all") + done.output.encode(), planted(folder))


def test_no_secret_of_a_killed_program_is_written(tmp_path: Path) -> None:
    """The same holds for the ring and the journal that a killed process leaves."""
    folder = tmp_path / "program"
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, *command(tmp_path / "all" / "out", folder, "wait")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        until = time.monotonic() + 60
        while not (folder / "ready").exists():
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        output, _ = process.communicate(timeout=30)
    assert list((tmp_path / "all").rglob("*.ring"))
    assert_hidden(written(tmp_path / "all") + output, planted(folder))


def test_no_secret_of_a_failed_recording_is_written(tmp_path: Path) -> None:
    """The same holds where the recorder fails, for its log, its message and its trailer."""
    folder = tmp_path / "program"
    folder.mkdir()
    done = run(command(tmp_path / "all" / "out", folder, "full"))
    assert '"error_code"' in done.output
    assert_hidden(written(tmp_path / "all") + done.output.encode(), planted(folder))


def test_hidden_values_are_counted_by_kind(tmp_path: Path) -> None:
    """The session says how many values it has hidden, those inside others apart."""
    folder = tmp_path / "program"
    folder.mkdir()
    out = tmp_path / "all" / "out"
    run(command(out, folder))
    text = next(out.rglob("trace_metadata.json")).read_text(encoding="utf-8")
    hidden = json.loads(text)["trace_filter"]["stats"]["value_redactions"]
    assert set(hidden) == {"argument", "local", "global", "return", "attribute"}
    assert all(hidden[kind] > 0 for kind in ("argument", "local", "global", "return"))
    assert hidden["attribute"] >= 20


# What a filter says of names in values is the same here as in the filter's own package.

SHOW = """\
import json
import sys

def show(value):
    return value

show(json.loads(sys.argv[1]))
"""


def shown(value: Any) -> Any:
    """A value of the journal with its hidden parts as the marker."""
    if isinstance(value, journal.Absent):
        return VECTORS["marker"]
    if isinstance(value, journal.Cut):
        assert (value.type, value.total) == ("dict", len(value.shown))
        value = dict(value.shown)
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shown(item) for item in value]
    return value


def cases() -> list[Any]:
    """The published cases whose values are plain data."""
    return [pytest.param(case, id=case["name"]) for case in VECTORS["cases"]]


@pytest.mark.parametrize("case", cases())
def test_values_are_hidden_as_the_filter_package_hides_them(
    case: dict[str, Any], tmp_path: Path
) -> None:
    """Every published vector holds for what is recorded."""
    script = tmp_path / "program.py"
    script.write_text(SHOW, encoding="utf-8")
    out = tmp_path / "out"
    more = []
    if case["filter"]:
        (tmp_path / "more.toml").write_text(case["filter"], encoding="utf-8")
        more = ["--trace-filter", str(tmp_path / "more.toml")]
    text = json.dumps(case["value"])
    done = run(["-m", "codetracer_core", "record", "--out-dir", str(out), *more, script, text])
    assert done.status == 0, done.output
    (path,) = out.rglob("*.ctj")
    (call,) = [event for event in journal.load(path) if event[0] == "call" and event[2] == "show"]
    assert shown(call[3]["value"]) == case["redacted"]


EXCEPTIONS = """\
def work(number):
    raise LookupError(f"S3CRET {number}", number)
def numbers():
    try:
        yield 1
    except LookupError as error:
        raise
for turn in range(2):
    try:
        work(turn)
    except LookupError as error:
        del error
made = numbers()
next(made)
try:
    made.throw(LookupError("S3CRET"))
except LookupError:
    pass
"""


@pytest.mark.parametrize("action", ["redact", "drop"])
def test_exceptions_can_be_hidden_but_for_their_type(action: str, tmp_path: Path) -> None:
    """The name of the result of an unwinding frame is `<unwind>`: its arguments are not in what is
    raised, caught and thrown in that frame, nor in how it ends."""
    rules = f"""
[[scope.rules]]
selector = 'file:regex:.'
value_patterns = [
    {{selector = "ret:literal:<unwind>", action = "{action}"}},
    {{selector = "arg:literal:exception", action = "{action}"}},
    {{selector = "local:literal:error", action = "{action}"}},
]
"""
    script = tmp_path / "program.py"
    script.write_text(EXCEPTIONS, encoding="utf-8")
    recorded = record(script, tmp_path, rules=rules)
    assert recorded.outcome.output == ""
    hidden = ("exception", "LookupError", ("absent", f"{action}ed".replace("pe", "ppe")))
    events = recorded.events()["MainThread"]
    values = {"raise": 3, "catch": 3, "unwind": 2, "throw": 3}
    found = [(event[0], event[values[event[0]]]) for event in events if event[0] in values]
    assert {kind for kind, _ in found} == {*values}
    assert [value for _, value in found] == [hidden] * len(found)
    assert b"S3CRET" not in b"".join(chunks_and_frames(recorded.journal))
    counted = recorded.stats["redacted" if action == "redact" else "dropped"]
    assert counted["return"] >= 8
    assert counted["argument"] == 1


MESSAGES = """\
from json import JSONDecodeError  # keeps the whole document in an attribute
def login(user, password, token):
    if user == "ada":
        raise ValueError(f"{password} is wrong for {user}")
    if user == "bob":
        raise KeyError(password)
    if user == "cid":
        raise JSONDecodeError("plain", password, 0)
    if user == "dan":
        error = LookupError("plain")
        error.add_note(f"it was {password}")
        raise error
    raise KeyError([0, (token,)])
def run():
    for user in ("ada", "bob", "cid", "dan", "eve"):
        try:
            login(user, "hun" + "ter-2-" * 3, 8_231_774)
        except Exception as error:
            kept = error
    try:
        raise ValueError("nothing of that")
    except ValueError as error:
        kept = error
    return 0
run()
"""


@pytest.mark.parametrize("option", ["--redact-output", "--no-redact-output", "--io-capture=off"])
def test_a_redacted_value_is_in_no_message_of_an_exception(option: str, tmp_path: Path) -> None:
    """The arguments, attributes and notes of an exception that repeat it, as it is or inside a
    text, are redacted wherever the exception is seen, whatever becomes of output; other exceptions
    are shown."""
    script = tmp_path / "program.py"
    script.write_text(MESSAGES, encoding="utf-8")
    out = tmp_path / "out"
    done = run(["-m", "codetracer_core", "record", option, "--out-dir", str(out), script])
    assert done.status == 0, done.output
    data = written(out)
    assert b"hunter-2-" not in data
    assert b"nothing of that" in data
    (path,) = out.rglob("*.ctj")
    events = journal.load(path)
    raised = [event[4] for event in events if event[0] == "raise"]
    parts = [error.part if isinstance(error, journal.Fields) else error for error in raised]
    kinds = [journal.Absent, journal.Absent, tuple, tuple, journal.Absent, tuple]
    assert [type(part.args) for part in parts] == kinds
    fields = [dict(error.shown) for error in raised if isinstance(error, journal.Fields)]
    assert [field["msg"] for field in fields if "msg" in field] == ["plain"]
    hidden = [field[name] for field in fields for name in ("doc", "__notes__") if name in field]
    assert hidden == [journal.Absent("redacted")] * 2
    kept = [event[4]["kept"] for event in events if event[0] == "step" and "kept" in event[4]]
    assert kept[-1].args == ("nothing of that",)


TEMPLATES = """\
def fill(password, account, local):
    return t"{password!r:>5} {account['token']} {account.get('token')} {hash(account)} {local} end"
class Account(dict):
    __hash__ = object.__hash__
fill("hunter-" + "2" * 9, Account(token="hunter-" + "3" * 9), "hunter-" + "4" * 9)
"""


@pytest.mark.skipif(sys.version_info < (3, 14), reason="templates are new in CPython 3.14")
def test_values_in_a_template_are_hidden_with_the_names_of_their_expression(tmp_path: Path) -> None:
    """A value between the texts of a template is hidden with each word of its expression, and
    where its text is that of a variable that is hidden; the other values are shown."""
    filters = tmp_path / "filter.toml"
    filters.write_text(
        "[meta]\nname = 'hide one'\nversion = 1\n[scope]\n"
        "default_exec = 'trace'\ndefault_value_action = 'allow'\n"
        "[[scope.rules]]\nselector = 'file:regex:.'\nvalue_patterns = [\n"
        "{selector = 'arg:literal:local', action = 'redact'},\n"
        "{selector = 'local:literal:local', action = 'redact'}]\n",
        encoding="utf-8",
    )
    script = tmp_path / "program.py"
    script.write_text(TEMPLATES, encoding="utf-8")
    out = tmp_path / "out"
    done = run(
        [
            "-m",
            "codetracer_core",
            "record",
            f"--trace-filter={filters}",
            "--out-dir",
            str(out),
            script,
        ]
    )
    assert done.status == 0, done.output
    (path,) = out.rglob("*.ctj")
    (template,) = [e[3] for e in journal.load(path) if e[0] == "return" and e[2] == "fill"]
    text = repr(template)
    assert text.count("Absent") == 4, text
    assert "hash(account)" in text
    assert b"hunter-" not in written(out).replace(TEMPLATES.encode(), b"")


def test_dropped_names_are_not_there(tmp_path: Path) -> None:
    """Of a pair or field that a filter drops neither the name nor the value is written, and
    nothing says that something is missing."""
    rules = """
[[scope.rules]]
selector = 'file:regex:.'
value_patterns = [{selector = "attr:literal:gone", action = "drop"}]
"""
    script = tmp_path / "program.py"
    script.write_text(
        "class Thing:\n"
        "    __slots__ = ('gone', 'kept')\n"
        "class Other:\n"
        "    pass\n"
        "def run():\n"
        "    thing = Thing()\n"
        "    thing.gone, thing.kept = 'S3CRET', 1\n"
        "    other = Other()\n"
        "    other.gone, other.kept = 'S3CRET', 2\n"
        "    both = {'gone': 'S3CRET', 'kept': [thing, other]}\n"
        "    thing.gone = 'S3CRET2'\n"
        "    both['kept'].append(3)\n"
        "    return both\n"
        "run()\n",
        encoding="utf-8",
    )
    recorded = record(script, tmp_path, rules=rules)
    assert b"S3CRET" not in b"".join(chunks_and_frames(recorded.journal)).partition(b"class")[0]
    (returned,) = [e for e in journal.load(recorded.journal) if e[0] == "return" and e[2] == "run"]
    thing, other, three = returned[3]["kept"]
    assert list(returned[3]) == ["kept"]
    assert (thing.total, thing.shown) == (1, [("kept", 1)])
    assert (other.total, other.shown) == (1, [("kept", 2)])
    assert three == 3


def test_a_filter_is_asked_once_for_each_name(tmp_path: Path) -> None:
    """However often a name is met, steps stay as they are without a filter that hides."""
    script = tmp_path / "program.py"
    script.write_text(
        "def run():\n"
        "    table = {}\n"
        "    for number in range(300):\n"
        "        table[f'name{number % 150}'] = number\n"
        "        if number % 7 == 0:\n"
        "            table.pop(f'name{number // 2}', None)\n"
        "    return len(table)\n"
        "run()\n",
        encoding="utf-8",
    )
    rules = """
[[scope.rules]]
selector = 'file:regex:.'
value_patterns = [{selector = "attr:literal:never", action = "redact"}]
"""
    plain = tmp_path / "plain"
    asked = tmp_path / "asked"
    plain.mkdir()
    asked.mkdir()
    expected = record(script, plain).events()
    assert "attr:*" in SHOW_ALL
    assert record(script, asked, rules=rules).events() == expected


def test_names_are_decided_where_code_of_the_program_cannot_run(tmp_path: Path) -> None:
    """Keys that are instances of subclasses of str, bytes keys and very long names are decided
    too, without calling a method of theirs."""
    script = tmp_path / "program.py"
    script.write_text(
        "class Key(str):\n"
        "    def __eq__(self, other): print('asked'); return str.__eq__(self, other)\n"
        "    def __hash__(self): return str.__hash__(self)\n"
        "def run():\n"
        "    table = {Key('password'): 'S3CRET', b'api_key': 'S3CRET', 5: 'shown'}\n"
        "    table['x' * 900 + '_password'] = 'S3CRET'\n"
        "    table['kept'] = 'shown'\n"
        "    return table\n"
        "print('before'); run(); print('after')\n",
        encoding="utf-8",
    )
    out = tmp_path / "out"
    done = run(["-m", "codetracer_core", "record", "--out-dir", str(out), script])
    assert done.output.startswith("before\nafter\n")
    (path,) = out.rglob("*.ctj")
    (returned,) = [e for e in journal.load(path) if e[0] == "return" and e[2] == "run"]
    pairs = list(returned[3].items()) if isinstance(returned[3], dict) else returned[3].shown
    assert [value for _, value in pairs] == [
        *[journal.Absent("redacted")] * 2,
        "shown",
        journal.Absent("redacted"),
        "shown",
    ]


def test_a_hidden_field_that_changes_is_no_change(tmp_path: Path) -> None:
    """Not even that a hidden value has changed can be seen."""
    script = tmp_path / "program.py"
    script.write_text(
        "def run():\n"
        "    table = {'password': 1, 'kept': 1}\n"
        "    table['password'] = 2\n"
        "    table['password'] = [3]\n"
        "    table['password'].append(4)\n"
        "    return None\n"
        "run()\n",
        encoding="utf-8",
    )
    out = tmp_path / "out"
    run(["-m", "codetracer_core", "record", "--out-dir", str(out), script])
    (path,) = out.rglob("*.ctj")
    sizes = [len(content) for kind, _, content in journal.frames(path.read_bytes()) if kind == 2]
    assert sizes
    tables = [
        event[4]["table"]
        for event in journal.load(path)
        if event[0] == "step" and "table" in event[4]
    ]
    assert len(tables) == 4
    assert all(table == tables[0] for table in tables)


if os.environ.get("CODETRACER_LONG_TESTS"):

    @pytest.mark.parametrize("round_", range(20))
    def test_no_secret_of_many_killed_programs_is_written(round_: int, tmp_path: Path) -> None:
        """Killed at any moment, a program leaves no secret behind."""
        folder = tmp_path / "program"
        folder.mkdir()
        process = subprocess.Popen(
            [sys.executable, *command(tmp_path / "all" / "out", folder, "wait")]
        )
        time.sleep(0.15 + round_ * 0.02)
        process.kill()
        process.wait(30)
        data = written(tmp_path / "all")
        secrets = folder / "planted.txt"
        found = secrets.read_text().split() if secrets.exists() else []
        assert [secret for secret in found if secret.encode() in data] == []
