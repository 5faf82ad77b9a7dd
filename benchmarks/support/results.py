"""Keeping what was measured in the format of pyperf, which compares and plots such files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from support.rounds import Round

__all__ = ["save"]


def save(path: Path, measured: Mapping[str, Sequence[Round]]) -> None:
    """Write to `path`, for each name and variant, one pyperf benchmark ``name/variant``.

    Its values are in seconds, in the order of the rounds, so that ratios inside a round can be
    taken again later.
    """
    import pyperf  # type: ignore[import-untyped]

    suite = []
    for name, rounds in measured.items():
        for variant in rounds[0]:
            run = pyperf.Run(
                [taken[variant] for taken in rounds],
                metadata={"name": f"{name}/{variant}", "unit": "second"},
            )
            suite.append(pyperf.Benchmark([run]))
    pyperf.BenchmarkSuite(suite).dump(str(path), replace=True)
