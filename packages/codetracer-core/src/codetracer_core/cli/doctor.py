"""``codetracer-core doctor``: say what a recording would find here, and what would keep it off."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass

from codetracer_core import __version__
from codetracer_core.cli.arguments import Command, Option
from codetracer_core.cli.capture_check import check_capture
from codetracer_core.cli.chain import chain_of
from codetracer_core.cli.checks import (
    Check,
    State,
    attempt,
    check_engine,
    check_output,
    check_variables,
)
from codetracer_core.cli.output import print_lines
from codetracer_core.cli.policy_options import POLICY_OPTIONS, policy_of_options
from codetracer_core.cli.program import PROGRAM_OPTIONS, Program, find_program
from codetracer_core.cli.record_options import (
    FILTER_OPTIONS,
    OUT_DIR_OPTION,
    is_disabled,
    out_dir_of,
)
from codetracer_core.session.environment import DISABLED_VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from codetracer_core.cli.arguments import Words
    from codetracer_filter import FilterSource, TraceFilterConfig
    from codetracer_policy import ListedSetting

__all__ = ["COMMAND", "run"]

_PACKAGES = ("codetracer-filter", "codetracer-policy", "codetracer-log", "cffi")

COMMAND = Command(
    "doctor",
    usage="codetracer-core doctor [OPTION]... [PROGRAM [ARGUMENT]...]",
    about="""\
Say whether PROGRAM could be recorded here, without running it: interpreter, output folder,
settings with their origins, and filters. PROGRAM and the options are those of
codetracer-core record. The exit status is 1 when recording would fail.""",
    options=(
        OUT_DIR_OPTION,
        *FILTER_OPTIONS,
        *POLICY_OPTIONS,
        Option(("--format",), "text (for people, the default) or json", "text|json"),
    ),
    examples="""\
  codetracer-core doctor
  codetracer-core doctor --out-dir /mnt/traces app.py
  codetracer-core doctor --format json | jq .settings
""",
)


@dataclass(frozen=True, slots=True)
class _Diagnosis:
    """Everything that was found out."""

    packages: dict[str, str]
    checks: list[Check]
    settings: tuple[ListedSetting, ...]
    project: str | None
    filters: TraceFilterConfig | None

    @property
    def works(self) -> bool:
        """Whether nothing would keep a recording from starting."""
        return all(check.state is not State.FAILED for check in self.checks)


def run(words: Sequence[str]) -> int:
    """Print the diagnosis that `words` ask for; return 1 when recording would fail.

    Raises RecorderError for words that cannot be understood.
    """
    given = COMMAND.parse(words, program_options=PROGRAM_OPTIONS)
    if given.given("--help"):
        print_lines(COMMAND.help().splitlines())
        return 0
    as_json = COMMAND.choice(given, "--format", ("text", "json")) == "json"
    found = _diagnose(given)
    print_lines([json.dumps(_entry(found), indent=2)] if as_json else _lines(found))
    return 0 if found.works else 1


def _diagnose(given: Words) -> _Diagnosis:
    from codetracer_core.session.bootstrap import resolve_settings
    from codetracer_core.session.project import project_settings
    from codetracer_policy import RecorderPolicy, list_settings

    checks = check_engine()
    program: Program | None = None
    if given.rest:
        program = attempt("program", lambda: find_program(given.rest, literal=given.ended), checks)
        if program is not None:
            place = program.path or program.name
            checks.append(Check("program", State.OK, f"{program.kind.value} {place}"))
    home = "" if program is None else program.home
    policy = attempt(
        "settings", lambda: resolve_settings(policy_of_options(given) or None, None, home), checks
    )
    limits = (policy or RecorderPolicy()).limits
    out_dir = attempt("output folder", lambda: out_dir_of(COMMAND, given, os.environ), checks)
    if out_dir is not None:
        checks += check_output(out_dir, limits)
    framework = None if program is None else program.framework
    filters = attempt(
        "filters", lambda: chain_of(COMMAND, given, home=home, framework=framework), checks
    )
    if filters is not None:
        count = len(filters.sources)
        checks.append(Check("filters", State.OK, f"{count} in the chain"))
    if policy is not None:
        checks += check_capture(policy.io_capture, None if filters is None else filters.io)
    if attempt("environment", lambda: is_disabled(os.environ), checks):
        checks.append(
            Check("environment", State.NOTE, f"{DISABLED_VARIABLE} switches recording off")
        )
    checks += check_variables(os.environ)
    project = None if policy is None else project_settings(home)
    return _Diagnosis(
        _versions(),
        checks,
        () if policy is None else list_settings(policy),
        None if project is None else project.detail,
        filters,
    )


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    versions = {"codetracer-core": __version__}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def _entry(found: _Diagnosis) -> dict[str, object]:
    return {
        "works": found.works,
        "packages": found.packages,
        "checks": [asdict(check) for check in found.checks],
        "settings": [
            {"name": item.name, "value": item.value, "origin": item.origin}
            for item in found.settings
        ],
        "project_settings": found.project,
        "filters": [
            {"name": source.meta.name, "path": source.path, "sha256": source.sha256}
            for source in _sources(found)
        ],
    }


def _lines(found: _Diagnosis) -> Iterator[str]:
    yield ", ".join(f"{name} {version}" for name, version in found.packages.items())
    yield ""
    width = max(len(check.name) for check in found.checks)
    for check in found.checks:
        code = "" if check.code is None else f"[{check.code}] "
        detail = " ".join(check.detail.split())
        yield f"{check.state:<6}  {check.name:<{width}}  {code}{detail}"
    if found.settings:
        yield ""
        project = found.project or "no pyproject.toml has a table for the recorder"
        yield f"settings (project: {project})"
        names = max(len(item.name) for item in found.settings)
        values = max(len(item.value) for item in found.settings)
        for item in found.settings:
            yield f"  {item.name:<{names}}  {item.value:<{values}}  {item.origin}"
    if found.filters is not None:
        yield ""
        yield "filters, later ones stronger; codetracer-core filters prints their rules"
        for source in _sources(found):
            yield f"  {source.meta.name}  {source.path}"
    yield ""
    yield "recording works" if found.works else "recording would fail"


def _sources(found: _Diagnosis) -> tuple[FilterSource, ...]:
    return () if found.filters is None else found.filters.sources
