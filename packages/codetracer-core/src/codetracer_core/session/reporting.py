"""What a session tells the log, the metrics and readers of trailers: warnings, counts, failures."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from codetracer_core.errors import RecorderError
    from codetracer_core.runtime.events import RecorderStats
    from codetracer_core.session.bootstrap import TraceSessionBootstrap
    from codetracer_filter import FilterDiagnostic
    from codetracer_policy import PolicySource, RecorderPolicy

__all__ = [
    "policy_in_spite_of_mistakes",
    "report_end",
    "report_installed",
    "report_no_start",
    "report_no_trace",
    "report_start",
    "stderr_identity",
    "write_line",
]

_TARGET = "codetracer_core::session"
_NO_DESCRIPTOR = -1
_KINDS_OF_METRICS = {"argument": "arg", "attribute": "attr"}
"""What metrics call the kinds of values, where the metadata of a trace have other names."""

_stderr: tuple[int, int] | None = None
"""The file that was standard error when the running session started; None when there was none."""

_mirrored: tuple[int, int] | None = None
"""What is in its place while that session runs: a pipe of its own when it mirrors descriptors."""

_named: set[str] = set()
"""The misspelt variables that a line was written about."""


def report_start(bootstrap: TraceSessionBootstrap, trace_id: str) -> None:
    """Set up the log as the session's policy wants it, and log what is odd about its sources.

    That are its filters and variables that are misspelt, each of which is named once.
    """
    global _stderr
    _stderr = stderr_identity()
    policy, diagnostics = bootstrap.policy, bootstrap.filters.diagnostics
    misspelt = {name: near for name, near in bootstrap.misspelt.items() if name not in _named}
    if not _is_wanted(policy.log_level, policy.log_file, diagnostics, misspelt):
        return
    from codetracer_log import set_active_trace_id

    set_active_trace_id(trace_id)
    _set_up_log(policy, _stderr)
    _log_diagnostics(diagnostics)
    _log_misspelt(misspelt)


def report_installed() -> None:
    """Take what standard error leads to now for the program's: it may be a mirror's pipe."""
    global _mirrored
    _mirrored = stderr_identity()


def report_end(
    bootstrap: TraceSessionBootstrap,
    trace_id: str,
    stats: RecorderStats,
    failure: RecorderError | None,
) -> None:
    """Hand the session's counts to the metrics sink, and say why it ended early if it did."""
    policy = bootstrap.policy
    if not _is_wanted(policy.log_level, policy.log_file, failure):
        return
    from codetracer_log import log_recorder_error, metrics_sink, set_active_trace_id

    set_active_trace_id(trace_id)
    _set_up_log(policy, _stderr)
    sink = metrics_sink()
    if failure is not None:
        log_recorder_error("recording ended early", failure, trailer=policy.json_errors)
        sink.record_detach(f"policy_{policy.on_recorder_error}", failure.code)
        if failure.kind == "Internal":
            sink.record_panic(failure.context.get("place", "recorder"))
    for reason, count in _left_out(stats, failure).items():
        if count:
            sink.record_dropped_event(reason, count)
    sink.record_session(_counters(stats))
    set_active_trace_id(None)


def report_no_start(
    error: RecorderError, policy: RecorderPolicy | None, stderr: tuple[int, int] | None
) -> None:
    """Report an error that the caller gets instead of a session, where lines are asked for.

    Without a policy the settings of process and environment count, as far as they are valid.
    Nothing is written to standard error unless it is the file `stderr` (see `stderr_identity`).
    """
    _report_raised("start", error, policy or policy_in_spite_of_mistakes(), stderr)


def report_no_trace(error: RecorderError, policy: RecorderPolicy) -> None:
    """Report an error that the caller gets when a session with `policy` stops, likewise."""
    _report_raised("stop", error, policy, _stderr)


def _report_raised(
    label: str, error: RecorderError, policy: RecorderPolicy, stderr: tuple[int, int] | None
) -> None:
    """Report an error once, however often it is raised.

    The exception says everything, so that a line is written only where one was asked for: in the
    log when the policy sets its level or file, as a trailer with ``json_errors``.
    """
    logged = policy.log_level is not None or policy.log_file is not None
    if not logged and not policy.json_errors:
        return
    from codetracer_log import emit_error_trailer, log_recorder_error

    _set_up_log(policy, stderr)
    if logged:
        if log_recorder_error(label, error, trailer=policy.json_errors):
            # What is odd about filters that are also wrong.
            _log_diagnostics(getattr(error.__cause__, "diagnostics", ()))
    else:
        emit_error_trailer(error)


