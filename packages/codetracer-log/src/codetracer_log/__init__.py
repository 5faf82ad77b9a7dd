"""The recorder's own voice: log lines, error trailers and metrics, apart from the program's."""

from __future__ import annotations

from codetracer_log._destination import use_stderr
from codetracer_log._identity import (
    active_trace_id,
    run_id,
    set_active_trace_id,
    with_error_code,
)
from codetracer_log.errors import (
    ERR_INVALID_LOG_SPEC,
    ERR_INVALID_METRICS_SINK,
    ERR_IO,
    LogError,
    LogSpecError,
    MetricsSinkError,
)
from codetracer_log.logger import RecorderLogger, log_recorder_error, recorder_logger
from codetracer_log.metrics import (
    CollectedMetrics,
    LoggedMetrics,
    NoopMetrics,
    RecorderMetrics,
    install_metrics,
    metrics_sink,
)
from codetracer_log.spec import LEVELS, FilterSpec
from codetracer_log.trailer import emit_error_trailer

__all__ = [
    "ERR_INVALID_LOG_SPEC",
    "ERR_INVALID_METRICS_SINK",
    "ERR_IO",
    "LEVELS",
    "CollectedMetrics",
    "FilterSpec",
    "LogError",
    "LogSpecError",
    "LoggedMetrics",
    "MetricsSinkError",
    "NoopMetrics",
    "RecorderLogger",
    "RecorderMetrics",
    "active_trace_id",
    "emit_error_trailer",
    "install_metrics",
    "log_recorder_error",
    "metrics_sink",
    "recorder_logger",
    "run_id",
    "set_active_trace_id",
    "use_stderr",
    "with_error_code",
]
