"""Everything that can go wrong before a session, done before anything is installed."""

from __future__ import annotations

import os
import sys

from codetracer_core.errors import RecorderError, UsageError
from codetracer_core.session.arguments import name_judge, redact_arguments
from codetracer_core.session.environment import misspelt_variables
from codetracer_core.session.errors import as_recorder_error, path_text
from codetracer_core.session.filesystem import OutputFolder, prepare_folder
from codetracer_core.session.filters import explicit_filters, load_filters, program_directory
from codetracer_core.session.metadata import SessionMetadata, collect_metadata
from codetracer_core.session.output import FORMAT_JSON, OutputOptions
from codetracer_core.session.project import project_settings
from codetracer_core.session.reporting import report_no_start, stderr_identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from codetracer_core.session.family import Parent
    from codetracer_core.session.filters import FilterArgument
    from codetracer_filter import TraceFilterConfig
    from codetracer_policy import PolicySource, RecorderPolicy

    PolicyArgument: TypeAlias = (
        PolicySource | tuple[PolicySource, ...] | Mapping[str, object] | None
    )

__all__ = ["TraceSessionBootstrap", "resolve_settings"]


class TraceSessionBootstrap:
    """What a session starts from: output folder, description of the program, filters, policy.

    ``activation_path`` is the real path of the file outside of which nothing is recorded, None for
    no such restriction. ``parent`` is the recorded process that this one comes from, None for none.
    ``misspelt`` are variables of the environment that look like settings, with what was meant.
    """

    __slots__ = (
        "activation_path",
        "filters",
        "folder",
        "metadata",
        "misspelt",
        "output",
        "parent",
        "policy",
    )

    def __init__(
        self,
        folder: OutputFolder,
        metadata: SessionMetadata,
        filters: TraceFilterConfig,
        policy: RecorderPolicy,
        output: OutputOptions,
        activation_path: str | None,
        parent: Parent | None = None,
        misspelt: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.metadata = metadata
        self.filters = filters
        self.policy = policy
        self.output = output
        self.activation_path = activation_path
        self.parent = parent
        self.misspelt = misspelt or {}

    @property
    def root(self) -> Path:
        """The folder in which the folders of child processes are."""
        return self.folder.path if self.parent is None else self.parent.root

    def journal_metadata(self, filters: Iterable[Mapping[str, object]]) -> dict[str, object]:
        """The journal's metadata frame, for a session with these `filters`."""
        metadata = self.metadata.as_journal(filters)
        if self.parent is not None:
            metadata["parent"] = self.parent.described()
        return metadata

    def for_child(self, parent: Parent) -> TraceSessionBootstrap:
        """The same for this process, which `parent` has forked.

        Raises RecorderError when there can be no folder for it.
        """
        folder = prepare_folder(
            parent.root / str(os.getpid()), json=self.output.format == FORMAT_JSON
        )
        return TraceSessionBootstrap(
            folder,
            self.metadata.renewed(),
            self.filters,
            self.policy,
            self.output,
            self.activation_path,
            parent,
        )

    @classmethod
    def prepare(
        cls,
        directory: str | os.PathLike[str],
        *,
        trace_filter: FilterArgument = None,
        filter_environ: Mapping[str, str] | None = None,
        only: Sequence[str] = (),
        skip: Sequence[str] = (),
        framework: str | None = None,
        framework_filters: bool = True,
        policy: PolicyArgument = None,
        policy_environ: Mapping[str, str] | None = None,
        argv: Sequence[str] | None = None,
        main_script: str | None = None,
        home: str | None = None,
        activation_path: str | os.PathLike[str] | None = None,
        output: OutputOptions | None = None,
        parent: Parent | None = None,
    ) -> TraceSessionBootstrap:
        """Check and load what a session with these arguments needs.

        `argv` is the program's ``sys.argv`` (the current one unless given). The environments are
        asked for a filter and for settings; None asks none for filters and ``os.environ`` for
        settings. `only` and `skip` are scope selectors; `framework` is ``"pytest"`` or
        ``"unittest"`` when the program is run by it, whose filter applies if `framework_filters`.
        `home` is the path whose project's settings and filter apply: the program's unless given, a
        blank one for the working directory. With `activation_path` only what happens below code of
        that file is recorded. A child of a recorded process names it as `parent`. The folder comes
        last, so that a wrong argument leaves none behind.

        Raises RecorderError.
        """
        if argv is None:
            argv = [word for word in getattr(sys, "argv", ()) if isinstance(word, str)]
        if home is None:
            home = main_script or (argv[0] if argv else "")
        settings: RecorderPolicy | None = None
        try:
            settings = resolve_settings(policy, policy_environ, home)
            filters = load_filters(
                explicit_filters(trace_filter, filter_environ),
                program_directory(home),
                framework=framework if framework_filters else None,
                only=only,
                skip=skip,
            )
            activation = None if activation_path is None else _activation_path(activation_path)
            shown = redact_arguments(argv[1:], name_judge(filters, main_script))
            metadata = collect_metadata([*argv[:1], *shown], main_script)
            output = output or OutputOptions()
            folder = prepare_folder(directory, json=output.format == FORMAT_JSON)
            asked = policy_environ is None and parent is None
            misspelt = misspelt_variables(os.environ) if asked else None
            return cls(folder, metadata, filters, settings, output, activation, parent, misspelt)
        except RecorderError as error:
            report_no_start(error, settings, stderr_identity())
            raise


def _activation_path(given: str | os.PathLike[str]) -> str:
    """The real path of `given`, which may lie inside a zip file.

    Raises UsageError when no code can come from there: nothing would ever be recorded.
    """
    path = os.path.realpath(path_text(given, "the file to begin in"))
    existing = path
    while not os.path.lexists(existing):
        existing = os.path.dirname(existing)
    if not os.path.isfile(existing):
        raise UsageError(
            "ERR_INVALID_ARGUMENT",
            "recording was to begin in what is no file: check its path",
            path=path,
        )
    return path


def resolve_settings(
    overrides: PolicyArgument,
    environ: Mapping[str, str] | None,
    program: str,
) -> RecorderPolicy:
    """The policy of a session that records `program`, a ``sys.argv[0]``.

    Raises UsageError for settings that are wrong or not supported.
    """
    import codetracer_policy

    project = project_settings(program)
    try:
        return codetracer_policy.resolve_policy(
            project=project, environ=environ, overrides=overrides
        )
    except codetracer_policy.PolicyError as error:  # loaded only when there is an exception
        raise as_recorder_error(error) from error
