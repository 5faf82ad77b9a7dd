"""Tests of recordings that ask objects for their repr."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.recording import recorder, write_files

PROGRAM = """\
import dataclasses, threading, time
class Counter:
    def __init__(self):
        self.n = 1
    def __repr__(self):
        return f"<counted {self.n}>"
class Refuses:
    def __init__(self, error):
        self.error = error
    def __repr__(self):
        raise self.error("no")
class Endless:
    def __repr__(self):
        return repr(self)
class Slow:
    asked = 0
    def __repr__(self):
        Slow.asked += 1
        time.sleep(0.15)
        return "slow at last"
class Long:
    def __repr__(self):
        return "x" * 5000
@dataclasses.dataclass
class Login:
    user: str
    password: str
class Plain:
    def __init__(self):
        self.kept = 5
def count(counter):
    counter.n += 1
    return counter
result = count(Counter())
errors = [Refuses(ValueError), Refuses(SystemExit), Endless(), Long()]
login = Login("ada", "correct horse")
plain = Plain()
slow = Slow()
again = 1
def busy():
    mine = Counter()
    for mine.n in range(20):
        pass
threads = [threading.Thread(target=busy) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(Slow.asked)
"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What ``show`` prints of the program, recorded with ``value_repr`` set to ``call``."""
    folder = tmp_path_factory.mktemp("reprs")
    write_files(folder, {"main.py": PROGRAM})
    words = ["record", "--value-repr", "call", "--out-dir", "out", "main.py"]
    done = recorder(words, folder)
    assert (done.returncode, done.stdout) == (0, b"1\n"), done.stderr
    assert not any(b"correct horse" in file.read_bytes() for file in Path(folder, "out").iterdir())
    return recorder(["show", "out"], folder).stdout.decode()


@pytest.mark.parametrize(
    "text",
    [
        "count(counter=<counted 1>)",
        "counter = <counted 2>",
        "return <counted 2>",
        "result = <counted 2>",
        "<repr raised ValueError>, <repr raised SystemExit>, <repr raised RecursionError>, xxxx",
        "mine = <counted 19>",
    ],
)
def test_objects_are_shown_as_they_say(text: str, shown: str) -> None:
    """Each time that a value is written its objects are asked, and what they raise is shown."""
    assert text in shown


def test_a_long_text_is_cut(shown: str) -> None:
    """At most as many characters are kept as of any text."""
    assert "x" * 1025 not in shown


def test_an_object_with_a_hidden_field_is_not_asked(shown: str) -> None:
    """Its text could contain what a filter hides."""
    assert "login = Login(user='ada', password=<redacted>)" in shown


def test_objects_without_a_repr_of_their_own_are_shown_by_their_fields(shown: str) -> None:
    """What they inherit from ``object`` says less."""
    assert "plain = Plain(kept=5)" in shown


def test_a_class_that_takes_long_is_asked_once(shown: str) -> None:
    """Its objects are shown by their fields from then on."""
    assert "slow = slow at last" in shown
    assert "slow = Slow()" in shown


def test_what_a_repr_runs_is_not_recorded(shown: str) -> None:
    """Neither its steps nor its calls stand in the trace."""
    assert "__repr__(" not in shown.replace("def __repr__(self)", "")
