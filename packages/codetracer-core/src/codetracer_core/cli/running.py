"""Running a program as the interpreter's main program: what it finds, and how it ends."""

from __future__ import annotations

import builtins
import os
import sys
from contextlib import suppress
from types import ModuleType

from codetracer_core.cli.interpreter import own_words, skips_first_line
from codetracer_core.cli.program import Program, ProgramKind
from codetracer_core.monitoring.capabilities import FILE_STAYS_AT_EXIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import NoReturn

    from codetracer_core.runtime.sources import SourceBook

_PYC_HEADER = 16
_LAST = ("last_exc", "last_type", "last_value", "last_traceback")
"""What the interpreter keeps in ``sys`` of the exception that it has shown."""

__all__ = ["Ending", "exit_status", "leave", "prepare", "prompt_follows", "run"]

# `python` gives these a __file__, and takes it away when the main module is over.
# A tuple, because the hash of a member is Python code, which a recording would show.
_WITH_FILE = (
    ProgramKind.SCRIPT,
    ProgramKind.COMPILED,
    ProgramKind.STANDARD_INPUT,
    ProgramKind.ENTRY_POINT,
)


class Ending:
    """How a program's main module ended.

    ``status`` is the exit status that ``python`` would give, as far as it is known by now,
    ``error`` the exception that must still end the process: SystemExit, or KeyboardInterrupt
    (shown).
    """

    __slots__ = ("error", "status")

    def __init__(self, status: int, error: BaseException | None) -> None:
        self.status = status
        self.error = error


def prepare(program: Program) -> dict[str, object]:
    """Set ``sys.argv``, ``sys.path`` and a fresh ``__main__``; return the namespace of the latter.

    Nobody else may hold the module itself: at exit it must go when ``sys.modules`` lets go of it.
    """
    _restate_command_line(program)
    sys.argv = list(program.argv)
    if program.kind is ProgramKind.FOLDER:
        if sys.flags.safe_path:
            sys.path.insert(0, program.path or "")
        else:
            sys.path[0] = program.path or ""
    elif not sys.flags.safe_path:
        sys.path[0] = _first_path(program)
    main = ModuleType("__main__")
    namespace = main.__dict__
    # Interpreters differ in this attribute; the current main module has what this one gives.
    if "__annotations__" in vars(sys.modules["__main__"]):
        namespace["__annotations__"] = {}
    namespace["__builtins__"] = builtins
    sys.modules["__main__"] = main
    _set_loader(program, namespace)
    return namespace


def _restate_command_line(program: Program) -> None:
    """Leave in ``sys.orig_argv`` the interpreter with its options, then the program's words."""
    own = own_words()
    head = own[:-2] if own[-2:-1] == ["-m"] else own[:-1]
    sys.orig_argv[:] = [*head, *program.words]


def _first_path(program: Program) -> str:
    if program.kind is not ProgramKind.STANDARD_INPUT and program.path is not None:
        return os.path.dirname(os.path.realpath(program.path))
    return os.getcwd() if program.kind is ProgramKind.MODULE else ""


def _set_loader(program: Program, namespace: dict[str, object]) -> None:
    import importlib.machinery as machinery

    if program.kind in _WITH_FILE:
        namespace["__file__"] = program.path
        namespace["__cached__"] = None
    if program.kind in (ProgramKind.SCRIPT, ProgramKind.COMPILED):
        path = program.path or ""
        loader = (
            machinery.SourceFileLoader
            if program.kind is ProgramKind.SCRIPT
            else machinery.SourcelessFileLoader
        )
        namespace["__loader__"] = loader("__main__", path)
    else:
        namespace["__loader__"] = machinery.BuiltinImporter


def run(
    program: Program,
    namespace: dict[str, object],
    sources: SourceBook | None = None,
    begin: Callable[[], None] | None = None,
) -> Ending:
    """Run `program` in `namespace` to its end; exceptions are shown by ``sys.excepthook``.

    `sources` is told the source of a program in no file, and `begin` is called when nothing but the
    program is left to run.

    What outlives the main module (threads, exit handlers) is left to the interpreter.
    """
    from codetracer_core._native import lib

    path = os.fsencode(program.path or "")
    function, arguments = _main_function(program, namespace, sources)
    headless = skips_first_line()
    stream = -1
    if program.kind is ProgramKind.STANDARD_INPUT:
        stream, text = _read_standard_input()
        if sources is not None:
            sources.add_stream("<stdin>", text)
    outcome: list[BaseException] = []
    if begin is not None:
        begin()
    if program.kind is ProgramKind.SCRIPT:
        end = lib.ct_program_file(path, headless, id(namespace), id(outcome))
    elif program.kind is ProgramKind.STANDARD_INPUT:
        end = lib.ct_program_stream(stream, id(namespace), id(outcome))
    else:
        end = lib.ct_program_call(id(function), id(arguments), id(outcome))
    stays = end == lib.CT_PROGRAM_EXITED and FILE_STAYS_AT_EXIT
    if program.kind in _WITH_FILE and not stays:
        namespace.pop("__file__", None)
        namespace.pop("__cached__", None)
    if end == lib.CT_PROGRAM_EXITED:
        return Ending(exit_status(outcome[0]), outcome[0])
    if end == lib.CT_PROGRAM_INTERRUPTED:
        return Ending(130, KeyboardInterrupt())
    return Ending(1 if end == lib.CT_PROGRAM_FAILED else 0, None)


