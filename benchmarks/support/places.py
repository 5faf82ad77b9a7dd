"""Where the benchmarks find and leave things."""

from __future__ import annotations

from pathlib import Path

__all__ = ["BENCHMARKS", "BUILD", "ROOT", "WORKLOADS", "WORKLOAD_PACKAGE"]

BENCHMARKS = Path(__file__).resolve().parent.parent
ROOT = BENCHMARKS.parent
WORKLOADS = BENCHMARKS / "workloads"
WORKLOAD_PACKAGE = "benchmarks.workloads"
BUILD = BENCHMARKS / "build"
"""Compiled modules, virtual environments and worktrees; ignored by git, may be removed."""
