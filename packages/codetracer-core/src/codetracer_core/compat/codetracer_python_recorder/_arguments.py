"""The command line: what was asked for, from options that may stand before or after the script."""

from __future__ import annotations

import os
from argparse import (
    REMAINDER,
    SUPPRESS,
    ArgumentParser,
    BooleanOptionalAction,
    Namespace,
)
from dataclasses import dataclass
from pathlib import Path

from codetracer_core import __version__
from codetracer_core.session.environment import OUT_DIR_VARIABLE

from .formats import DEFAULT_FORMAT, SUPPORTED_FORMATS, normalize_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["RecorderCLIConfig", "parse_arguments"]

_IO_CAPTURE = {
    "off": {"io_capture_line_proxies": False, "io_capture_fd_fallback": False},
    "proxies": {"io_capture_line_proxies": True, "io_capture_fd_fallback": False},
    "proxies+fd": {"io_capture_line_proxies": True, "io_capture_fd_fallback": True},
}
_POLICY_OPTIONS = (
    "on_recorder_error",
    "require_trace",
    "keep_partial_trace",
    "log_level",
    "log_file",
    "json_errors",
    "module_name_from_globals",
    "propagate_script_exit",
)


@dataclass(frozen=True, slots=True)
class RecorderCLIConfig:
    """What a command line asks for; all paths are absolute and real.

    ``script`` is None when a test framework is run. ``policy_overrides`` holds only the settings
    that were given, and ``trace_filter`` the texts as they were given.
    """

    trace_dir: Path
    format: str
    activation_path: Path | None
    script: Path | None
    script_args: list[str]
    trace_filter: tuple[str, ...]
    policy_overrides: dict[str, object]
    pytest_args: list[str] | None = None
    unittest_args: list[str] | None = None
    no_framework_filters: bool = False

    @property
    def out_dir(self) -> Path:
        """The folder of the trace under its other name."""
        return self.trace_dir

    @property
    def framework(self) -> str | None:
        """``"pytest"`` or ``"unittest"`` when one of them is run."""
        if self.pytest_args is not None:
            return "pytest"
        return "unittest" if self.unittest_args is not None else None

    @property
    def framework_args(self) -> list[str]:
        """The arguments of the test framework."""
        return self.pytest_args or self.unittest_args or []

    @property
    def argv(self) -> list[str]:
        """The command line of the script, with its own name; empty without a script."""
        return [] if self.script is None else [str(self.script), *self.script_args]


def parse_arguments(argv: Sequence[str]) -> RecorderCLIConfig:
    """What `argv` asks for. Prints the reason and raises SystemExit(2) when it cannot be done."""
    parser = _parser()
    known, rest = parser.parse_known_args(argv)
    script: Path | None = None
    script_args: list[str] = []
    for name in ("pytest", "unittest"):
        if getattr(known, name) == []:
            parser.error(f"--{name} needs arguments for {name}")
    if known.pytest is None and known.unittest is None:
        script, script_args = _script(parser, rest)
    form = normalize_format(known.format)
    if form not in SUPPORTED_FORMATS:
        names = ", ".join(sorted(SUPPORTED_FORMATS))
        parser.error(f"unsupported trace format {known.format!r}: use one of {names}")
    return RecorderCLIConfig(
        trace_dir=_real(known.trace_dir or os.environ.get(OUT_DIR_VARIABLE) or "trace-out"),
        format=form,
        activation_path=_real(known.activation_path) if known.activation_path else script,
        script=script,
        script_args=script_args,
        trace_filter=tuple(known.trace_filter or ()),
        policy_overrides=_policy_overrides(known),
        pytest_args=known.pytest,
        unittest_args=known.unittest,
        no_framework_filters=known.no_framework_filters,
    )


def _script(parser: ArgumentParser, rest: list[str]) -> tuple[Path, list[str]]:
    """The script and its arguments; one ``--`` before and one after the script are dropped."""
    words = rest[1:] if rest[:1] == ["--"] else rest
    if not words:
        parser.error("no script is given")
    script = Path(words[0]).expanduser()
    if not script.exists():
        parser.error(f"script '{script}' does not exist")
    arguments = words[1:]
    return script.resolve(), arguments[1:] if arguments[:1] == ["--"] else arguments


def _policy_overrides(known: Namespace) -> dict[str, object]:
    values = {name: getattr(known, name) for name in _POLICY_OPTIONS}
    overrides = {name: value for name, value in values.items() if value not in (None, "")}
    if "log_file" in overrides:
        overrides["log_file"] = _real(known.log_file)
    return overrides | _IO_CAPTURE.get(known.io_capture, {})


def _real(path: str) -> Path:
    return Path(path).expanduser().resolve()


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="codetracer_python_recorder",
        usage="python -m codetracer_python_recorder [OPTION]... SCRIPT [ARGUMENT]...",
        description="Run a Python script and record it. Options may also stand after the script;"
        " what no option takes belongs to the script, and so does everything after --.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("-V", "--version", action="version", version=f"codetracer-core {__version__}")
    add(
        "-o",
        "--out-dir",
        "--trace-dir",
        dest="trace_dir",
        metavar="DIR",
        help=f"folder of the trace (default: ${OUT_DIR_VARIABLE}, or ./trace-out)",
    )
    add(
        "--format",
        default=DEFAULT_FORMAT,
        metavar="FORMAT",
        help=f"form of the trace: {', '.join(sorted(SUPPORTED_FORMATS))} (default: %(default)s)",
    )
    add(
        "--activation-path",
        metavar="FILE",
        help="record only below code of this file (default: the script)",
    )
    add(
        "--trace-filter",
        action="append",
        metavar="FILE",
        help="filter file, or several with :: between them; may be repeated",
    )
    add("--on-recorder-error", choices=["abort", "disable"], help="when the recorder fails")
    add("--require-trace", action="store_true", default=None, help="fail if nothing is recorded")
    add(
        "--keep-partial-trace",
        action="store_true",
        default=None,
        help="keep a trace that a failure cut short",
    )
    add("--log-level", metavar="LEVEL", help="what the recorder logs, such as info or debug")
    add("--log-file", metavar="FILE", help="where the recorder logs (default: standard error)")
    add("--json-errors", action="store_true", default=None, help="report failures as JSON, too")
    add("--io-capture", choices=list(_IO_CAPTURE), help="which output is recorded")
    add("--module-name-from-globals", action=BooleanOptionalAction, help="name modules by __name__")
    add("--propagate-script-exit", action=BooleanOptionalAction, help="exit as the script does")
    add("--no-framework-filters", action="store_true", help="use no filter of the test framework")
    framework = parser.add_mutually_exclusive_group()
    framework.add_argument(
        "--pytest", nargs=REMAINDER, metavar="ARG", help="run pytest with all that follows"
    )
    framework.add_argument(
        "--unittest", nargs=REMAINDER, metavar="ARG", help="run unittest with all that follows"
    )
    # Understood for callers that pass them; this recorder neither formats sources nor uploads.
    add("--autoformat", action=BooleanOptionalAction, help=SUPPRESS)
    add("--omniscient-db", choices=["off", "on", "lazy", "pre-prepared"], help=SUPPRESS)
    return parser
