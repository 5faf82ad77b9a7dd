"""What the recorder holds of the program's objects when it is done with them."""

from __future__ import annotations

import json
from pathlib import Path

from core.recorder.support import run

SCRIPT = """\
import collections, dataclasses, datetime, decimal, enum, fractions, gc, json, pathlib, shutil, sys
import types, uuid, weakref
import codetracer_core

class Slotted:
    __slots__ = ("held", "password")
class Plain:
    def method(self):
        pass
class Colour(enum.Enum):
    RED = [1]
class Numbers(list):
    pass
Triple = collections.namedtuple("Triple", "x y token")
@dataclasses.dataclass
class Data:
    x: int
    secret: str
def generate():
    yield 1

def make():
    slotted, plain, around = Slotted(), Plain(), {}
    slotted.held, slotted.password = [1], "hunter2" * 2
    plain.me, plain.both = plain, [slotted, slotted]
    around["around"] = around
    made = [
        slotted, plain, around, Colour.RED, Numbers([1, [2]]), Triple(1, [2], "a token"),
        Data(1, "a secret"), "x" * 5000, b"y" * 5000, 2**20000, 10**30, 1.5, 2j, "\\ud800",
        [[i, [i]] for i in range(30)], {"a": {"b": {1: {2: {3: {4: 5}}}}}}, {1, (1, (2,))},
        frozenset([1]), collections.deque([1, [2]]), collections.Counter("abc"),
        collections.OrderedDict(a=1), collections.defaultdict(list, {1: [1]}),
        datetime.datetime.now(), datetime.timedelta(1), decimal.Decimal("1.5"), range(3),
        fractions.Fraction(1, 3), pathlib.Path("x"), uuid.uuid4(), ValueError("a", [1]),
        KeyError({"password": "a word"}), make, plain.method, Plain, types, generate(),
        memoryview(b"abc"), bytearray(b"abc"), slice([], 2), weakref.ref(plain), [slotted] * 3,
    ]
    try:
        import numpy as np
        fields = [("a", "i4"), ("password", "U9")]
        made += [np.arange(3), np.array(["2024"], "M8[D]"), np.array([(1, "x")], fields),
                 np.array([(1, "x")], fields)[0], np.array([[1], "x"], object), np.float32(1)]
        import pandas as pd
        frame = pd.DataFrame({"a": [1], "password": ["x"], "c": pd.Categorical(["u"])})
        made += [frame, frame["a"], frame.columns, frame._mgr.blocks, *frame._mgr.axes]
        made += [block.values for block in frame._mgr.blocks]
    except ImportError:
        pass
    return made

def use(value):
    several = [value, (value, {"key": value})]
    several[0] = [value]
    several.append([value])
    return several

things = make()
things += [item for thing in things if type(thing) is list for item in thing]

def held():
    gc.collect()
    return [sys.getrefcount(thing) for thing in things + [type(thing) for thing in things]]

def session():
    with codetracer_core.trace(sys.argv[1]):
        for thing in things:
            use(thing)
    shutil.rmtree(sys.argv[1])

for _ in range(3):
    session()
before = held()
for _ in range(5):
    session()
after = held()
kinds = [type(thing).__name__ for thing in things] * 2
print(json.dumps([len(before), [k for k, b, a in zip(kinds, before, after) if a != b]]))
"""


def test_values_of_all_kinds_are_held_as_often_after_a_recording_as_before(tmp_path: Path) -> None:
    """Neither values nor their types are held once too often, or once too little, when sessions
    that have shown, compared and changed them are over."""
    script = tmp_path / "program.py"
    script.write_text(SCRIPT, encoding="utf-8")
    done = run([script, tmp_path / "out"])
    assert done.status == 0, done.output
    count, differing = json.loads(done.output.splitlines()[-1])
    assert count > 150
    assert differing == []
