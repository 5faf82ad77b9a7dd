"""Where the benchmarks find and leave things."""

from __future__ import annotations

from pathlib import Path

__all__ = ["BENCHMARKS", "BUILD", "WORKLOADS"]

BENCHMARKS = Path(__file__).resolve().parent.parent
WORKLOADS = BENCHMARKS / "workloads"
BUILD = BENCHMARKS / "build"
"""Compiled modules and virtual environments; ignored by git, may be removed at any time."""
