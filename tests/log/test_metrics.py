"""Metrics: the sinks, installing one, and containing its failures."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from codetracer_log import (
    CollectedMetrics,
    LoggedMetrics,
    MetricsSinkError,
    NoopMetrics,
    RecorderMetrics,
    install_metrics,
    metrics_sink,
    recorder_logger,
)


@pytest.fixture(autouse=True)
def _as_found() -> Iterator[None]:
    before = install_metrics(LoggedMetrics())
    yield
    install_metrics(before)
    recorder_logger().configure()


def entries(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def report_everything(sink: RecorderMetrics) -> None:
    """Call each method of a sink."""
    sink.record_dropped_event("filter_scope_skip")
    sink.record_dropped_event("filter_scope_skip", 41)
    sink.record_detach("policy_disable", "ERR_IO")
    sink.record_panic("on_line")
    sink.record_session({"steps": 3, "calls": 1, "bytes": 90})


def test_collected_metrics_keep_everything() -> None:
    """The collecting sink counts reasons and labels and keeps detaches and sessions."""
    sink = CollectedMetrics()
    report_everything(sink)
    assert sink.dropped_events == {"filter_scope_skip": 42}
    assert sink.detaches == [("policy_disable", "ERR_IO")]
    assert sink.panics == {"on_line": 1}
    assert sink.sessions == [{"steps": 3, "calls": 1, "bytes": 90}]


def test_the_default_sink_logs_one_line_for_a_session(tmp_path: Path) -> None:
    """At the end of a session one line at level INFO has all that was counted in it."""
    recorder_logger().configure(level="info", log_file=tmp_path / "log")
    report_everything(metrics_sink())
    (entry,) = entries(tmp_path / "log")
    assert entry["level"] == "INFO"
    assert entry["fields"] == {
        "counters": {"steps": 3, "calls": 1, "bytes": 90},
        "dropped_events": {"filter_scope_skip": 42},
        "panics": {"on_line": 1},
        "detaches": [{"reason": "policy_disable", "error_code": "ERR_IO"}],
    }


def test_the_next_session_starts_from_nothing(tmp_path: Path) -> None:
    """What one session has counted is not in the line of the next."""
    recorder_logger().configure(level="info", log_file=tmp_path / "log")
    report_everything(metrics_sink())
    metrics_sink().record_session({"steps": 1})
    assert entries(tmp_path / "log")[1]["fields"] == {"counters": {"steps": 1}}


def test_installing_returns_the_sink_before(capfd: pytest.CaptureFixture[str]) -> None:
    """Each installation takes effect at once and gives back what it replaced."""
    first, second = CollectedMetrics(), NoopMetrics()
    install_metrics(first)
    report_everything(metrics_sink())
    assert install_metrics(second) is first
    report_everything(metrics_sink())
    assert len(first.sessions) == 1
    assert capfd.readouterr().err == ""


def test_an_object_without_the_methods_is_refused() -> None:
    """What is not a sink is a TypeError that names the missing methods, and the sink stays."""
    kept = CollectedMetrics()
    install_metrics(kept)
    with pytest.raises(MetricsSinkError, match="record_dropped_event, record_detach") as caught:
        install_metrics(object())  # type: ignore[arg-type]
    assert isinstance(caught.value, TypeError)
    assert caught.value.code == "ERR_INVALID_METRICS_SINK"
    metrics_sink().record_panic("x")
    assert kept.panics == {"x": 1}


def test_a_failing_sink_is_warned_about_once_and_goes_no_further(tmp_path: Path) -> None:
    """An exception of a sink is logged the first time for each method and never raised."""

    class Broken(NoopMetrics):
        def record_panic(self, label: str) -> None:
            raise RuntimeError(label)

        def record_session(self, counters: Mapping[str, int]) -> None:
            raise KeyError("x")

    recorder_logger().configure(log_file=tmp_path / "log")
    install_metrics(Broken())
    for _ in range(3):
        report_everything(metrics_sink())
    messages = [entry["message"] for entry in entries(tmp_path / "log")]
    assert messages == [
        "the metrics sink failed in record_panic: RuntimeError",
        "the metrics sink failed in record_session: KeyError",
    ]


def test_counts_from_many_threads_are_all_kept() -> None:
    """No count is lost when threads report at the same time."""
    sink = CollectedMetrics()

    def report() -> None:
        for _ in range(1000):
            sink.record_dropped_event("x")

    threads = [threading.Thread(target=report) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sink.dropped_events == {"x": 4000}


class SlowLabel(str):
    """A label that stays in the middle of being counted until it is released."""

    __slots__ = ()
    started, release = threading.Event(), threading.Event()

    def __hash__(self) -> int:
        self.started.set()
        self.release.wait(60)
        return 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_can_count_while_its_parent_was_counting() -> None:
    """A fork while another thread counts leaves the child able to count."""
    sink = CollectedMetrics()
    thread = threading.Thread(target=lambda: sink.record_panic(SlowLabel("x")))
    thread.start()
    SlowLabel.started.wait(60)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(30)
        try:
            sink.record_panic("y")
        finally:
            os._exit(sink.panics.get("y", 0))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    SlowLabel.release.set()
    thread.join()
    assert status == 1
