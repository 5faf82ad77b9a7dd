"""Makes ``trace.ct`` and the JSON files beside it from a journal, in flat memory at any length."""

from __future__ import annotations

import os
from contextlib import suppress

from codetracer_core._native import lib
from codetracer_core.ctfs.layout import EDGES_PER_CHUNK, TASKS_PER_CHUNK
from codetracer_core.ctfs.materialiser_expander import Expander
from codetracer_core.ctfs.materialiser_helper import ValueHelper
from codetracer_core.ctfs.materialiser_meta import (
    SessionFacts,
    meta_record,
    metadata_document,
    recovery_facts,
    write_json,
)
from codetracer_core.ctfs.materialiser_sources import Source, read_source
from codetracer_core.ctfs.materialiser_streams import (
    ChunkStream,
    blob,
    error_record,
    text_record,
    value_compressor,
    write_table,
)
from codetracer_core.ctfs.temporary import temporary_beside
from codetracer_core.ctfs.writer import ContainerWriter
from codetracer_core.errors import EnvironmentError_
from codetracer_core.journal.reader import JournalReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["MaterialisedTrace", "materialise"]

_FILES = (
    "paths.dat",
    "paths.off",
    "funcs.dat",
    "funcs.off",
    "types.dat",
    "types.off",
    "varnames.dat",
    "varnames.off",
    "steps.dat",
    "steps.idx",
    "values.dat",
    "values.idx",
    "calls.dat",
    "events.dat",
    "events.idx",
    "calls.idx",
    "edges.dat",
    "edges.idx",
    "meta.dat",
)
_TASK_FILES = ("tasks.dat", "tasks.idx")
_STEPS_PER_CHUNK = 4096
_CALLS_PER_CHUNK = 256
_EVENTS_PER_CHUNK = 64


class MaterialisedTrace:
    """A finished trace: its container, what is in it, and its size in bytes.

    ``damage`` lists what of the recording is missing; ``complete`` tells that nothing is.
    ``recovery`` is what the metadata say of a session that did not end in order, None of others.
    """

    __slots__ = ("calls", "damage", "path", "recovery", "size", "steps", "threads")

    def __init__(
        self,
        path: Path,
        counts: Mapping[str, int],
        size: int,
        damage: tuple[str, ...],
        recovery: Mapping[str, object] | None,
    ) -> None:
        self.path = path
        self.steps = counts["steps"]
        self.calls = counts["calls"]
        self.threads = counts["threads"]
        self.size = size
        self.damage = damage
        self.recovery = recovery

    @property
    def complete(self) -> bool:
        """Whether the whole recording is in the trace."""
        return not self.damage


def materialise(
    journal: Path,
    directory: Path,
    *,
    name: str = "trace.ct",
    progress: Callable[[int, int], None] | None = None,
    children: Sequence[Mapping[str, object]] = (),
) -> MaterialisedTrace:
    """Make ``directory/name``, ``trace_metadata.json`` and ``trace_paths.json`` from ``journal``.

    Each appears complete or not at all, the container last, so that where it is the others are.
    ``progress`` is called now and then with the work done and the work in all. A damaged journal
    gives a trace of what can be read. ``children`` describe the recorded child processes of a
    session that did not end in order, which lists none itself.

    Raises :class:`TraceError` when ``journal`` is no journal, and :class:`EnvironmentError_`
    (``ERR_IO``) when reading or writing fails; nothing is left behind then.
    """
    with (
        JournalReader(journal) as reader,
        Expander(reader, directory) as expander,
        ValueHelper() as helper,
    ):
        facts = SessionFacts(reader)
        tick = _ticker(reader.chunk_count * 2, progress)
        main_script = facts.main_script.encode("utf-8", "surrogatepass")

        def collected() -> None:
            tick()
            expander.count()
            helper.look_ahead(main_script, expander)

        expander.collect(main_script, facts.exit_status, collected)
        helper.settle(main_script, expander)
        paths = list(expander.table(lib.CT_TABLE_PATHS))
        sources = [
            read_source(
                expander, number, path, facts.workdir, facts.sources, facts.unfinished_since_ns
            )
            for number, path in enumerate(paths)
        ]
        temporary = temporary_beside(directory / name)
        try:
            files = (*_FILES, *_TASK_FILES) if expander.counts.task_bytes else _FILES
            with ContainerWriter(temporary, files) as container:
                _fill(container, expander, helper, facts, sources, tick)
            size = temporary.stat().st_size
            damage = _damage(reader, expander)
            lines = [expander.line_count(number) for number in range(len(paths))]
            counts = _counts(expander)
            document = metadata_document(reader, facts, counts, sources, lines, damage)
            recovery = None
            if reader.end is None:
                recovery = recovery_facts(reader, counts)
                document |= {"recovery": recovery, "children": list(children)}
            write_json(directory / "trace_metadata.json", document)
            write_json(directory / "trace_paths.json", [source.path for source in sources])
            os.replace(temporary, directory / name)
        except OSError as error:
            message = (
                f"cannot write the trace: {error.strerror}; free space or choose another folder"
            )
            raise EnvironmentError_("ERR_IO", message, path=temporary, errno=error.errno) from error
        finally:
            with suppress(OSError):
                temporary.unlink()
    return MaterialisedTrace(directory / name, counts, size, damage, recovery)


