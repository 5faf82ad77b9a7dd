"""The command line ``python -m codetracer_python_recorder``."""

from __future__ import annotations

import json
import os
import sys

from codetracer_core import __version__, api
from codetracer_core.cli.record_options import is_disabled
from codetracer_core.ctfs.materialiser_meta import write_json
from codetracer_core.errors import RecorderError
from codetracer_core.session.bootstrap import TraceSessionBootstrap
from codetracer_core.session.environment import DISABLED_VARIABLE, OUT_DIR_VARIABLE
from codetracer_core.session.names import COMPATIBLE_NAME, METADATA_NAME
from codetracer_core.session.output import OutputOptions

from . import _policy
from ._arguments import RecorderCLIConfig, parse_arguments
from ._target import Outcome, find_target, run_target
from .auto_start import ENV_TRACE_FILTER
from .codetracer_python_recorder import configure_policy, configure_policy_from_env
from .session import _normalize_trace_filter, policy_arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from codetracer_core.cli.program import Program
    from codetracer_core.session.recording import TraceSession

__all__ = ["ENV_DISABLED", "ENV_OUT_DIR", "RecorderCLIConfig", "main"]

ENV_DISABLED = DISABLED_VARIABLE
ENV_OUT_DIR = OUT_DIR_VARIABLE
_parse_args = parse_arguments


def main(argv: Iterable[str] | None = None) -> int:
    """Record the program that `argv` (``sys.argv[1:]`` unless given) names; return the status.

    That is 0, also when the program fails, unless its status is to be passed on; 1 when an
    exception ended the program or the recorder failed. Raises SystemExit(2) for wrong arguments,
    and the KeyboardInterrupt that ended the program.
    """
    config = _parse_args(list(sys.argv[1:] if argv is None else argv))
    try:
        program = find_target(config)
        if is_disabled(os.environ):
            _say(f"not recording: {ENV_DISABLED} is set")
            return _end(run_target(program)).status
    except RecorderError as error:
        _say(f"failed to start: {error}")
        return 2
    try:
        session = _begin(config, program)
    except RecorderError as error:
        _say(f"failed to start the session: {error}")
        return 1
    session.unmute()
    try:
        outcome = run_target(program)
    finally:
        session.mute()
    try:
        session.stop(exit_code=None if outcome.failed else outcome.status)
    except RecorderError as error:
        _say(f"failed to stop the session: {error}")
        _end(outcome)
        return 1
    _describe(config)
    _end(outcome)
    if outcome.failed or outcome.status == 0 or _policy.snapshot()["propagate_script_exit"]:
        return outcome.status
    _say(
        f"script exited with status {outcome.status}; returning 0"
        " (--propagate-script-exit passes the status on)"
    )
    return 0


def _begin(config: RecorderCLIConfig, program: Program) -> TraceSession:
    """Start the session, which waits for the program. Raises RecorderError."""
    api.refuse_second()
    specs = [*filter(None, [os.environ.get(ENV_TRACE_FILTER)]), *config.trace_filter]
    filters = _normalize_trace_filter(specs or None)
    configure_policy_from_env()
    configure_policy(**policy_arguments(config.policy_overrides))
    gate = None if config.activation_path == config.script else config.activation_path
    bootstrap = TraceSessionBootstrap.prepare(
        config.trace_dir,
        trace_filter=filters,
        framework=config.framework,
        framework_filters=not config.no_framework_filters,
        policy=_policy.session_settings(),
        policy_environ={},
        argv=program.argv,
        main_script=program.main_script,
        home=program.home,
        activation_path=gate,
        output=OutputOptions(format=config.format),
    )
    return api.begin(bootstrap, muted=True)


def _describe(config: RecorderCLIConfig) -> None:
    """Name the recorder in the trace's metadata as readers of its files know it."""
    path = config.trace_dir / METADATA_NAME
    try:
        metadata = json.loads(path.read_bytes())
        recorder: dict[str, object] = {"name": COMPATIBLE_NAME, "version": __version__}
        if config.script is not None:
            recorder["target_script"] = str(config.script)
        if config.framework is not None:
            recorder["test_framework"] = config.framework
        write_json(path, {**metadata, "recorder": recorder})
    except (OSError, ValueError, TypeError, RecorderError) as error:
        _say(f"{path} could not be completed: {error}")


def _end(outcome: Outcome) -> Outcome:
    """Raise the exception that ended the program if it must end this process, too."""
    if outcome.interrupt is not None:
        # Its traceback was shown already.
        sys.excepthook = lambda *_exception: None
        raise outcome.interrupt
    return outcome


def _say(text: str) -> None:
    print(f"{COMPATIBLE_NAME}: {text}", file=sys.stderr)
