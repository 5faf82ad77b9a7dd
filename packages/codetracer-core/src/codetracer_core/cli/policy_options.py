"""The settings of a session as options of the command line."""

from __future__ import annotations

import os

from codetracer_core.cli.arguments import Option
from codetracer_core.errors import RecorderError
from codetracer_core.session.errors import as_recorder_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codetracer_core.cli.arguments import Words
    from codetracer_policy import PolicySource, RecorderPolicy

__all__ = ["POLICY_OPTIONS", "policy_in_spite_of_options", "policy_of_options"]

POLICY_OPTIONS = (
    Option(
        ("--on-recorder-error",),
        "what a failure of the recorder does to the program: disable\n"
        "(stop recording, the default) or abort (raise it there)",
        "disable|abort",
    ),
    Option(("--require-trace",), "a recording of nothing is a failure", negatable=True),
    Option(
        ("--keep-partial-trace",),
        "finish a trace that a failure of the recorder cut short (the\n"
        "default); without, remove it",
        negatable=True,
    ),
    Option(
        ("--log-level",),
        "what the recorder logs: off, error, warn, info, debug, trace,\n"
        "also TARGET=LEVEL, joined by commas",
        "LEVELS",
    ),
    Option(("--log-file",), "log to FILE instead of standard error", "FILE"),
    Option(("--json-errors",), "add a line of JSON to each failure", negatable=True),
    Option(
        ("--io-capture",),
        "record output and input: proxies (the default) or off",
        "off|proxies|proxies+fd",
    ),
    Option(
        ("--module-name-from-globals",),
        "name modules by their __name__ (the default)",
        negatable=True,
    ),
    Option(
        ("--propagate-script-exit",),
        "exit with the program's status (the default); without, a\n"
        "status that sys.exit was given becomes 0, with a notice",
        negatable=True,
    ),
    Option(("--max-depth",), "levels of containers inside containers (6)", "NUMBER"),
    Option(("--max-items",), "items recorded of one container (100)", "NUMBER"),
    Option(("--max-text",), "characters recorded of one text (1024)", "NUMBER"),
    Option(("--max-value",), "bytes recorded of one variable (16KiB)", "SIZE"),
    Option(("--max-step",), "bytes recorded of all variables at a step (256KiB)", "SIZE"),
    Option(
        ("--value-repr",),
        "record objects by their stored fields (the default), or call\ntheir __repr__",
        "fields|call",
    ),
    Option(
        ("--redact-output",),
        "replace texts of redacted values in recorded output (the default)",
        negatable=True,
    ),
    Option(
        ("--capture-logging",),
        "record what loggers of the module logging are given",
        negatable=True,
    ),
    Option(
        ("--follow",),
        "record child processes that run Python, each in a folder inside\nDIR (the default)",
        negatable=True,
    ),
    Option(("--max-size",), "end the recording when its journal has this size", "SIZE"),
    Option(
        ("--keep-last",),
        "keep only the end of the recording: a size such as 64MiB, or a\ntime such as 30s",
        "SIZE|TIME",
    ),
    Option(
        ("--save-on",),
        "save a copy of what is recorded at this signal: hup, quit,\nusr1 or usr2",
        "SIGNAL",
    ),
)
"""One option for each setting; its name is the setting's, with dashes."""

_CAPTURE = "--io-capture"


def policy_of_options(given: Words) -> tuple[PolicySource, ...]:
    """The settings that options give, each one labelled with its option.

    Of an option that was repeated the last value counts. Raises RecorderError for a value that no
    setting could check later; the policy refuses the others.
    """
    names = [option.names[-1] for option in POLICY_OPTIONS if given.given(option.names[-1])]
    if not names:
        return ()
    from codetracer_policy import PolicySource

    return tuple(PolicySource(_settings(name, given), name) for name in names)


def policy_in_spite_of_options(given: Words) -> RecorderPolicy:
    """The policy that reports a failure to start, perhaps because of one of the options given."""
    from codetracer_core.session.reporting import policy_in_spite_of_mistakes

    try:
        return policy_in_spite_of_mistakes(policy_of_options(given))
    except RecorderError:
        from codetracer_policy import PolicySource

        json_errors = {"json_errors": given.switch("--json-errors")}
        return policy_in_spite_of_mistakes((PolicySource(json_errors, "--json-errors"),))


def _settings(name: str, given: Words) -> dict[str, object]:
    """The values by flat name that option `name` stands for."""
    value = given.last(name, "")
    if name == _CAPTURE:
        return _captured(value)
    if name == "--log-file" and value:
        value = os.path.abspath(os.path.expanduser(value))
    flag = next(option for option in POLICY_OPTIONS if option.names[-1] == name)
    setting = name.removeprefix("--").replace("-", "_")
    return {setting: given.switch(name) if flag.metavar is None else value}


def _captured(text: str) -> dict[str, object]:
    from codetracer_policy import PolicyError, parse_capture_io

    try:
        capture = parse_capture_io(text, name=_CAPTURE, place="option")
    except PolicyError as error:
        raise as_recorder_error(error) from error
    return {
        "io_capture_line_proxies": capture.line_proxies,
        "io_capture_fd_fallback": capture.fd_fallback,
    }
