"""What the tests of the recorder share: running programs in processes of their own and comparing
what was recorded of them with what was observed."""

from __future__ import annotations

import json
import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from naive import journal
from naive.volatile import VOLATILE

Event = tuple[Any, ...]
Plain = tuple[Any, ...]

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
DRIVER = HERE / "drive.py"
NEEDS_MONITORING = pytest.mark.skipif(
    sys.version_info < (3, 12), reason="it is about sys.monitoring, which CPython 3.11 has not"
)
NEEDS_BUFFERS = pytest.mark.skipif(
    sys.version_info < (3, 12), reason="classes of Python are no buffers in CPython 3.11"
)
OBSERVER = HERE.parents[1] / "naive" / "observer.py"

SHOW_ALL = """\
[meta]
name = "everything"
version = 1
description = "Hides no value."

[scope]
default_exec = "trace"
default_value_action = "allow"

[[scope.rules]]
selector = 'file:regex:.'

[[scope.rules.value_patterns]]
selector = "attr:*"
action = "allow"

[[scope.rules.value_patterns]]
selector = "local:*"
action = "allow"

[[scope.rules.value_patterns]]
selector = "global:*"
action = "allow"

[[scope.rules.value_patterns]]
selector = "arg:*"
action = "allow"

[[scope.rules.value_patterns]]
selector = "ret:*"
action = "allow"
"""
"""A filter file under which nothing is redacted; rules can be added behind it."""


class Decoder(journal.Decoder):
    """A decoder of one chunk after the other, or of a chunk alone.

    A variable of a comprehension hides one of the module or class body around it, and that hides a
    global: the dict of a step has what the code would find.
    """

    def __init__(self) -> None:
        super().__init__()
        self.alone = False
        self._stated = 0

    def next_chunk(self, chunk: bytes) -> None:
        """Decode a whole chunk or the live one."""
        start, length = int.from_bytes(chunk[6:8], "little"), int.from_bytes(chunk[80:84], "little")
        self.chunk(chunk[start : start + length] if length else chunk[start:], live=not length)

    def only_chunk(self, chunk: bytes) -> None:
        """Decode a chunk without those before it, with the open frames that it states."""
        self.alone = True
        self.next_chunk(chunk)

    def unit(self, data: journal.Bytes, tag: int) -> None:
        if self.alone and tag == 0x11:
            self._stated = data.uv()
            data.uv(), data.uv()
            self.stacks[self._stated] = []
        elif self.alone and tag == 0x12:
            function, _, line = data.uv(), data.uv(), data.uv()
            self.stacks[self._stated].append(journal.Frame(function, line))
        else:
            super().unit(data, tag)

    def variables(self, frame: journal.Frame) -> dict[str, Any]:
        shown = super().variables(frame)
        shown |= {name: value for name, value in frame.named.items() if value is not journal.UNSET}
        return shown | self.arguments(frame)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a program did that its user can see."""

    output: str
    status: int


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded run."""

    outcome: Outcome
    journal: Path
    stats: Mapping[str, Any]

    def events(self) -> dict[str, list[Event]]:
        """The events of each thread, in the forms of the observer."""
        decoder = Decoder()
        for chunk in journal.chunks(self.journal):
            decoder.next_chunk(chunk)
        return by_thread(decoder.events)