def _fill(
    container: ContainerWriter,
    expander: Expander,
    helper: ValueHelper,
    facts: SessionFacts,
    sources: list[Source],
    tick: Callable[[], None],
) -> None:
    """Write all internal files."""
    expander.start_writing()
    path_texts = [text_record(source.path.encode("utf-8", "surrogatepass")) for source in sources]
    write_table(
        container,
        "paths",
        (blob(text) + expander.line_table(number) for number, text in enumerate(path_texts)),
    )
    for table, number in (
        ("funcs", lib.CT_TABLE_FUNCTIONS),
        ("types", lib.CT_TABLE_TYPES),
        ("varnames", lib.CT_TABLE_NAMES),
    ):
        write_table(container, table, map(text_record, expander.table(number)))
    steps = ChunkStream(container, "steps", _STEPS_PER_CHUNK)
    values = ChunkStream(container, "values", expander.values_per_chunk, value_compressor())
    events = ChunkStream(container, "events", _EVENTS_PER_CHUNK)
    last_event = b""
    if expander.uncaught and facts.exit_status != 0:
        # On the last step it says how the program ended.
        last = max(expander.counts.steps - 1, 0)
        last_event = error_record(last, text_record(expander.uncaught))
    expander.write(
        lambda records: helper.add(steps, records),
        lambda records: helper.add(values, records),
        lambda records: helper.add(events, records),
        tick,
        helper,
        last_event,
    )
    calls = ChunkStream(container, "calls", _CALLS_PER_CHUNK)
    for size, pieces in expander.calls():
        calls.add_pieces(size, pieces)
    edges = ChunkStream(container, "edges", EDGES_PER_CHUNK)
    for piece in expander.edges():
        edges.add(piece)
    if expander.counts.task_bytes:
        tasks = ChunkStream(container, "tasks", TASKS_PER_CHUNK)
        for chunk in expander.tasks():
            tasks.add(memoryview(chunk))
    container.append("meta.dat", meta_record(facts, [text.decode() for text in path_texts]))


def _damage(reader: JournalReader, expander: Expander) -> tuple[str, ...]:
    """What of the recording is missing, in words."""
    damage = [*reader.damage]
    if expander.damage:
        damage.append(expander.damage)
    if reader.end is None:
        damage.append("the session did not end in order")
    return tuple(damage)


def _ticker(total: int, progress: Callable[[int, int], None] | None) -> Callable[[], None]:
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    return tick


def _counts(expander: Expander) -> dict[str, int]:
    counts = expander.counts
    return {
        "steps": counts.steps,
        "calls": counts.calls,
        "threads": counts.threads,
        "calls_open": counts.calls_open,
        "steps_misplaced": counts.steps_misplaced,
        "values_cut": counts.values_cut,
        "values_redacted": counts.values_redacted,
        "values_dropped": counts.values_dropped,
        "values_omitted": counts.values_omitted,
        "values_unsupported": counts.values_unsupported,
    }
