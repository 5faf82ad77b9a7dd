"""How much of a journal is kept while it grows: all of it, a limit at which it ends, or its end."""

from __future__ import annotations

from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codetracer_policy import RecorderPolicy

__all__ = ["Retention"]

_SLACK = 1 << 20
_NS = 1_000_000_000


class Retention:
    """The chunks of a journal that is being written, and which of them may go.

    ``max_size`` are the bytes at which a recording ends, 0 for none. With ``keep_bytes`` or
    ``keep_seconds`` it goes on, and the newest chunks are kept that are not larger or older than
    that; then ``max_size`` is one more limit of what is kept.
    """

    def __init__(
        self,
        max_size: int = 0,
        keep_bytes: int | None = None,
        keep_seconds: int | None = None,
    ) -> None:
        self.keeps_all = keep_bytes is None and keep_seconds is None
        self._max_size = max_size
        sizes = [size for size in (keep_bytes, max_size) if size]
        self._keep_bytes = min(sizes) if sizes and not self.keeps_all else None
        self._keep_ns = None if keep_seconds is None else keep_seconds * _NS
        self._frames: deque[tuple[int, int]] = deque()
        self._bytes = 0

    @property
    def is_bounded(self) -> bool:
        """Whether the journal may not become as large as it would."""
        return not self.keeps_all or self._max_size > 0

    @classmethod
    def of_policy(cls, policy: RecorderPolicy) -> Retention:
        """What the settings ask for."""
        return cls(policy.max_size, policy.keep_last_bytes, policy.keep_last_seconds)

    def add(self, size: int, now_ns: int) -> None:
        """A frame of `size` bytes with a chunk has come to the journal."""
        if not self.keeps_all:
            self._frames.append((size, now_ns))
            self._bytes += size

    def is_reached(self, journal_size: int) -> bool:
        """Whether the recording is to end now that the journal has this size."""
        return self.keeps_all and 0 < self._max_size <= journal_size

    def surplus(self, now_ns: int, *, exact: bool = False) -> tuple[int, int]:
        """How many of the oldest chunks may go, and their bytes.

        Unless `exact`, none as long as they take less room than what stays: each time what stays is
        written anew. The newest chunk always stays.
        """
        count = dropped = 0
        for size, since_ns in self._frames:
            is_over = self._keep_bytes is not None and self._bytes - dropped > self._keep_bytes
            is_old = self._keep_ns is not None and now_ns - since_ns > self._keep_ns
            if not (is_over or is_old) or count == len(self._frames) - 1:
                break
            count += 1
            dropped += size
        if not exact and dropped < max(self._bytes - dropped, _SLACK):
            return 0, 0
        return count, dropped

    def forget(self, count: int) -> None:
        """The `count` oldest chunks are gone."""
        for _ in range(count):
            size, _since = self._frames.popleft()
            self._bytes -= size
