"""The tasks that calls run in: a stream of our own, which other readers of a trace pass over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from codetracer_core.ctfs.streams import Chunks, LruCache
from codetracer_core.ctfs.varint import Cursor
from codetracer_core.errors import TraceError

if TYPE_CHECKING:
    from codetracer_core.ctfs.container import Container

__all__ = ["TaskStream"]


class TaskStream:
    """Names of tasks by the key of the call that begins one or goes on with it.

    What such a call awaits and calls runs in the same task and is not named.
    """

    def __init__(self, container: Container) -> None:
        self._chunks = Chunks(container, "tasks")
        self._cache = LruCache(self._load)

    def task(self, key: int) -> str:
        """Return the name of the task that the call ``key`` begins or goes on with, or ""."""
        chunk, index = divmod(key, self._chunks.per_chunk)
        if chunk >= self._chunks.count:
            return ""
        return self._cache.get(chunk).get(index, "")

    def _load(self, chunk: int) -> tuple[dict[int, str], int]:
        data = self._chunks.inflate(chunk)
        cursor = Cursor(data, 0, len(data))
        tasks: dict[int, str] = {}
        try:
            while cursor:
                index = cursor.varint()
                tasks[index] = str(json.loads(cursor.blob()))
        except (ValueError, RecursionError) as error:
            message = "the name of a task is no text: the trace is damaged"
            raise TraceError(
                "ERR_TRACE_CORRUPT", message, file="tasks.dat", chunk=chunk, offset=cursor.position
            ) from error
        return tasks, len(data) + 100 * len(tasks)
