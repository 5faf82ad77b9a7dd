"""The exceptions under way in a trace: what is caught is one that was raised before."""

from __future__ import annotations

from dataclasses import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codetracer_core.ctfs.reader import Step

__all__ = ["Flights"]

_KEPT = 64


class Flights:
    """Gives the steps that catch an exception its message, which only the raising step has.

    Steps come in their order. An exception whose raising was not among them keeps no message.
    """

    def __init__(self) -> None:
        self._thread = 0
        self._raised: dict[int, list[Step]] = {}

    def follow(self, step: Step) -> Step:
        """`step`, with the message if it catches an exception that was raised before."""
        if step.kind == "thread-switch":
            self._thread = step.thread or 0
        elif step.kind == "thread-exit":
            self._raised.pop(self._thread, None)
        elif step.kind == "raise":
            raised = self._raised.setdefault(self._thread, [])
            raised.append(step)
            del raised[:-_KEPT]
        elif step.kind == "catch":
            raised = self._raised.get(self._thread, [])
            for at in reversed(range(len(raised))):
                if raised[at].exception == step.exception:
                    # Those raised since then took its place and are caught or gone.
                    message = raised[at].message
                    del raised[at:]
                    return replace(step, message=message)
        return step
