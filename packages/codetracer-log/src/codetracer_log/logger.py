"""The recorder's own log: JSON lines that never pass through the program's streams or logging."""

from __future__ import annotations

import os
import sys

from codetracer_log import _destination
from codetracer_log._failure import Failure, first_report
from codetracer_log._identity import active_error_code
from codetracer_log._pipeline import LOG_LINE
from codetracer_log.errors import ERR_IO, LogSpecError
from codetracer_log.spec import DEFAULT_SPEC, LEVELS, FilterSpec
from codetracer_log.trailer import emit_error_trailer, trailer_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

__all__ = ["RecorderLogger", "log_recorder_error", "recorder_logger"]

_OWN_TARGET = "codetracer_log::logger"
_ERRORS_TARGET = "codetracer::errors"
_ERROR, _WARN, _INFO, _DEBUG, _TRACE = (
    LEVELS[name] for name in ("ERROR", "WARN", "INFO", "DEBUG", "TRACE")
)
_NAMES = {verbosity: name for name, verbosity in LEVELS.items()}


class RecorderLogger:
    """Writes one JSON object a line to the real standard error or to a file.

    Usable from any thread. A line that the level specification does not let through costs one
    comparison. No method raises for a destination that fails: a file that cannot be written is
    replaced by standard error, and a line that cannot be written there either is lost.
    """

    __slots__ = ("_file", "_spec", "_warned")

    def __init__(self) -> None:
        self._spec = DEFAULT_SPEC
        self._file: str | None = None
        self._warned: set[str] = set()

    @property
    def spec(self) -> FilterSpec:
        """The level specification in force."""
        return self._spec

    @property
    def log_file(self) -> str | None:
        """The absolute path of the file that lines go to, or None for standard error."""
        return self._file

    def configure(
        self, *, level: str | None = None, log_file: str | os.PathLike[str] | None = None
    ) -> None:
        """Set the level specification and the destination; None means the default of each.

        What cannot be used is warned about once in the log and replaced by its default.
        """
        invalid: LogSpecError | None = None
        try:
            self._spec = FilterSpec.parse(level or "")
        except LogSpecError as error:
            self._spec = DEFAULT_SPEC
            invalid = error
        self._file = self._usable(log_file)
        if invalid is not None:
            self._warn_once(f"spec {level}", invalid.message, invalid.code)

    def enabled(self, level: str, target: str) -> bool:
        """Whether a line of this level (``"DEBUG"``) from ``target`` would be written."""
        return self._spec.allows(LEVELS[level], target)

    def error(
        self, message: str, /, *, target: str = "", error_code: str | None = None, **fields: object
    ) -> None:
        """Log a failure. Here and below ``target`` is the calling module's name unless given."""
        if self._spec.loudest >= _ERROR:
            self._log(_ERROR, message, target, error_code, fields)

    def warn(
        self, message: str, /, *, target: str = "", error_code: str | None = None, **fields: object
    ) -> None:
        """Log something that the user may want to correct."""
        if self._spec.loudest >= _WARN:
            self._log(_WARN, message, target, error_code, fields)

    def info(
        self, message: str, /, *, target: str = "", error_code: str | None = None, **fields: object
    ) -> None:
        """Log a milestone of a session."""
        if self._spec.loudest >= _INFO:
            self._log(_INFO, message, target, error_code, fields)

    def debug(
        self, message: str, /, *, target: str = "", error_code: str | None = None, **fields: object
    ) -> None:
        """Log a decision of the recorder."""
        if self._spec.loudest >= _DEBUG:
            self._log(_DEBUG, message, target, error_code, fields)

    def trace(
        self, message: str, /, *, target: str = "", error_code: str | None = None, **fields: object
    ) -> None:
        """Log a detail that only the recorder's developers want."""
        if self._spec.loudest >= _TRACE:
            self._log(_TRACE, message, target, error_code, fields)

    def _log(
        self,
        level: int,
        message: str,
        target: str,
        error_code: str | None,
        fields: dict[str, object],
        trailer: bytes = b"",
    ) -> None:
        """Write the line if it passes, and `trailer`; it names the place two calls up."""
        caller = sys._getframe(2)
        module = _module_name(caller)
        target = target or (module or _OWN_TARGET).replace(".", "::")
        if not self._spec.allows(level, target):
            self._write(b"", trailer)
            return
        code = error_code or active_error_code()
        line = LOG_LINE.line(
            {
                "level": _NAMES[level],
                "target": target,
                "message": message,
                "error_code": code,
                "module_path": module,
                "file": caller.f_code.co_filename,
                "line": caller.f_lineno,
                "fields": {**fields, "error_code": code} if code else fields,
            }
        )
        self._write(line or b"", trailer)

    def _write(self, line: bytes, trailer: bytes) -> None:
        """Write `line` where lines go and `trailer` to standard error: together if they can."""
        if line and self._file is not None:
            try:
                _destination.append_to_file(self._file, line)
            except OSError:
                pass
            else:
                line = b""
        if line or trailer:
            _destination.write_to_stderr(line + trailer)

    def _usable(self, log_file: str | os.PathLike[str] | None) -> str | None:
        """The absolute path when lines can be appended there, else None after a warning."""
        if log_file is None:
            return None
        try:
            path = os.path.abspath(log_file)
            _destination.append_to_file(path)
        except (OSError, ValueError) as error:
            self._file = None
            reason = error.strerror if isinstance(error, OSError) else "not a path"
            self._warn_once(
                f"file {os.fspath(log_file)!r}",
                f"cannot log to {os.fspath(log_file)!r}: {reason}; logging to standard error",
                ERR_IO,
            )
            return None
        return path

    def _warn_once(self, about: str, message: str, code: str) -> None:
        if about not in self._warned:
            self._warned.add(about)
            self.warn(message, target=_OWN_TARGET, error_code=code)


def _module_name(frame: FrameType) -> str | None:
    name = frame.f_globals.get("__name__")
    return name if type(name) is str else None


_process_logger = RecorderLogger()


def recorder_logger() -> RecorderLogger:
    """The logger of this process."""
    return _process_logger


def log_recorder_error(
    label: str, error: BaseException, *, target: str = _ERRORS_TARGET, trailer: bool = False
) -> bool:
    """Log a failure with its code at level ERROR, once, also when it comes back wrapped.

    ``label`` says what failed, ``target`` should end in ``::errors``. With ``trailer`` the
    failure's trailer follows (see ``emit_error_trailer``), in the same write if the log goes to
    standard error. Returns whether this was the first time.
    """
    if not first_report(error, "log"):
        if trailer:
            emit_error_trailer(error)
        return False
    failure = Failure(error)
    _process_logger._log(
        _ERROR,
        f"{label}: {failure.message}{failure.details}",
        target,
        failure.code,
        {"error_kind": failure.kind},
        (trailer_line(error) or b"") if trailer else b"",
    )
    return True
