"""What a session tells the log and the metrics: warnings, counts, and why it ended early."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codetracer_core.errors import RecorderError
    from codetracer_core.runtime.events import RecorderStats
    from codetracer_core.session.bootstrap import TraceSessionBootstrap

__all__ = ["report_end", "report_start"]

_TARGET = "codetracer_core::session"


def report_start(bootstrap: TraceSessionBootstrap, trace_id: str) -> None:
    """Set up the log as the session's policy wants it, and log what is odd about its filters."""
    policy, diagnostics = bootstrap.policy, bootstrap.filters.diagnostics
    if not _is_wanted(policy.log_level, policy.log_file, diagnostics):
        return
    from codetracer_log import recorder_logger, set_active_trace_id

    logger = recorder_logger()
    logger.configure(level=policy.log_level, log_file=policy.log_file)
    set_active_trace_id(trace_id)
    for diagnostic in diagnostics:
        logger.warn(str(diagnostic), target=_TARGET)


def report_end(
    bootstrap: TraceSessionBootstrap, stats: RecorderStats, failure: RecorderError | None
) -> None:
    """Hand the session's counts to the metrics sink, and log why it ended early if it did."""
    if not _is_wanted(bootstrap.policy.log_level, bootstrap.policy.log_file, failure):
        return
    from codetracer_log import log_recorder_error, metrics_sink, set_active_trace_id

    if failure is not None:
        log_recorder_error("recording ended early", failure)
        metrics_sink().record_detach("policy_disable", failure.code)
    counters = {
        "steps": stats.steps,
        "calls": stats.calls,
        "bytes": stats.bytes,
        "cuts": stats.cuts,
    }
    metrics_sink().record_session(counters)
    set_active_trace_id(None)


def _is_wanted(*reasons: object) -> bool:
    """Whether there may be something to write; the log costs its import only then."""
    return any(reasons) or "codetracer_log" in sys.modules
