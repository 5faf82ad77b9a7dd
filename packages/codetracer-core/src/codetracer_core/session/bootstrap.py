"""Everything that can go wrong before a session, done before anything is installed."""

from __future__ import annotations

import sys

from codetracer_core.session.errors import as_recorder_error
from codetracer_core.session.filesystem import OutputFolder, prepare_folder
from codetracer_core.session.filters import explicit_filters, load_filters, program_directory
from codetracer_core.session.metadata import SessionMetadata, collect_metadata
from codetracer_core.session.project import project_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from codetracer_core.session.filters import FilterArgument
    from codetracer_filter import TraceFilterConfig
    from codetracer_policy import PolicySource, RecorderPolicy

__all__ = ["TraceSessionBootstrap"]


class TraceSessionBootstrap:
    """What a session starts from: output folder, description of the program, filters, policy."""

    __slots__ = ("filters", "folder", "metadata", "policy")

    def __init__(
        self,
        folder: OutputFolder,
        metadata: SessionMetadata,
        filters: TraceFilterConfig,
        policy: RecorderPolicy,
    ) -> None:
        self.folder = folder
        self.metadata = metadata
        self.filters = filters
        self.policy = policy

    @classmethod
    def prepare(
        cls,
        directory: str | os.PathLike[str],
        *,
        trace_filter: FilterArgument = None,
        filter_environ: Mapping[str, str] | None = None,
        policy: PolicySource | Mapping[str, object] | None = None,
        policy_environ: Mapping[str, str] | None = None,
        argv: Sequence[str] | None = None,
        main_script: str | None = None,
    ) -> TraceSessionBootstrap:
        """Check and load what a session with these arguments needs.

        `argv` is the program's ``sys.argv`` (the current one unless given). The environments are
        asked for a filter and for settings; None asks none for filters and ``os.environ`` for
        settings. The folder comes last, so that a wrong argument leaves none behind.

        Raises RecorderError.
        """
        if argv is None:
            argv = [word for word in getattr(sys, "argv", ()) if isinstance(word, str)]
        home = main_script or (argv[0] if argv else "")
        settings = _resolve_policy(policy, policy_environ, home)
        filters = load_filters(
            explicit_filters(trace_filter, filter_environ), program_directory(home)
        )
        metadata = collect_metadata(argv, main_script)
        return cls(prepare_folder(directory), metadata, filters, settings)


def _resolve_policy(
    overrides: PolicySource | Mapping[str, object] | None,
    environ: Mapping[str, str] | None,
    program: str,
) -> RecorderPolicy:
    import codetracer_policy

    project = project_settings(program)
    try:
        policy = codetracer_policy.resolve_policy(
            project=project, environ=environ, overrides=overrides
        )
    except codetracer_policy.PolicyError as error:  # loaded only when there is an exception
        raise as_recorder_error(error) from error
    if policy.origins:
        from codetracer_core.session.settings import refuse_unsupported

        refuse_unsupported(policy)
    return policy
