"""The program to record: found from the command line, prepared and run as ``python`` does."""

from __future__ import annotations

import builtins
import os
import sys
from enum import Enum
from types import ModuleType

from codetracer_core.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PYC_HEADER = 16

__all__ = ["Ending", "Program", "ProgramKind", "find_program", "prepare", "run"]


class ProgramKind(Enum):
    """The ways of naming a program on the command line of ``python``."""

    SCRIPT = "script"
    COMPILED = "compiled script"
    FOLDER = "folder or zip file"
    MODULE = "module"
    COMMAND = "command"


class Program:
    """A program that exists, as far as that can be told before it runs.

    ``name`` is the path, module or code as it was given, ``argv`` what ``sys.argv`` is when the
    program starts, and ``words`` the part of a ``python`` command line that names the program and
    its arguments. ``path`` is the file or folder under the name that ``python`` gives it in
    tracebacks.
    """

    __slots__ = ("argv", "kind", "name", "path", "words")

    def __init__(
        self,
        kind: ProgramKind,
        name: str,
        argv: tuple[str, ...],
        words: tuple[str, ...],
        path: str | None,
    ) -> None:
        self.kind = kind
        self.name = name
        self.argv = argv
        self.words = words
        self.path = path

    @property
    def main_script(self) -> str | None:
        """The file of the main module, where it is known before the program runs."""
        if self.path is None or self.kind is ProgramKind.COMPILED:
            return None
        if self.kind is ProgramKind.SCRIPT:
            return self.path
        main = os.path.join(self.path, "__main__.py")
        return main if os.path.isfile(main) else None


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


def find_program(words: Sequence[str]) -> Program:
    """The program that `words`, the rest of a command line, start.

    Raises UsageError when there is none.
    """
    if not words:
        raise UsageError(
            "ERR_NO_PROGRAM",
            "no program is given: name a script, -m MODULE or -c CODE;"
            " see codetracer-core record --help",
        )
    first = words[0]
    for option, kind in (("-m", ProgramKind.MODULE), ("-c", ProgramKind.COMMAND)):
        if first.startswith(option):
            rest = list(words[1:])
            if first != option:
                value = first[len(option) :]
            elif rest:
                value = rest.pop(0)
            else:
                raise UsageError("ERR_NO_PROGRAM", f"{option} needs a value: the {kind.value}")
            return Program(kind, value, (option, *rest), (option, value, *rest), None)
    return _find_file(first, words)


def _find_file(name: str, words: Sequence[str]) -> Program:
    path = name if os.path.isabs(name) else os.path.join(os.getcwd(), name)
    try:
        with open(path, "rb") as file:
            compiled = _is_compiled(name, file.read(4))
        kind = ProgramKind.COMPILED if compiled else ProgramKind.SCRIPT
    except IsADirectoryError:
        kind = ProgramKind.FOLDER
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(
            "ERR_SCRIPT_NOT_FOUND",
            f"the script {name!r} cannot be opened ({reason}): check its path",
        ) from None
    if kind is ProgramKind.SCRIPT and _has_importer(path):
        kind = ProgramKind.FOLDER
    return Program(kind, name, tuple(words), tuple(words), path)


def _is_compiled(name: str, start: bytes) -> bool:
    """Whether a file called `name` that begins with `start` is bytecode of this interpreter."""
    from importlib.util import MAGIC_NUMBER

    if name.endswith(".pyc") and start != MAGIC_NUMBER:
        raise UsageError(
            "ERR_SCRIPT_NOT_FOUND",
            f"{name!r} is compiled for another version of Python; compile its source again",
        )
    return start == MAGIC_NUMBER


def _has_importer(path: str) -> bool:
    """Whether modules can be imported from the file `path`, as from a zip file."""
    for hook in sys.path_hooks:
        try:
            hook(path)
        except ImportError:
            continue
        return True
    return False


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
    own = sys.orig_argv[: len(sys.orig_argv) - len(sys.argv) + 1]
    head = own[:-2] if own[-2:-1] == ["-m"] else own[:-1]
    sys.orig_argv[:] = [*head, *program.words]


def _first_path(program: Program) -> str:
    if program.path is not None:
        return os.path.dirname(os.path.realpath(program.path))
    return os.getcwd() if program.kind is ProgramKind.MODULE else ""


def _set_loader(program: Program, namespace: dict[str, object]) -> None:
    import importlib.machinery as machinery

    if program.kind in (ProgramKind.SCRIPT, ProgramKind.COMPILED):
        path = program.path or ""
        namespace["__file__"] = path
        namespace["__cached__"] = None
        loader = (
            machinery.SourceFileLoader
            if program.kind is ProgramKind.SCRIPT
            else machinery.SourcelessFileLoader
        )
        namespace["__loader__"] = loader("__main__", path)
    else:
        namespace["__loader__"] = machinery.BuiltinImporter


def run(program: Program, namespace: dict[str, object]) -> Ending:
    """Run `program` in `namespace` to its end; exceptions are shown by ``sys.excepthook``.

    What outlives the main module (threads, exit handlers) is left to the interpreter.
    """
    from codetracer_core._native import lib

    outcome: list[BaseException] = []
    if program.kind is ProgramKind.SCRIPT:
        path = os.fsencode(program.path or "")
        end = lib.ct_program_file(path, id(namespace), id(outcome))
    else:
        function, arguments = _main_function(program, namespace)
        end = lib.ct_program_call(id(function), id(arguments), id(outcome))
    if end == lib.CT_PROGRAM_EXITED:
        return Ending(exit_status(outcome[0]), outcome[0])
    if program.kind in (ProgramKind.SCRIPT, ProgramKind.COMPILED):
        namespace.pop("__file__", None)
        namespace.pop("__cached__", None)
    if end == lib.CT_PROGRAM_INTERRUPTED:
        return Ending(130, KeyboardInterrupt())
    return Ending(1 if end == lib.CT_PROGRAM_FAILED else 0, None)


def _main_function(
    program: Program, namespace: dict[str, object]
) -> tuple[Callable[..., object], tuple[object, ...]]:
    """What to call for programs that are no source file. It must bring in no frame of ours."""
    if program.kind is ProgramKind.COMMAND:
        return exec, (_compile_command(program.name), namespace)
    if program.kind is ProgramKind.COMPILED:
        import marshal

        with open(program.path or "", "rb") as file:
            return exec, (marshal.loads(file.read()[_PYC_HEADER:]), namespace)
    import runpy

    runner: Callable[..., object] = runpy._run_module_as_main  # type: ignore[attr-defined]
    if program.kind is ProgramKind.MODULE:
        return runner, (program.name, True)
    return runner, ("__main__", False)


def _compile_command(text: str) -> object:
    """The code of ``-c``, with its source where tracebacks look for it.

    Text that does not compile is left as it is: running it raises the same error in its place.
    """
    try:
        code = compile(text, "<string>", "exec", dont_inherit=True)
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
