"""Compiles the C sources into the extension module ``codetracer_core._native``.

The build hook uses it for wheels and editable installs. It is also a command, for a build with
other flags into another folder, such as one with the sanitizers::

    CODETRACER_NATIVE_CFLAGS="-fsanitize=address,undefined -g" \\
    CODETRACER_NATIVE_LDFLAGS="-fsanitize=address,undefined" \\
    python native_build.py --csrc csrc --out build/asan/codetracer_core
"""

from __future__ import annotations

import argparse
import os
import runpy
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MODULE = "codetracer_core._native"
CFLAGS_VARIABLE = "CODETRACER_NATIVE_CFLAGS"
LDFLAGS_VARIABLE = "CODETRACER_NATIVE_LDFLAGS"
VERBOSE_VARIABLE = "CODETRACER_NATIVE_VERBOSE"

_GNU_FLAGS = (
    "-std=gnu11",
    "-O3",
    "-fvisibility=hidden",
    "-fno-semantic-interposition",
    "-Wall",
    "-Wextra",
    # Callbacks of CPython have fixed signatures: most leave a parameter unused.
    "-Wno-unused-parameter",
)


_SETTRACE = "settrace"
"""How the files begin that get events where there is no ``sys.monitoring``."""

CAPABILITIES = Path(__file__).parent / "src" / "codetracer_core" / "monitoring" / "capabilities.py"
"""What says on which interpreters the module works. It needs nothing that is to be built."""


class NativeBuildError(Exception):
    """The interpreter is not supported, sources are missing, or the compiler refused them."""


def require_supported() -> None:
    """Raise `NativeBuildError` if the module would not work on the running interpreter."""
    capabilities = runpy.run_path(str(CAPABILITIES))
    reason = capabilities["refusal"](capabilities["Interpreter"].running())
    if reason is not None:
        raise NativeBuildError(f"[ERR_UNSUPPORTED_INTERPRETER] {reason}")


def _files(csrc: Path, pattern: str) -> list[Path]:
    """The files that the running interpreter needs, in the order of their names."""
    has_monitoring = hasattr(sys, "monitoring")
    files = sorted(csrc.glob(pattern))
    return [file for file in files if not (has_monitoring and file.name.startswith(_SETTRACE))]


def read_declarations(csrc: Path) -> str:
    """What Python sees of the C code: all ``*.cdef.txt`` of `csrc`, in the order of their names.

    Those of the other source of events are left out.
    """
    files = _files(csrc, "*.cdef.txt")
    if not files:
        raise NativeBuildError(f"no *.cdef.txt in {csrc}: the C sources are incomplete")
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def build(
    csrc: Path,
    out_dir: Path,
    environ: Mapping[str, str] = os.environ,
    *,
    test_injection: bool = False,
) -> Path:
    """Compile every ``*.c`` of `csrc` for the running interpreter; return the module's path.

    The module's file is put into `out_dir`, which is created, and an older one of the same name
    is replaced atomically: a process that has the old one mapped keeps running. `environ` may
    add flags to the compiler and the linker. With `test_injection` the module fails on request of
    ``CODETRACER_TEST_INJECT_FAILURE``, for tests. Raises `NativeBuildError`.
    """
    require_supported()
    from cffi import FFI, VerificationError

    sources = _files(csrc, "*.c")
    if not sources:
        raise NativeBuildError(f"no *.c in {csrc}: the C sources are incomplete")
    ffi = FFI()
    ffi.cdef(read_declarations(csrc))
    with tempfile.TemporaryDirectory(prefix="codetracer-native-") as scratch:
        # cffi compiles inside `scratch`, so a copy there keeps object files out of the checkout
        # and every path relative, whatever the checkout's own path contains.
        shutil.copytree(csrc, Path(scratch, "csrc"))
        ffi.set_source(
            MODULE,
            '#include "ct.h"',
            sources=[f"csrc/{source.name}" for source in sources],
            include_dirs=["csrc"],
            # Without it cffi asks for the limited API, which has neither frames nor monitoring.
            define_macros=[
                ("_CFFI_NO_LIMITED_API", None),
                *([("CT_TEST_INJECTION", None)] if test_injection else ()),
            ],
            py_limited_api=False,
            extra_compile_args=[
                # The scratch folder's name in debug information would make each build differ.
                *((*_GNU_FLAGS, f"-ffile-prefix-map={scratch}=.") if os.name == "posix" else ()),
                *shlex.split(environ.get(CFLAGS_VARIABLE, "")),
            ],
            extra_link_args=shlex.split(environ.get(LDFLAGS_VARIABLE, "")),
        )
        try:
            built = ffi.compile(tmpdir=scratch, verbose=bool(environ.get(VERBOSE_VARIABLE)))
        except VerificationError as error:
            raise NativeBuildError(
                f"the C compiler failed ({error}); set {VERBOSE_VARIABLE}=1 to see its commands"
            ) from error
        return _replace(Path(built), out_dir)


def _replace(built: Path, out_dir: Path) -> Path:
    """Put `built` into `out_dir` in one step."""
    out_dir.mkdir(parents=True, exist_ok=True)
    target = out_dir / built.name
    incoming = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copy2(built, incoming)
    incoming.replace(target)
    return target


def main(argv: Sequence[str] | None = None) -> int:
    """The command: build from `--csrc` into `--out`, print the module's path."""
    parser = argparse.ArgumentParser(description=f"Compile {MODULE} for this interpreter.")
    parser.add_argument("--csrc", type=Path, required=True, help="folder of the C sources")
    parser.add_argument("--out", type=Path, required=True, help="folder for the compiled module")
    parser.add_argument(
        "--test-injection",
        action="store_true",
        help="let CODETRACER_TEST_INJECT_FAILURE make the module fail, for tests",
    )
    options = parser.parse_args(argv)
    csrc, out = options.csrc.resolve(), options.out.resolve()
    try:
        print(build(csrc, out, test_injection=options.test_injection))
    except NativeBuildError as error:
        print(f"native_build: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
