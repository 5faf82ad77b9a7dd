"""Recording programs and comparing their output with what the trace has of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from integration.recording import record, run_plain
from naive import ct

if TYPE_CHECKING:
    from subprocess import CompletedProcess


@dataclass(frozen=True)
class Written:
    """One event: what was written, where, and by whom."""

    stream: str
    text: bytes
    line: int | None
    function: str
    thread: str
    task: str | None
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Recorded:
    """A recorded program, the same one run plainly, and the events of its trace."""

    done: CompletedProcess[bytes]
    plain: CompletedProcess[bytes]
    trace: ct.Trace
    written: list[Written]

    def text(self, stream: str) -> bytes:
        """Everything that the trace has of a stream."""
        return b"".join(event.text for event in self.written if event.stream == stream)

    def lines(self, stream: str = "stdout") -> list[tuple[str, int | None]]:
        """What was written, and at which line."""
        return [
            (text.decode(), line) for name, text, line in joined(self.written) if name == stream
        ]


def run(folder: Path, program: str, *options: str, stdin: bytes = b"") -> Recorded:
    """Run `program` plainly and recorded; both have to behave alike."""
    (folder / "main.py").write_text(program, encoding="utf-8")
    plain = run_plain(["main.py"], folder, stdin)
    done = record([*options, "main.py"], folder, folder / "out", stdin)
    assert done.stdout == plain.stdout
    assert done.returncode == plain.returncode
    trace = ct.load(folder / "out" / "trace.ct")
    return Recorded(done, plain, trace, [written(trace, event) for event in trace.events])


def written(trace: ct.Trace, event: dict[str, Any]) -> Written:
    """An event with the function of its step: the call with the highest key that covers it."""
    step = event["step"]
    covering = [call for call in trace.calls if call["first"] <= step <= call["last"]]
    if event["kind"] == 11:
        return Written("error", event["content"], None, covering[-1]["function"], "", None, ())
    told = json.loads(event["metadata"])
    if told["line"] is not None:
        assert trace.steps[step]["line"] == told["line"]
        assert trace.steps[step]["path"] == told["path"] == trace.paths[told["path_id"]]
    return Written(
        told["stream"],
        event["content"],
        told["line"],
        covering[-1]["function"],
        told["thread"],
        told["task"],
        tuple(told["flags"]),
    )


def joined(events: list[Written]) -> list[tuple[str, bytes, int | None]]:
    """Stream, text and line of events, without the cuts that a pause of the machine makes."""
    told: list[tuple[str, bytes, int | None]] = []
    cut = False
    for event in events:
        before = told.pop()[1] if cut else b""
        told.append((event.stream, before + event.text, event.line))
        cut = "time_split" in event.flags
    return told
