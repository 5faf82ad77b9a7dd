"""The folder that makes ``import codetracer_python_recorder`` mean this recorder.

It is not on the import path by itself: ``codetracer-core compat-path`` prints it for PYTHONPATH.
"""

from __future__ import annotations

import os

__all__ = ["FOLDER"]

FOLDER = os.path.dirname(os.path.abspath(__file__))
"""Absolute path of this folder."""
