"""Beginning to record: the journal, the filters and the tracer of one session."""

from __future__ import annotations

import os

from codetracer_core.session.errors import AlreadyTracingError, as_recorder_error
from codetracer_core.session.filesystem import own_subfolder, remove_created
from codetracer_core.session.filters import filter_entries
from codetracer_core.session.output import FORMAT_JSON
from codetracer_core.session.reporting import (
    report_installed,
    report_no_start,
    report_start,
    stderr_identity,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from codetracer_core.journal.writer import JournalWriter
    from codetracer_core.runtime.filtering import FilterCoordinator
    from codetracer_core.runtime.sources import SourceBook
    from codetracer_core.runtime.tracer import RuntimeTracer
    from codetracer_core.session.bootstrap import TraceSessionBootstrap

__all__ = ["Recording", "open_recording", "release_claim"]

# The C part has one ring, from the start of a session to the end of its stop. Keyed by process, so
# that a forked child inherits no claim; setting a default of a dictionary is atomic.
_claims: dict[int, Path] = {}


class Recording:
    """What records a process: what it was prepared with, and the parts that run."""

    __slots__ = ("bootstrap", "coordinator", "tracer", "writer")

    def __init__(
        self,
        bootstrap: TraceSessionBootstrap,
        writer: JournalWriter,
        coordinator: FilterCoordinator,
        tracer: RuntimeTracer,
    ) -> None:
        self.bootstrap = bootstrap
        self.writer = writer
        self.coordinator = coordinator
        self.tracer = tracer


def open_recording(
    bootstrap: TraceSessionBootstrap,
    *,
    adopt_running: bool = False,
    sources: SourceBook | None = None,
) -> Recording:
    """Install what records this process; the calling thread is recorded when it is unmuted.

    With `adopt_running` the functions that run already are recorded from where they are. `sources`
    is what is known of the sources of recorded code.

    Raises RecorderError; nothing is installed then, and no file of the attempt is left.
    """
    from codetracer_core.runtime.filtering import FilterCoordinator
    from codetracer_core.runtime.forks import retire_dormant
    from codetracer_core.runtime.io import IoCoordinator, captured_streams, is_captured
    from codetracer_core.runtime.tracer import RuntimeTracer
    from codetracer_filter import TraceFilterEngine

    policy = bootstrap.policy
    metadata = bootstrap.journal_metadata(filter_entries(bootstrap.filters))
    writer: JournalWriter | None = None
    claimed = False
    try:
        _claim(bootstrap.folder.path)
        claimed = True
        retire_dormant()
        writer = _open_journal(bootstrap, metadata)
        coordinator = FilterCoordinator(
            TraceFilterEngine(bootstrap.filters),
            main_script=bootstrap.metadata.main_script,
            module_name_from_globals=policy.module_name_from_globals,
            sources=sources,
        )
        coordinator.sources.keep(writer.add_source)
        tracer = RuntimeTracer(
            writer,
            coordinator,
            on_recorder_error=policy.on_recorder_error.value,
            adopt_running=adopt_running,
            activation_path=bootstrap.activation_path,
            io=IoCoordinator(
                captured_streams(policy.io_capture, bootstrap.filters.io),
                mirror=policy.io_capture.fd_fallback,
                # The user has asked for the program's streams; what it gives children is its own.
                insists=bootstrap.parent is None,
                logging=policy.capture_logging and is_captured(bootstrap.filters.io),
                hide_secrets=policy.redact_output,
            ),
            asks_objects=policy.value_repr == "call",
        )
        # What the log imports must not be recorded as the program's.
        report_start(bootstrap, writer.trace_id)
        tracer.install(muted=True)
        report_installed()
        try:
            bootstrap.folder.clear()
        except BaseException:
            tracer.uninstall()
            raise
    except BaseException as error:
        if writer is not None:
            writer.abandon()
        if claimed:
            release_claim()
        remove_created(bootstrap.folder.created)
        if not isinstance(error, Exception):
            raise
        failure = as_recorder_error(error)
        report_no_start(failure, policy, stderr_identity())
        if failure is error:
            raise
        raise failure from error
    return Recording(bootstrap, writer, coordinator, tracer)


def _claim(folder: Path) -> None:
    """Keep every other thread, and signal handlers, from beginning a session.

    Raises AlreadyTracingError when one of them was quicker.
    """
    claimed = _claims.setdefault(os.getpid(), folder)
    if claimed is not folder:
        raise AlreadyTracingError(claimed)


def release_claim() -> None:
    """Another session may begin in this process."""
    _claims.pop(os.getpid(), None)


def _open_journal(
    bootstrap: TraceSessionBootstrap, metadata: Mapping[str, object]
) -> JournalWriter:
    """Make the journal in the session's folder, or in one inside it when another was quicker."""
    from codetracer_core.journal.retention import Retention
    from codetracer_core.journal.writer import JournalWriter

    limits = bootstrap.policy.limits
    retention = Retention.of_policy(bootstrap.policy)
    writer = JournalWriter.create(bootstrap.folder.path, metadata, limits, retention)
    if not bootstrap.folder.is_shared(writer.path):
        return writer
    writer.abandon()
    bootstrap.folder = own_subfolder(bootstrap.folder, json=bootstrap.output.format == FORMAT_JSON)
    return JournalWriter.create(bootstrap.folder.path, metadata, limits, retention)