def run(
    command: Sequence[str | Path],
    *,
    timeout: float = 240,
    env: Mapping[str, str] | None = None,
) -> Outcome:
    """Run a command with this interpreter to its end; its two outputs come joined."""
    done = subprocess.run(
        [sys.executable, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # Addresses and random hashes must not decide about the order of a set.
        env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONUTF8": "1", **(env or {})},
        timeout=timeout,
        check=False,
    )
    return Outcome(done.stdout.decode("utf-8", "backslashreplace"), done.returncode)


def observe(
    script: Path,
    folder: Path,
    *,
    prefixes: Sequence[str] = (),
    preload: Sequence[str] = (),
    arguments: Sequence[str] = (),
) -> tuple[Outcome, dict[str, list[Event]]]:
    """Run `script` under the observer; code below its folder and the prefixes is observed."""
    out = folder / "observed.pickle"
    settings = {
        "out": str(out),
        "prefixes": [f"{script.parent}{os.sep}", *prefixes],
        "preload": list(preload),
    }
    # The observer has nothing of ours in it: when sanitizers watch the recorder, it goes without.
    plain_build = {"LD_PRELOAD": "", "PYTHONMALLOC": ""}
    outcome = run([OBSERVER, json.dumps(settings), script, *arguments], env=plain_build)
    assert out.exists(), outcome.output
    with out.open("rb") as source:
        return outcome, pickle.load(source)


def record(
    script: Path,
    folder: Path,
    *,
    rules: str = "",
    preload: Sequence[str] = (),
    arguments: Sequence[str] = (),
    activation: Path | None = None,
) -> Recording:
    """Run `script` under the recorder with every value shown; `rules` are added to the filter.

    With `activation` only what runs above a frame of that file is recorded.
    """
    out = folder / "recorded"
    out.mkdir()
    filter_file = folder / "filter.toml"
    filter_file.write_text(SHOW_ALL + rules, encoding="utf-8")
    settings = {
        "out": str(out),
        "filter": str(filter_file),
        "preload": list(preload),
        "activation": None if activation is None else os.path.realpath(activation),
    }
    outcome = run([DRIVER, json.dumps(settings), script, *arguments])
    assert outcome.status == 0, outcome.output
    (path,) = out.glob("*.ctj")
    return Recording(outcome, path, json.loads((out / "stats.json").read_text(encoding="utf-8")))


# -- the two sides in one form


def plain(value: Any) -> Plain:
    """A value of the journal in the form in which the observer writes it, without addresses."""
    kind = type(value)
    if value is None:
        return ("none",)
    if kind in (bool, int):
        return (kind.__name__, value)
    if kind in (str, bytes):
        return (kind.__name__, len(value), value)
    if kind is float:
        return ("float", struct.pack("<d", value))
    if kind is complex:
        return ("complex", struct.pack("<dd", value.real, value.imag))
    if kind in (list, tuple, set, frozenset):
        return _container(kind.__name__, len(value), value)
    if kind is dict:
        return _container("dict", len(value), value.items())
    if isinstance(value, journal.Cut):
        if value.type == "int":
            return ("int cut", value.total, value.shown)
        if value.type in ("str", "bytes"):
            return (value.type, value.total, value.shown)
        return _container(value.type, value.total, value.shown)
    if isinstance(value, journal.Shared):
        return ("shared", value.number, plain(value.value))
    if isinstance(value, journal.Instance):
        return ("subclass", value.type, plain(value.value))
    if isinstance(value, journal.ExceptionObject):
        return ("exception", value.type, plain(value.args))
    if getattr(value, "type", None) in VOLATILE:
        return ("volatile", value.type)
    if isinstance(value, journal.Fields):
        part = None if value.part is journal.UNSET else plain(value.part)
        pairs = tuple((name, plain(item)) for name, item in value.shown)
        return ("fields", value.type, part, value.total, pairs)
    if isinstance(value, journal.Text):
        return ("text", value.type, value.shown)
    if isinstance(value, journal.Object):
        return ("object", value.type)
    if isinstance(value, journal.Cycle):
        return ("cycle", value.levels)
    assert isinstance(value, journal.Absent), value
    return ("absent", value.why)


def _container(kind: str, total: int, items: Any) -> Plain:
    if kind == "dict":
        return (kind, total, tuple((plain(key), plain(value)) for key, value in items))
    inside = [plain(item) for item in items]
    if kind in ("set", "frozenset"):
        inside.sort(key=repr)
    return (kind, total, tuple(inside))


_VARIABLES_AT = {"call": 1, "step": 2, "raise": 3, "catch": 3}
_VALUE_AT = {"return": 1, "yield": 1, "unwind": 1, "throw": 2, "raise": 2, "catch": 2}


def by_thread(events: list[Event]) -> dict[str, list[Event]]:
    """Events of a journal by the name of their thread, in the forms of the observer."""
    names = {0: "MainThread"}
    found: dict[str, list[Event]] = {}
    for kind, thread, *rest in events:
        if kind == "thread start":
            names[thread] = rest[1]
            continue
        if kind in ("switch", "thread exit"):
            continue
        if kind in _VARIABLES_AT:
            at = _VARIABLES_AT[kind]
            rest[at] = {name: plain(value) for name, value in rest[at].items()}
        if kind in _VALUE_AT:
            at = _VALUE_AT[kind]
            rest[at] = plain(rest[at])
        found.setdefault(names[thread], []).append((kind, *rest))
    return found


# -- comparing

CUT_BYTES = 3500
"""Values whose text is shorter than this never reach the limit of 16 KiB a value."""


def assert_same(recorded: dict[str, list[Event]], observed: dict[str, list[Event]]) -> None:
    """Fail at the first event of a thread that differs, showing what leads to it."""
    assert sorted(recorded) == sorted(observed)
    for thread, expected in observed.items():
        actual = recorded[thread]
        for at, (left, right) in enumerate(zip(actual, expected, strict=False)):
            if left != right and not _is_part(left, right):
                raise AssertionError(_difference(thread, at, actual, expected))
        assert len(actual) == len(expected), (
            f"{thread}: {len(actual)} events recorded, {len(expected)} observed; the first that "
            f"only one side has: {[*actual[len(expected) :], *expected[len(actual) :]][0]}"
        )


def _is_part(recorded: Event, observed: Event) -> bool:
    """Whether two events differ only in values that are too large to be recorded in full."""
    if len(recorded) != len(observed):
        return False
    for left, right in zip(recorded, observed, strict=True):
        if isinstance(left, dict):
            if left.keys() != right.keys():
                return False
            if not all(is_recorded_as(left[name], right[name]) for name in left):
                return False
        elif not is_recorded_as(left, right):
            return False
    return True


def is_recorded_as(recorded: Any, observed: Any) -> bool:
    """Whether a value is recorded rightly: in full, or cut when its text is long."""
    if recorded == observed:
        return True
    text = repr(observed)
    if not isinstance(recorded, tuple) or (len(text) < CUT_BYTES and "'volatile'" not in text):
        return False
    # One place of an object may be behind the point where the value is cut.
    return _is_beginning(_unmarked(recorded), _unmarked(observed))


def _unmarked(value: Any) -> Any:
    """A value without the marks of objects that stand in it more than once."""
    if not isinstance(value, tuple):
        return value
    if value and value[0] == "shared":
        return _unmarked(value[2])
    return tuple(map(_unmarked, value))


def _is_beginning(recorded: Plain, observed: Plain) -> bool:
    """Whether one value is the other without what follows some point in it."""
    if recorded == observed:
        return True
    if recorded[:2] != observed[:2]:
        return False
    if recorded[0] in ("subclass", "exception"):
        return _is_beginning(recorded[2], observed[2])
    if recorded[0] == "fields":
        if recorded[2] != observed[2]:
            return _is_beginning(recorded[2], observed[2]) and not recorded[4]
        recorded, observed = ("dict", *recorded[3:]), ("dict", *observed[3:])
    if recorded[0] in ("set", "frozenset"):
        return _is_part_of_set(recorded[2], observed[2])
    if recorded[0] not in ("list", "tuple", "dict"):
        return False
    shown, there = recorded[2], observed[2]
    if not shown:
        return True
    if len(shown) > len(there) or shown[:-1] != there[: len(shown) - 1]:
        return False
    if recorded[0] == "dict":
        last = there[len(shown) - 1]
        return _is_beginning(shown[-1][0], last[0]) and _is_beginning(shown[-1][1], last[1])
    return _is_beginning(shown[-1], there[len(shown) - 1])


def _is_part_of_set(shown: Sequence[Plain], there: Sequence[Plain]) -> bool:
    """Whether the items are some of those there; the last one written, wherever it stands now, may
    be cut itself."""
    rest, cut = list(there), []
    for item in shown:
        if item in rest:
            rest.remove(item)
        else:
            cut.append(item)
    return not cut or (len(cut) == 1 and any(_is_beginning(cut[0], item) for item in rest))


def _difference(thread: str, at: int, actual: list[Event], expected: list[Event]) -> str:
    lines = [f"{thread}, event {at} differs; before it:"]
    lines += [f"    {_head(event)}" for event in expected[max(at - 4, 0) : at]]
    left, right = actual[at], expected[at]
    lines += [f"recorded: {_head(left)}", f"observed: {_head(right)}"]
    for one, other in zip(left, right, strict=False):
        if isinstance(one, dict) and isinstance(other, dict):
            lines += [
                f"    {name}: recorded {_clip(one.get(name))}, observed {_clip(other.get(name))}"
                for name in sorted({*one, *other})
                if not is_recorded_as(one.get(name), other.get(name))
            ]
        elif not is_recorded_as(one, other):
            lines.append(f"    recorded {_clip(one)}, observed {_clip(other)}")
    return "\n".join(lines)


def _clip(value: object) -> str:
    text = str(value)
    return text if len(text) <= 400 else f"{text[:400]}... ({len(text)} characters)"


def _head(event: Event) -> str:
    return " ".join(str(part)[:60] for part in event if not isinstance(part, dict))
