"""Recording a program that knows nothing of it: ``CODETRACER_TRACE=DIR python app.py``.

A ``.pth`` file of the distribution calls :func:`arm` while the interpreter imports ``site``. That
is too early to record: the rest of ``site`` would be in the trace, and what the program is, is not
known yet. So the session begins when the first frame starts that nothing has called, which is that
of the main module, before its first line.
"""

from __future__ import annotations

import os
import sys
from _thread import get_ident

from codetracer_core.monitoring.capabilities import (
    HAS_MONITORING,
    TOOL_IDS,
    is_subinterpreter,
    report_refusal,
)
from codetracer_core.session.names import PARENT_VARIABLE, TRACE_VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType, FrameType
    from typing import Any

    from codetracer_core.cli.imports import OwnImports
    from codetracer_core.runtime.sources import SourceBook
    from codetracer_core.session.bootstrap import TraceSessionBootstrap
    from codetracer_core.session.family import Inheritance
    from codetracer_core.session.recording import TraceSession

__all__ = ["arm"]

# The interpreter itself calls these before it comes to the main module.
_START_UP = ("<frozen importlib", "<frozen zipimport")
_KEEPING_TEXT = "_register_code"
"""Of ``linecache``, to which CPython 3.13 gives the text of ``-c`` first."""
_OWN = "codetracer"
_HELPERS = "from multiprocessing."
"""How the commands begin that multiprocessing starts its processes by."""

_armed = False


def arm() -> None:
    """Record the program that is about to run, from its first line to the interpreter's end.

    Does nothing the second time. When recording cannot start, that is said in one line on standard
    error, and the program runs on, unless the policy requires a trace or says that failures of the
    recorder abort: then it ends before its first line.
    """
    global _armed
    if _armed or not any(map(os.environ.get, (TRACE_VARIABLE, PARENT_VARIABLE))):
        return
    _armed = True
    if is_subinterpreter() or report_refusal():
        return
    first_entry = sys.path[0] if sys.path else ""
    if HAS_MONITORING:
        _watch_starts(first_entry)
    else:
        _watch_calls(first_entry)


def _watch_starts(first_entry: str) -> None:
    """Begin when the program's first code starts, as ``sys.monitoring`` tells."""
    monitoring = sys.monitoring
    free = [number for number in TOOL_IDS if monitoring.get_tool(number) is None]
    if not free:
        _refuse()
        return
    tool_id = free[0]
    main_thread = get_ident()

    def on_start(_code: CodeType, _offset: int) -> None:
        frame = sys._getframe(1)
        if get_ident() != main_thread or not _is_first(frame):
            return
        monitoring.set_events(tool_id, 0)
        monitoring.register_callback(tool_id, monitoring.events.PY_START, None)
        monitoring.free_tool_id(tool_id)
        if not _is_own(frame):
            _begin(first_entry, frame.f_code)

    monitoring.use_tool_id(tool_id, _OWN)
    monitoring.register_callback(tool_id, monitoring.events.PY_START, on_start)
    monitoring.set_events(tool_id, monitoring.events.PY_START)


def _watch_calls(first_entry: str) -> None:
    """The same as ``sys.settrace`` tells, whose function is one of the thread that sets it.

    Who has set one before gets it back when the program begins.
    """
    previous = sys.gettrace()

    def on_call(frame: FrameType, _event: str, _value: object) -> None:
        if not _is_first(frame):
            return
        sys.settrace(previous)
        if not _is_own(frame):
            _begin(first_entry, frame.f_code)

    sys.settrace(on_call)


def _is_first(frame: FrameType) -> bool:
    """Whether `frame`, which starts, is that of the main module: nothing has called it."""
    code = frame.f_code
    return (
        frame.f_back is None
        and not code.co_filename.startswith(_START_UP)
        and code.co_name != _KEEPING_TEXT
    )


def _is_own(frame: FrameType) -> bool:
    """Whether `frame`, the interpreter's first one, is that of a command of ours.

    Such a command does not look at itself, and must not replace the trace that it is to show.
    """
    code = frame.f_code
    if code.co_name == "_run_module_as_main":
        name = frame.f_locals.get("mod_name")
        return isinstance(name, str) and name.startswith(_OWN + "_")
    return os.path.basename(code.co_filename).startswith(_OWN + "-")


def _refuse() -> None:
    """Say that no tool id is free."""
    from codetracer_core.cli.report import report_failure
    from codetracer_core.errors import RecorderError
    from codetracer_core.monitoring.api import Event
    from codetracer_core.monitoring.install import Installation

    try:
        Installation.claim(Event.PY_START)
    except RecorderError as error:
        report_failure(error)


def _begin(first_entry: str, code: CodeType) -> None:
    """Begin the session in the frame that has just started and runs `code`.

    `first_entry` is the first entry of ``sys.path`` that is not the program's. Raises SystemExit
    when the session cannot begin and the policy does not let the program run without.
    """
    loaded = len(sys.modules)
    theirs = sys.path
    # The recorder must find its modules, and must not find the program's.
    sys.path = theirs[theirs.index(first_entry) :] if first_entry in theirs else list(theirs)
    try:
        from codetracer_core.cli.imports import OwnImports
        from codetracer_core.cli.light_pathlib import import_pathlib

        import_pathlib()
        session = _session(code)
        imports = OwnImports()
    finally:
        sys.path = theirs
    imports.hide(loaded)
    if session is not None:
        import atexit

        atexit.register(_AutoClosing(session, imports))
        session.unmute()