def _read_standard_input() -> tuple[int, str | None]:
    """All of standard input, as the descriptor of a file in memory and as text.

    The interpreter reads a program to its end before it runs it, too. The text is None when it is
    not in the encoding that it has or names: running it raises the error.
    """
    from importlib.util import decode_source

    pieces = []
    with suppress(OSError):  # ends like a stream that is over
        while piece := os.read(0, 1 << 16):
            pieces.append(piece)
    data = b"".join(pieces)
    stream = _stream_of(data)
    try:
        return stream, decode_source(data)
    except (SyntaxError, UnicodeDecodeError):
        return stream, None


def _stream_of(data: bytes) -> int:
    """A descriptor that `data` can be read from; a pipe, if that is what standard input is.

    The interpreter cannot read every encoding from what it cannot seek in.
    """
    with suppress(OSError):  # `data` is larger than a pipe may be
        if not sys.stdin.seekable():
            import fcntl

            stream, end = os.pipe()
            with open(end, "wb", buffering=0) as pipe:
                if fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, len(data) or 1) >= len(data):
                    pipe.write(data)
                    return stream
            os.close(stream)
    stream = os.memfd_create("stdin")
    with open(stream, "wb", closefd=False) as file:
        file.write(data)
    os.lseek(stream, 0, os.SEEK_SET)
    return stream


def leave(ending: Ending) -> int:
    """Return the exit status of `ending`, or raise what must still end the main module."""
    error = ending.error
    if isinstance(error, KeyboardInterrupt):
        # The interpreter dies by SIGINT when this reaches it; the traceback was shown already.
        _raise_unseen(error)
    if error is not None:
        raise error
    if prompt_follows():
        _raise_unseen(_OverError())
    if sys.flags.inspect:
        if ending.status:
            _raise_unseen(_OverError())
        from codetracer_core._native import lib

        lib.ct_program_forget_inspect()
    return ending.status


def prompt_follows() -> bool:
    """Whether the interpreter becomes interactive when the main module is over."""
    flags = sys.flags
    asked = flags.inspect or (not flags.ignore_environment and os.environ.get("PYTHONINSPECT"))
    return bool(asked) and (bool(flags.interactive) or os.isatty(0))


class _OverError(BaseException):
    """The main module is over, and ``sys.exit`` would end more than that, or show a traceback."""


def _raise_unseen(error: BaseException) -> NoReturn:
    """Raise `error` so that the interpreter neither shows it nor remembers it as the last one."""
    hook = sys.excepthook
    remembered = {name: value for name, value in vars(sys).items() if name in _LAST}

    def show_nothing(*_exception: object) -> None:
        sys.excepthook = hook
        for name in _LAST:
            vars(sys).pop(name, None)
        vars(sys).update(remembered)

    sys.excepthook = show_nothing
    raise error


def _main_function(
    program: Program,
    namespace: dict[str, object],
    sources: SourceBook | None,
) -> tuple[Callable[..., object] | None, tuple[object, ...]]:
    """What to call for programs that are no source file; None for those that are one.

    It must bring in no frame of ours.
    """
    if program.kind in (ProgramKind.SCRIPT, ProgramKind.STANDARD_INPUT):
        return None, ()
    if program.kind is ProgramKind.COMMAND:
        code = _compile_command(program.name)
        if sources is not None and not isinstance(code, str):
            sources.add_program(code, program.name)
        return exec, (code, namespace)
    if program.kind is ProgramKind.ENTRY_POINT:
        code = compile(program.source, program.path or "", "exec", dont_inherit=True)
        return exec, (code, namespace)
    if program.kind is ProgramKind.COMPILED:
        import marshal

        with open(program.path or "", "rb") as file:
            return exec, (marshal.loads(file.read()[_PYC_HEADER:]), namespace)
    import runpy

    runner: Callable[..., object] = runpy._run_module_as_main  # type: ignore[attr-defined]
    if program.kind is ProgramKind.MODULE:
        return runner, (program.name, True)
    return runner, ("__main__", False)


def _compile_command(text: str) -> CodeType | str:
    """The code of ``-c``, with its source where tracebacks look for it.

    Text that does not compile is left as it is: running it raises the same error in its place.
    """
    try:
        code = compile(text, "<string>", "exec", dont_inherit=True)
    except UnicodeEncodeError:
        if sys.stderr is not None:
            sys.stderr.write("Unable to decode the command from the command line:\n")
        return text
    except Exception:  # noqa: BLE001 - whatever it is, it is raised again and shown later
        return text
    import linecache

    # Since CPython 3.13 `python -c` shows source lines in tracebacks; first its lines were kept by
    # name of the file, now by code object.
    register: Callable[[object, str, str], None] | None = getattr(linecache, "_register_code", None)
    if register is not None:
        by_code = hasattr(linecache, "_interactive_cache")
        register(code if by_code else "<string>", text, "<string>")
    return code


def exit_status(error: BaseException) -> int:
    """The exit status that the interpreter derives from the SystemExit `error`."""
    code = getattr(error, "code", error)
    if code is None:
        return 0
    if not isinstance(code, int):
        return 1
    return code & 0xFF if -(2**63) <= code < 2**63 else 0xFF
