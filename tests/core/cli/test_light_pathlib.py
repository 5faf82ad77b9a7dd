"""Importing pathlib without the module of URLs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import codetracer_core

PROGRAM = """
import sys
sys.path.append(sys.argv[1])
from codetracer_core.cli.light_pathlib import import_pathlib
import_pathlib()
print("pathlib" in sys.modules, "urllib.parse" in sys.modules)
from pathlib import Path
print(Path("/a b").as_uri())
from urllib.parse import unquote
print(unquote("a%20b"))
"""


def test_paths_have_uris_although_urls_are_not_imported() -> None:
    """``urllib.parse`` comes when a URI is asked for, whole, as it is anywhere else."""
    folder = Path(codetracer_core.__file__).parent.parent
    printed = subprocess.check_output([sys.executable, "-S", "-c", PROGRAM, folder], text=True)
    assert printed.splitlines() == ["True False", "file:///a%20b", "a b"]
