"""The options of ``codetracer-core record``, and what they say beyond the policy."""

from __future__ import annotations

import os

from codetracer_core.cli.arguments import Command, Option
from codetracer_core.cli.policy_options import POLICY_OPTIONS, policy_of_options
from codetracer_core.session.environment import DISABLED_VARIABLE, OUT_DIR_VARIABLE
from codetracer_core.session.errors import as_recorder_error
from codetracer_core.session.family import leave_nothing_to_children, leave_to_children
from codetracer_core.session.output import FORMAT_CT, OutputOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from codetracer_core.cli.arguments import Words
    from codetracer_core.session.recording import TraceSession

__all__ = [
    "COMMAND",
    "FILTER_OPTIONS",
    "OUT_DIR_OPTION",
    "check_filters",
    "follow_children",
    "is_disabled",
    "out_dir_of",
    "output_of",
]

_OUT_DIR = "trace-out"

OUT_DIR_OPTION = Option(
    ("--trace-dir", "-o", "--out-dir"),
    "folder of the trace, made if need be (default:\n"
    f"${OUT_DIR_VARIABLE}, or ./{_OUT_DIR});\n"
    "an older trace in it is replaced",
    "DIR",
)

FILTER_OPTIONS = (
    Option(
        ("--trace-filter",),
        "a filter file, which applies after the built-in filter and\n"
        "the project's; may be repeated",
        "FILE",
    ),
    Option(
        ("--only",),
        "record only what SELECTOR names, such as pkg:shop.*; may be\nrepeated",
        "SELECTOR",
    ),
    Option(
        ("--skip",),
        "do not record what SELECTOR names, such as file:tests/**;\nmay be repeated",
        "SELECTOR",
    ),
    Option(
        ("--no-framework-filters",),
        "with --pytest and --unittest: do without the built-in filter\nthat skips the framework",
    ),
)
"""The options that choose what is recorded."""

COMMAND = Command(
    "record",
    usage="""\
codetracer-core record [OPTION]... SCRIPT [ARGUMENT]...
       codetracer-core record [OPTION]... -m MODULE [ARGUMENT]...
       codetracer-core record [OPTION]... -c CODE [ARGUMENT]...
       codetracer-core record [OPTION]... - [ARGUMENT]...
       codetracer-core record [OPTION]... --pytest|--unittest [ARGUMENT]...""",
    about="""\
Run a program exactly as python would, and record it. SCRIPT is a file, a folder or zip
file with a __main__, or the name of a console script such as flask; - reads the program
from standard input. Everything from the program's name on belongs to the program. The
exit status is the program's.""",
    options=(
        OUT_DIR_OPTION,
        Option(
            ("--format",),
            "ct (the default; also ctfs, binary, bin), which debuggers\n"
            "open, or json, an array of events",
            "ct|json",
        ),
        Option(
            ("--materialise",),
            "make the trace when the program ends (now, the default), or\n"
            "leave that to codetracer-core show (later)",
            "now|later",
        ),
        Option(("--no-keep-journal",), "remove the journal once the trace is made"),
        Option(
            ("--activation-path",),
            "record only while code of FILE runs, and what it calls",
            "FILE",
        ),
        *FILTER_OPTIONS,
        *POLICY_OPTIONS,
        Option(("-q", "--quiet"), "print neither progress nor the line at the end"),
    ),
    examples="""\
  codetracer-core record app.py --port 8000
  codetracer-core record --out-dir traces/run1 -m json.tool data.json
  codetracer-core record flask --app shop run
  codetracer-core record --only 'pkg:shop.*' --pytest -q tests
""",
)


def out_dir_of(command: Command, given: Words, environ: Mapping[str, str]) -> str:
    """The folder of the trace. Raises UsageError when it has no name."""
    out_dir = given.last("--out-dir", environ.get(OUT_DIR_VARIABLE, "").strip() or _OUT_DIR)
    if not out_dir:
        raise command.misuse("--out-dir names no folder")
    return out_dir


def output_of(given: Words) -> OutputOptions:
    """The form of the trace, and when it is made. Raises UsageError."""
    return OutputOptions(
        format=given.last("--format", FORMAT_CT),
        materialise=COMMAND.choice(given, "--materialise", ("now", "later")),
        keep_journal=not given.given("--no-keep-journal"),
    )


def check_filters(command: Command, given: Words) -> None:
    """Raise UsageError for options that name filters or selectors and are blank."""
    for name, what in (("--trace-filter", "file"), ("--only", "selector"), ("--skip", "selector")):
        if not all(words.replace("::", "").strip() for words in given.every(name)):
            raise command.misuse(f"{name} names no {what}")


def follow_children(environ: MutableMapping[str, str], session: TraceSession, given: Words) -> None:
    """Let programs that are started with `environ` be recorded like this one, or none of them."""
    if not session.follows:
        leave_nothing_to_children(environ)
        return
    sources = policy_of_options(given)
    activation = given.last("--activation-path", "")
    settings = {
        "trace_filter": [_absolute_filters(words) for words in given.every("--trace-filter")],
        "only": given.every("--only"),
        "skip": given.every("--skip"),
        "policy": [[dict(source.values), source.detail] for source in sources],
        "activation_path": os.path.abspath(os.path.expanduser(activation)) if activation else None,
        "format": given.last("--format", FORMAT_CT),
        "materialise": given.last("--materialise", "now"),
        "keep_journal": not given.given("--no-keep-journal"),
    }
    leave_to_children(environ, session.path, session.recording_id, settings, session.mirrored)


def _absolute_filters(words: str) -> str:
    """The filters that an option names, as every folder has them."""
    return "::".join(
        os.path.abspath(os.path.expanduser(word)) for word in words.split("::") if word.strip()
    )


def is_disabled(environ: Mapping[str, str]) -> bool:
    """Whether the environment says that programs are to be run unrecorded.

    Raises RecorderError when it says what is neither yes nor no.
    """
    text = environ.get(DISABLED_VARIABLE, "")
    if not text.strip():
        return False
    from codetracer_policy import PolicyError, parse_bool

    try:
        return parse_bool(text, name=DISABLED_VARIABLE, place="environment")
    except PolicyError as error:
        raise as_recorder_error(error) from error
