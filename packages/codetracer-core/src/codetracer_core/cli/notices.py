"""What is worth knowing about a trace besides its steps: what was not kept, and its children."""

from __future__ import annotations

import json

from codetracer_core.cli.report import counted, shell_operand
from codetracer_core.regular import read_document
from codetracer_core.session.family import children_of, descendants_of
from codetracer_core.session.names import METADATA_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["notices"]

_LISTED = 5


def notices(trace: Path) -> Iterator[str]:
    """Give one line for each thing to say about the file `trace`."""
    try:
        metadata = json.loads(read_document(trace.parent / METADATA_NAME))
    except (OSError, ValueError, RecursionError):
        return
    if not isinstance(metadata, dict):
        return
    dropped = metadata.get("dropped")
    steps = dropped.get("steps") if isinstance(dropped, dict) else None
    if isinstance(steps, int) and steps:
        yield f"only the end was kept: {counted(steps, 'step')} came before"
    if metadata.get("ended_by") == "max_size":
        yield "recording ended when its journal had reached the largest size; the program went on"
    yield from _children(trace.parent, metadata)


def _children(folder: Path, metadata: dict[str, object]) -> Iterator[str]:
    recording_id = str(metadata.get("recording_id"))
    if isinstance(metadata.get("parent"), dict):
        children = children_of(folder.parent, recording_id)
    else:
        children = descendants_of(folder, recording_id)
    if not children:
        return
    listed = ", ".join(
        f"{shell_operand(str(child.folder))} ({child.kind})" for child in children[:_LISTED]
    )
    more = f" and {len(children) - _LISTED} more" if len(children) > _LISTED else ""
    noun = "child process was" if len(children) == 1 else "child processes were"
    yield f"{len(children)} {noun} recorded, too: {listed}{more}"
