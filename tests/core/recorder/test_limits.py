"""The limits of values and steps."""

from __future__ import annotations

from pathlib import Path

from core.recorder.support import Decoder, Recording, assert_same, observe, record
from naive import journal

BY_BYTES = """\
class Row(list):
    pass


def wide():
    rows = [["x" * 200] * 100 for _ in range(100)]
    rows[0][0] = "changed"
    table = {i: {"k" * 100: [i] * 100} for i in range(50)}
    table[1]["k" * 100][0] = "changed"
    table[49] = "changed far behind"
    mixed = (rows, table, Row(rows[:3]), {"é" * 1024: {frozenset(range(100)): 1}})
    mixed[2].append(1)
    texts = ["\\U0001f600" * 1024] * 10
    texts[0] = "short"
    texts.pop()
    data = [b"\\xff" * 1024] * 20
    numbers = [2**8000 - i for i in range(30)]
    error = ValueError(*rows)
    return mixed


wide()
"""


def test_values_past_their_byte_limit_are_cut_at_an_item(tmp_path: Path) -> None:
    """What is recorded of a value that is too large is its beginning, at every step at which it
    changes; no small value is cut."""
    script = tmp_path / "program.py"
    script.write_text(BY_BYTES, encoding="utf-8")
    watched, observed = observe(script, tmp_path)
    recorded = record(script, tmp_path)
    assert recorded.outcome == watched
    assert recorded.stats["cuts"] > 0
    assert_same(recorded.events(), observed)


def variables(recorded: Recording, line: int) -> dict[str, object]:
    """Those of the step at a line of the script."""
    decoder = Decoder()
    for chunk in journal.chunks(recorded.journal):
        decoder.next_chunk(chunk)
    (found,) = [event[4] for event in decoder.events if event[0] == "step" and event[3] == line]
    assert isinstance(found, dict)
    return found


def test_values_past_the_step_limit_are_left_out_and_said_to_be(tmp_path: Path) -> None:
    """A step that is full states the rest of its values as omitted, and has them back when there
    is room again."""
    script = tmp_path / "program.py"
    names = [f"v{i}" for i in range(40)]
    script.write_text(
        "def full():\n"
        + "".join(f"    {name} = ['{name}' + 'x' * 150] * 90\n" for name in names)
        + "    last = 'small but late' * 3\n"
        + "    full = True\n"
        + f"    {' = '.join(names)} = None\n"
        + "    return last\n\n\n"
        + "full()\n",
        encoding="utf-8",
    )
    recorded = record(script, tmp_path)
    assert recorded.stats["failure"] is None
    full = variables(recorded, len(names) + 3)
    omitted = [name for name, value in full.items() if value == journal.Absent("omitted")]
    kept = [name for name, value in full.items() if isinstance(value, journal.Cut)]
    assert recorded.stats["omitted"] >= len(omitted) > 5
    assert len(kept) >= 15
    assert sorted(full) == sorted([*names, "last"])
    after = variables(recorded, len(names) + 5)
    assert after == {**dict.fromkeys(names), "last": "small but late" * 3, "full": True}
