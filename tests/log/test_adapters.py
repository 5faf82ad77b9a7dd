"""The sinks in docs/metrics.md, with the real libraries that they are for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from codetracer_log import RecorderMetrics, install_metrics, metrics_sink, recorder_logger

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


@pytest.fixture
def adapters() -> dict[str, Any]:
    """The classes of the page by name."""
    for library in ("prometheus_client", "opentelemetry.sdk.metrics"):
        pytest.importorskip(library)
    blocks = re.findall(r"(?ms)^```python\n(.*?)^```$", PAGE.read_text("utf-8"))
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    return names


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """Where failures of a sink would be logged."""
    recorder_logger().configure(log_file=tmp_path / "log")
    yield tmp_path / "log"
    recorder_logger().configure()


def report_two_sessions(sink: RecorderMetrics) -> None:
    """Install the sink, call each method as two sessions would, and take it away again."""
    before = install_metrics(sink)
    try:
        for _ in range(2):
            metrics_sink().record_dropped_event("filter_scope_skip", 20)
            metrics_sink().record_dropped_event("synthetic_filename")
            metrics_sink().record_detach("policy_disable", "ERR_IO")
            metrics_sink().record_panic("filter")
            metrics_sink().record_session({"steps": 100, "redactions.arg": 3})
        metrics_sink().record_detach("policy_abort", None)
    finally:
        install_metrics(before)


def test_prometheus_exposes_what_was_counted(adapters: dict[str, Any], log: Path) -> None:
    """Each reason, counter, code and label is a time series with the sum over both sessions."""
    prometheus_client = import_module("prometheus_client")
    registry = prometheus_client.CollectorRegistry()
    report_two_sessions(adapters["PrometheusMetrics"](registry))
    exposed = prometheus_client.generate_latest(registry).decode().splitlines()
    samples = {line for line in exposed if "_total" in line and not line.startswith("#")}
    assert samples == {
        "codetracer_sessions_total 2.0",
        'codetracer_counted_total{counter="steps"} 200.0',
        'codetracer_counted_total{counter="redactions.arg"} 6.0',
        'codetracer_dropped_events_total{reason="filter_scope_skip"} 40.0',
        'codetracer_dropped_events_total{reason="synthetic_filename"} 2.0',
        'codetracer_detaches_total{code="ERR_IO",reason="policy_disable"} 2.0',
        'codetracer_detaches_total{code="",reason="policy_abort"} 1.0',
        'codetracer_panics_total{label="filter"} 2.0',
    }
    assert log.read_text() == ""


def test_opentelemetry_exports_what_was_counted(adapters: dict[str, Any], log: Path) -> None:
    """Each instrument has a data point for each of its attributes with the sum."""
    metrics = import_module("opentelemetry.sdk.metrics")
    export = import_module("opentelemetry.sdk.metrics.export")
    reader = export.InMemoryMetricReader()
    provider = metrics.MeterProvider([reader])
    report_two_sessions(adapters["OpenTelemetryMetrics"](provider.get_meter("codetracer")))
    (resource,) = reader.get_metrics_data().resource_metrics
    (scope,) = resource.scope_metrics
    provider.shutdown()
    points = {
        (metric.name, *point.attributes.values()): point.value
        for metric in scope.metrics
        for point in metric.data.data_points
    }
    assert points == {
        ("codetracer.sessions",): 2,
        ("codetracer.counted", "steps"): 200,
        ("codetracer.counted", "redactions.arg"): 6,
        ("codetracer.dropped_events", "filter_scope_skip"): 40,
        ("codetracer.dropped_events", "synthetic_filename"): 2,
        ("codetracer.detaches", "policy_disable", "ERR_IO"): 2,
        ("codetracer.detaches", "policy_abort", ""): 1,
        ("codetracer.panics", "filter"): 2,
    }
    assert log.read_text() == ""
