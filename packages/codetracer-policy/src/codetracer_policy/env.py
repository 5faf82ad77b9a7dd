"""The environment variables that set the policy: one table, and reading it."""

from __future__ import annotations

import os

from codetracer_policy._parse import (
    LARGEST_SIZE,
    parse_bool,
    parse_capture_io,
    parse_choice,
    parse_count,
    parse_keep_last,
    parse_signal,
    parse_size,
)
from codetracer_policy._records import record
from codetracer_policy.errors import PolicyError, PolicyProblem, PolicyValueError
from codetracer_policy.model import (
    LIMIT_BOUNDS,
    OnRecorderError,
    OriginKind,
    PolicyOrigin,
    ValueRepr,
)
from codetracer_policy.update import PolicyLayer, PolicyPath, PolicyUpdate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["VARIABLES", "Variable", "parse_bool", "parse_capture_io", "read_environment"]

_PLACE = "environment"


@record(frozen=True, slots=True)
class Variable:
    """One environment variable."""

    name: str
    fields: tuple[str, ...]
    """The settings it sets, by flat name."""
    syntax: str
    """What it may hold, for documentation and messages."""
    summary: str
    parse: Callable[[str, str], PolicyUpdate]
    """From its text and its name to the change; raises PolicyValueError."""


def _on_recorder_error(text: str, name: str) -> PolicyUpdate:
    choice = parse_choice(text, OnRecorderError, name=name, place=_PLACE)
    return PolicyUpdate(on_recorder_error=choice)


def _capture_io(text: str, name: str) -> PolicyUpdate:
    io = parse_capture_io(text, name=name, place=_PLACE)
    return PolicyUpdate(
        io_capture_line_proxies=io.line_proxies, io_capture_fd_fallback=io.fd_fallback
    )


def _flag(field: str, summary: str) -> Variable:
    def parse(text: str, name: str) -> PolicyUpdate:
        flag = parse_bool(text, name=name, place=_PLACE)
        return PolicyUpdate(**{field: flag})  # type: ignore[arg-type]

    return Variable(f"CODETRACER_{field.upper()}", (field,), "on or off", summary, parse)


def _limit(field: str, summary: str, *, sized: bool = False) -> Variable:
    lowest, highest = LIMIT_BOUNDS[field]
    read = parse_size if sized else parse_count

    def parse(text: str, name: str) -> PolicyUpdate:
        limit = read(text, lowest, highest, name=name, place=_PLACE)
        return PolicyUpdate(**{field: limit})  # type: ignore[arg-type]

    syntax = "a size such as 64KiB" if sized else "a number"
    return Variable(f"CODETRACER_{field.upper()}", (field,), syntax, summary, parse)


def _level(name: str, summary: str) -> Variable:
    def parse(text: str, _name: str) -> PolicyUpdate:
        return PolicyUpdate(log_level=text.strip())

    return Variable(
        name, ("log_level",), "levels such as warn,codetracer_core=debug", summary, parse
    )


VARIABLES: tuple[Variable, ...] = (
    Variable(
        "CODETRACER_ON_RECORDER_ERROR",
        ("on_recorder_error",),
        "disable or abort",
        "what happens to the program when the recorder fails",
        _on_recorder_error,
    ),
    _flag("require_trace", "a session that records nothing is a failure"),
    _flag("keep_partial_trace", "finalise a trace that a recorder failure cut short"),
    _level("CODETRACER_LOG", "what the recorder logs"),
    _level("CODETRACER_LOG_LEVEL", "the same; stronger than CODETRACER_LOG"),
    Variable(
        "CODETRACER_LOG_FILE",
        ("log_file",),
        "a path",
        "where the recorder logs, instead of standard error",
        lambda text, _name: PolicyUpdate(log_file=PolicyPath(text)),
    ),
    _flag("json_errors", "write one line of JSON to standard error for each failure"),
    Variable(
        "CODETRACER_CAPTURE_IO",
        ("io_capture_line_proxies", "io_capture_fd_fallback"),
        "off, proxies or proxies+fd",
        "which output and input of the program is recorded",
        _capture_io,
    ),
    _flag("module_name_from_globals", "name modules by the __name__ in their globals"),
    _flag("propagate_script_exit", "exit with the program's status"),
    _limit("max_depth", "levels of containers inside containers"),
    _limit("max_items", "items recorded of one container"),
    _limit("max_text", "characters recorded of one text"),
    _limit("max_value", "bytes recorded of one variable", sized=True),
    _limit("max_step", "bytes recorded of all variables at one step", sized=True),
    Variable(
        "CODETRACER_VALUE_REPR",
        ("value_repr",),
        "fields or call",
        "record objects by their stored fields, or call their __repr__",
        lambda text, name: PolicyUpdate(
            value_repr=parse_choice(text, ValueRepr, name=name, place=_PLACE)
        ),
    ),
    _flag("redact_output", "replace texts of redacted values in recorded output"),
    _flag("capture_logging", "record what loggers of the module logging are given"),
    _flag("follow", "record child processes that run Python, too"),
    Variable(
        "CODETRACER_MAX_SIZE",
        ("max_size",),
        "a size such as 1GiB",
        "end the recording when its journal has this size",
        lambda text, name: PolicyUpdate(
            max_size=parse_size(text, 0, LARGEST_SIZE, name=name, place=_PLACE)
        ),
    ),
    Variable(
        "CODETRACER_KEEP_LAST",
        ("keep_last",),
        "a size such as 64MiB or a time such as 30s",
        "keep only the end of the recording",
        lambda text, name: PolicyUpdate(keep_last=parse_keep_last(text, name=name, place=_PLACE)),
    ),
    Variable(
        "CODETRACER_SAVE_ON",
        ("save_on",),
        "hup, quit, usr1, usr2 or none",
        "the signal at which a copy of what is recorded is saved",
        lambda text, name: PolicyUpdate(save_on=parse_signal(text, name=name, place=_PLACE)),
    ),
)
"""Every variable that sets the policy; of two that set one field the later one wins."""


def read_environment(environ: Mapping[str, str] | None = None) -> tuple[PolicyLayer, ...]:
    """What the environment says, one layer for each variable that is not blank.

    ``environ`` is ``os.environ`` unless given. Raises PolicyValueError with every invalid variable.
    """
    environ = os.environ if environ is None else environ
    layers: list[PolicyLayer] = []
    problems: list[PolicyProblem] = []
    for variable in VARIABLES:
        text = environ.get(variable.name, "")
        if not text.strip():
            continue
        try:
            update = variable.parse(text, variable.name)
        except PolicyError as error:
            problems.extend(error.problems)
        else:
            origin = PolicyOrigin(OriginKind.ENVIRONMENT, variable.name)
            layers.append(PolicyLayer(update, origin))
    if problems:
        raise PolicyValueError(problems)
    return tuple(layers)
