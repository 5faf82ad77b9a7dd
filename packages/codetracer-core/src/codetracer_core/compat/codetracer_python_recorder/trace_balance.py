"""Whether every call in a ``trace.json`` has its return."""

from __future__ import annotations

import json
from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import Any

__all__ = [
    "TraceBalanceError",
    "TraceBalanceResult",
    "load_trace_events",
    "summarize_trace_balance",
]


class TraceBalanceError(RuntimeError):
    """The file cannot be read, or is no array of events."""


@dataclass(frozen=True, slots=True)
class TraceBalanceResult:
    """The counts of calls and returns.

    `first_negative_index` is the index of the first return without a call, None if there is none.
    """

    call_count: int
    return_count: int
    first_negative_index: int | None

    @property
    def is_balanced(self) -> bool:
        """Whether each call has its return, and no return stands before its call."""
        return self.call_count == self.return_count and self.first_negative_index is None

    @property
    def delta(self) -> int:
        """How many calls have no return; negative when returns are too many."""
        return self.call_count - self.return_count


def load_trace_events(trace_path: Path) -> Sequence[Mapping[str, Any]]:
    """The events of the file `trace_path`. Raises TraceBalanceError."""
    try:
        events = json.loads(trace_path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TraceBalanceError(f"{trace_path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise TraceBalanceError(f"{trace_path} is not valid JSON: {error}") from error
    if not isinstance(events, list):
        raise TraceBalanceError(f"{trace_path} holds no array but a {type(events).__name__}")
    for index, event in enumerate(events):
        if not isinstance(event, dict):
            raise TraceBalanceError(f"event {index} is no object but a {type(event).__name__}")
    return events


def summarize_trace_balance(events: Iterable[Mapping[str, Any]]) -> TraceBalanceResult:
    """Count the calls and returns of `events`.

    Raises TraceBalanceError for an event that is both.
    """
    calls = returns = 0
    first_negative: int | None = None
    for index, event in enumerate(events):
        if "Call" in event and "Return" in event:
            raise TraceBalanceError(f"event {index} is a call and a return at once")
        calls += "Call" in event
        returns += "Return" in event
        if returns > calls and first_negative is None:
            first_negative = index
    return TraceBalanceResult(calls, returns, first_negative)
