"""Counting what the recorder did: the interface of a sink, and the sinks that come with it."""

from __future__ import annotations

import os
from _thread import allocate_lock

from codetracer_log.errors import ERR_INVALID_METRICS_SINK, MetricsSinkError
from codetracer_log.logger import recorder_logger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol
else:
    Protocol = object  # typing would double the import time of this package

__all__ = [
    "CollectedMetrics",
    "LoggedMetrics",
    "NoopMetrics",
    "RecorderMetrics",
    "install_metrics",
    "metrics_sink",
]

_TARGET = "codetracer::metrics"


class RecorderMetrics(Protocol):
    """What a sink has to have; it may be called from any thread."""

    def record_dropped_event(self, reason: str, count: int = 1) -> None:
        """Something was left out of the trace, ``count`` times.

        ``reason`` is one of ``filter_scope_skip``, ``synthetic_filename``,
        ``filename_lookup_failed``, ``filter_resolution_error``, or ``filter_value_redacted.KIND``
        and ``filter_value_dropped.KIND`` with the kinds ``arg``, ``local``, ``global``, ``return``
        and ``attr``.
        """

    def record_detach(self, reason: str, error_code: str | None) -> None:
        """The recorder gave up during a session, with the code of the failure when it has one."""

    def record_panic(self, label: str) -> None:
        """A failure inside the recorder was contained; ``label`` names the place."""

    def record_session(self, counters: Mapping[str, int]) -> None:
        """A session has ended.

        ``counters`` has at least ``steps``, ``calls`` and ``bytes``, and where they happened
        ``cuts``, ``stalls`` (waits for the writer), ``redactions.KIND`` and ``drops.KIND``.
        """


class NoopMetrics:
    """Ignores everything."""

    __slots__ = ()

    def record_dropped_event(self, reason: str, count: int = 1) -> None:
        """Ignore it."""

    def record_detach(self, reason: str, error_code: str | None) -> None:
        """Ignore it."""

    def record_panic(self, label: str) -> None:
        """Ignore it."""

    def record_session(self, counters: Mapping[str, int]) -> None:
        """Ignore it."""


class _Counting:
    """The lock of all counters, in a form that a fork can renew: its holder may be left behind."""

    __slots__ = ("lock",)

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self.lock = allocate_lock()


_counting = _Counting()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_counting.renew)


class CollectedMetrics:
    """Keeps everything, for tests and for reading at the end of a session."""

    __slots__ = ("detaches", "dropped_events", "panics", "sessions")

    def __init__(self) -> None:
        self.dropped_events: dict[str, int] = {}
        """How often each reason occurred."""
        self.detaches: list[tuple[str, str | None]] = []
        """Reason and error code of each."""
        self.panics: dict[str, int] = {}
        """How often each label occurred."""
        self.sessions: list[dict[str, int]] = []
        """The counters of each session that ended."""

    def record_dropped_event(self, reason: str, count: int = 1) -> None:
        """Add to the count of the reason."""
        with _counting.lock:
            self.dropped_events[reason] = self.dropped_events.get(reason, 0) + count

    def record_detach(self, reason: str, error_code: str | None) -> None:
        """Keep both."""
        with _counting.lock:
            self.detaches.append((reason, error_code))

    def record_panic(self, label: str) -> None:
        """Count the label."""
        with _counting.lock:
            self.panics[label] = self.panics.get(label, 0) + 1

    def record_session(self, counters: Mapping[str, int]) -> None:
        """Keep a copy."""
        with _counting.lock:
            self.sessions.append(dict(counters))


class LoggedMetrics:
    """The default: one line at level INFO for each session, with all that was counted in it."""

    __slots__ = ("_counted",)

    def __init__(self) -> None:
        self._counted = CollectedMetrics()

    def record_dropped_event(self, reason: str, count: int = 1) -> None:
        """Add to the count of the reason."""
        self._counted.record_dropped_event(reason, count)

    def record_detach(self, reason: str, error_code: str | None) -> None:
        """Keep both."""
        self._counted.record_detach(reason, error_code)

    def record_panic(self, label: str) -> None:
        """Count the label."""
        self._counted.record_panic(label)

    def record_session(self, counters: Mapping[str, int]) -> None:
        """Log the counters with what was counted, and start again from nothing."""
        counted, self._counted = self._counted, CollectedMetrics()
        fields: dict[str, Any] = {"counters": dict(counters)}
        if counted.dropped_events:
            fields["dropped_events"] = counted.dropped_events
        if counted.panics:
            fields["panics"] = counted.panics
        if counted.detaches:
            fields["detaches"] = [
                {"reason": reason, "error_code": code} for reason, code in counted.detaches
            ]
        recorder_logger().info("session metrics", target=_TARGET, **fields)


class _Contained:
    """A sink whose failures are logged once for each method and go no further."""

    __slots__ = ("_failed", "sink")

    def __init__(self, sink: RecorderMetrics) -> None:
        self.sink = sink
        self._failed: set[str] = set()

    def record_dropped_event(self, reason: str, count: int = 1) -> None:
        self._contain("record_dropped_event", lambda: self.sink.record_dropped_event(reason, count))

    def record_detach(self, reason: str, error_code: str | None) -> None:
        self._contain("record_detach", lambda: self.sink.record_detach(reason, error_code))

    def record_panic(self, label: str) -> None:
        self._contain("record_panic", lambda: self.sink.record_panic(label))

    def record_session(self, counters: Mapping[str, int]) -> None:
        self._contain("record_session", lambda: self.sink.record_session(counters))

    def _contain(self, method: str, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - a sink must not stop the program
            if method not in self._failed:
                self._failed.add(method)
                recorder_logger().warn(
                    f"the metrics sink failed in {method}: {type(error).__name__}",
                    target=_TARGET,
                    sink=type(self.sink).__name__,
                )


_METHODS = ("record_dropped_event", "record_detach", "record_panic", "record_session")
_installed = _Contained(LoggedMetrics())


def install_metrics(sink: RecorderMetrics) -> RecorderMetrics:
    """Send everything that is counted from now on to ``sink``; returns the sink that it replaces.

    Raises MetricsSinkError (a TypeError) when ``sink`` lacks one of the methods of
    ``RecorderMetrics``.
    """
    global _installed
    missing = [name for name in _METHODS if not callable(getattr(sink, name, None))]
    if missing:
        raise MetricsSinkError(
            ERR_INVALID_METRICS_SINK,
            f"{type(sink).__name__} is not a metrics sink; give it the methods "
            + ", ".join(missing),
            sink=type(sink).__name__,
        )
    replaced, _installed = _installed, _Contained(sink)
    return replaced.sink


def metrics_sink() -> RecorderMetrics:
    """Where to count: the installed sink, behind a guard that logs its failures."""
    return _installed