def _session(code: CodeType) -> TraceSession | None:
    """Prepare and begin the session, muted, for the program whose first code to run is `code`.

    None when that failed, which is reported here.
    """
    from codetracer_core import api
    from codetracer_core.cli.report import report_failure
    from codetracer_core.session.bootstrap import TraceSessionBootstrap
    from codetracer_core.session.family import (
        inherited,
        leave_nothing_to_children,
        leave_to_children,
    )
    from codetracer_core.session.metadata import main_script_of
    from codetracer_core.session.output import FORMAT_CT, FORMAT_VARIABLE, OutputOptions

    main_script = main_script_of(sys.modules.get("__main__"))
    inheritance = inherited(os.environ)
    folder = os.environ.get(TRACE_VARIABLE)
    try:
        if inheritance is not None:
            bootstrap = _as_child(inheritance, main_script)
        elif not folder:
            return None
        else:
            bootstrap = TraceSessionBootstrap.prepare(
                folder,
                filter_environ=os.environ,
                main_script=main_script,
                output=OutputOptions(format=os.environ.get(FORMAT_VARIABLE) or FORMAT_CT),
            )
        session = api.begin(bootstrap, adopt_running=True, muted=True, sources=_sources(code))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is not the program's
        status = report_failure(error)
        if _is_required(main_script):
            raise SystemExit(status) from None
        return None
    if session.follows:
        settings = inheritance.settings if inheritance is not None else {}
        leave_to_children(
            os.environ, session.root, session.recording_id, settings, session.mirrored
        )
    else:
        leave_nothing_to_children(os.environ)
    return session


def _as_child(inheritance: Inheritance, main_script: str | None) -> TraceSessionBootstrap:
    """What the session of a child process starts from, with the settings of its parent.

    Raises RecorderError.
    """
    from codetracer_core.session.bootstrap import TraceSessionBootstrap
    from codetracer_core.session.output import FORMAT_CT, FORMAT_VARIABLE, OutputOptions
    from codetracer_policy import PolicySource

    settings: Mapping[str, Any] = inheritance.settings
    parent = inheritance.parent
    if inheritance.mirrored:
        from codetracer_core.runtime.descriptors import leave_to_parents

        leave_to_parents(inheritance.mirrored)
    return TraceSessionBootstrap.prepare(
        parent.root / str(os.getpid()),
        filter_environ=os.environ,
        trace_filter=settings.get("trace_filter"),
        only=settings.get("only", ()),
        skip=settings.get("skip", ()),
        policy=tuple(PolicySource(*source) for source in settings.get("policy", ())) or None,
        main_script=main_script,
        activation_path=settings.get("activation_path"),
        output=OutputOptions(
            format=settings.get("format") or os.environ.get(FORMAT_VARIABLE) or FORMAT_CT,
            materialise=settings.get("materialise", "now"),
            keep_journal=settings.get("keep_journal", True),
        ),
        parent=parent,
    )


def _sources(code: CodeType) -> SourceBook:
    """What is known of a main module that is in no file: given by ``-c`` or standard input."""
    from codetracer_core.runtime.sources import SourceBook

    sources = SourceBook()
    if code.co_filename == "<string>":
        from codetracer_core.cli.interpreter import command_text

        text = command_text()
        if text is not None and not text.startswith(_HELPERS):
            sources.add_program(code, text)
    elif code.co_filename == "<stdin>" and not (sys.flags.interactive or os.isatty(0)):
        sources.add_stream(code.co_filename)
    return sources


def _is_required(main_script: str | None) -> bool:
    """Whether the policy forbids that the program runs unrecorded."""
    from codetracer_core.errors import RecorderError
    from codetracer_core.session.bootstrap import resolve_settings

    try:
        policy = resolve_settings(None, None, main_script or "")
    except RecorderError:
        return False
    return policy.require_trace or policy.on_recorder_error == "abort"


class _AutoClosing:
    """Finishes the recording when the program is over; only failures are worth a line."""

    def __init__(self, session: TraceSession, imports: OwnImports) -> None:
        from codetracer_core.cli.report import Stderr

        self._session = session
        self._imports = imports
        self._stderr = Stderr()
        self._is_asked_for = session.path == session.root

    def __call__(self) -> None:
        if not self._session.active:
            return
        self._session.mute()
        with self._imports.restored():
            self._finish()

    def _finish(self) -> None:
        from codetracer_core.cli.closing import restate_interrupt
        from codetracer_core.cli.report import report_failure
        from codetracer_core.errors import RecorderError

        # What the interpreter has shown last. In interactive mode that ends nothing.
        last = None if sys.flags.interactive or hasattr(sys, "ps1") else vars(sys).get("last_value")
        interrupted = isinstance(last, KeyboardInterrupt)
        is_asked_for = self._is_asked_for and not self._session.is_child
        if not is_asked_for and not self._session.steps:
            # A helper process of the program, such as those of multiprocessing.
            self._session.abandon()
        else:
            try:
                self._session.stop(
                    exit_code=None if last is None or interrupted else 1,
                    exit_label="<SIGINT>" if interrupted else "<exit>",
                )
            except RecorderError as error:
                report_failure(error, self._stderr)
        if interrupted:
            restate_interrupt()
