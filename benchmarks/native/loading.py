"""Compiles and loads the C modules of this folder."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["load"]

_SOURCES = Path(__file__).parent


def load(name: str, build_folder: Path) -> ModuleType:
    """The module of ``NAME.c`` and ``NAME.cdef.txt``.

    It is compiled into `build_folder` where that has not been done yet. Raises
    cffi.VerificationError when the compiler fails.
    """
    module_name = f"_benchmark_{name}"
    folder = build_folder / str(sys.implementation.cache_tag)
    source, declarations = _SOURCES / f"{name}.c", _SOURCES / f"{name}.cdef.txt"
    changed = max(file.stat().st_mtime for file in (source, declarations))
    built = next(folder.glob(f"{module_name}.*.so"), None)
    if built is None or built.stat().st_mtime < changed:
        built = _compile(module_name, source, declarations, folder)
    spec = importlib.util.spec_from_file_location(module_name, built)
    if spec is None or spec.loader is None:
        raise ImportError(f"{built} is no extension module", name=module_name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _compile(module_name: str, source: Path, declarations: Path, folder: Path) -> Path:
    from cffi import FFI

    ffi = FFI()
    text = declarations.read_text(encoding="utf-8")
    ffi.cdef(text)
    ffi.set_source(
        module_name,
        text,
        sources=[str(source)],
        py_limited_api=False,
        extra_compile_args=["-O3"],
    )
    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as scratch:
        built = Path(ffi.compile(tmpdir=scratch))
        folder.mkdir(parents=True, exist_ok=True)
        incoming = folder / f"{built.name}.{os.getpid()}"
        shutil.copy2(built, incoming)
    return incoming.replace(folder / built.name)