def policy_in_spite_of_mistakes(overrides: tuple[PolicySource, ...] = ()) -> RecorderPolicy:
    """The policy of process, environment and `overrides`, without the settings that are wrong.

    It says how the mistake itself is reported.
    """
    from codetracer_policy import PolicyError, current_policy, resolve_policy

    environ: Mapping[str, str] = os.environ
    for _ in range(3):  # as given, without wrong variables, and without wrong overrides
        try:
            return resolve_policy(environ=environ, overrides=overrides or None)
        except PolicyError as error:
            wrong = {problem.name for problem in error.problems}
            environ = {name: text for name, text in environ.items() if name not in wrong}
            overrides = tuple(source for source in overrides if not wrong & set(source.values))
    return current_policy()


def write_line(text: str) -> None:
    """Write `text` as a line of ours to the standard error that the session started with."""
    if _stderr is None or stderr_identity() not in (_stderr, _mirrored):
        return
    try:
        os.write(2, f"codetracer-core: {text}\n".encode("utf-8", "backslashreplace"))
    except OSError:
        return


def stderr_identity() -> tuple[int, int] | None:
    """Device and inode of the process's standard error; None when it was started without one.

    The number of a standard error that is closed goes to the next file that the program opens, and
    no line of ours must be written there.
    """
    if sys.__stderr__ is None:
        return None
    try:
        status = os.fstat(2)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _log_diagnostics(diagnostics: Iterable[FilterDiagnostic]) -> None:
    from codetracer_log import recorder_logger

    for diagnostic in diagnostics:
        recorder_logger().warn(str(diagnostic), target=_TARGET, error_code=diagnostic.code)


def _log_misspelt(variables: Mapping[str, str]) -> None:
    from codetracer_log import recorder_logger

    _named.update(variables)
    for name, near in variables.items():
        message = f"the variable {name} has no effect: did you mean {near}? Correct or unset it"
        recorder_logger().warn(message, target=_TARGET, error_code="WARN_UNKNOWN_VARIABLE")


def _is_wanted(*reasons: object) -> bool:
    """Whether there may be something to write; the log costs its import only then."""
    return any(reasons) or "codetracer_log" in sys.modules


def _set_up_log(policy: RecorderPolicy, stderr: tuple[int, int] | None) -> None:
    from codetracer_log import recorder_logger, use_stderr

    use_stderr(_NO_DESCRIPTOR if stderr is None else 2, identity=stderr)
    recorder_logger().configure(level=policy.log_level, log_file=policy.log_file)


def _counters(stats: RecorderStats) -> dict[str, int]:
    """What a session counted, by the names of the metrics; of what did not happen only the basics.

    ``stall_ms`` is how long the program waited for the journal in all.
    """
    happened = {
        "cuts": stats.cuts + stats.omitted,
        "stalls": stats.stalls,
        "stall_ms": stats.stall_ns // 1_000_000,
        "lost_frames": stats.lost_frames,
        **_by_kind("redactions", stats.redacted),
        **_by_kind("drops", stats.dropped),
    }
    return {
        "steps": stats.steps,
        "calls": stats.calls,
        "bytes": stats.bytes,
        **{name: count for name, count in happened.items() if count},
    }


def _left_out(stats: RecorderStats, failure: RecorderError | None) -> dict[str, int]:
    """How often each reason to leave something out applied."""
    in_a_file = stats.scopes_skipped - stats.scopes_synthetic - stats.scopes_unreadable
    undecided = failure is not None and failure.context.get("place") == "filter"
    return {
        "filter_scope_skip": in_a_file,
        "synthetic_filename": stats.scopes_synthetic,
        "filename_lookup_failed": stats.scopes_unreadable,
        "filter_resolution_error": int(undecided),
        **_by_kind("filter_value_redacted", stats.redacted),
        **_by_kind("filter_value_dropped", stats.dropped),
    }


def _by_kind(prefix: str, counts: Mapping[str, int]) -> dict[str, int]:
    return {
        f"{prefix}.{_KINDS_OF_METRICS.get(kind, kind)}": count for kind, count in counts.items()
    }
