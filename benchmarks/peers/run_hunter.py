"""Runs a program under hunter: ``run_hunter.py OUT PROGRAM ARGS...``.

It prints calls, lines and returns, with the variables of each line, to the file OUT.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import hunter

_, out, program, *arguments = sys.argv
sys.argv = [program, *arguments]
# Code of the program alone, as with the others' filters.
with (
    Path(out).open("w", encoding="utf-8") as stream,
    hunter.trace(filename=program, action=hunter.VarsSnooper(stream=stream)),
):
    runpy.run_path(program, run_name="__main__")
