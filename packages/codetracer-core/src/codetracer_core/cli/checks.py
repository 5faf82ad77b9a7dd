"""Whether this machine can record a program, one check for each thing that can be in the way."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from enum import StrEnum

from codetracer_core.monitoring.capabilities import (
    ENGINE,
    HAS_MONITORING,
    TOOL_IDS,
    require_supported,
)
from codetracer_core.session.environment import unknown_variables
from codetracer_core.session.errors import as_recorder_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import TypeVar

    from codetracer_core.errors import RecorderError
    from codetracer_policy import CaptureLimits

    Result = TypeVar("Result")

__all__ = ["Check", "State", "attempt", "check_engine", "check_output", "check_variables"]

_TOOLS = range(6)


class State(StrEnum):
    """What came of a check."""

    OK = "ok"
    NOTE = "note"
    """Recording works, with something that one may want to know."""
    FAILED = "failed"
    """Recording would fail."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``code`` is the error's when it failed."""

    name: str
    state: State
    detail: str
    code: str | None = None


def attempt(name: str, action: Callable[[], Result], checks: list[Check]) -> Result | None:
    """The result of `action`; when it fails, None, and `checks` have the failure."""
    try:
        return action()
    except Exception as error:  # noqa: BLE001 - a defect of ours is reported like any failure
        known: RecorderError = as_recorder_error(error)
        context = ", ".join(f"{key}={value}" for key, value in known.context.items())
        detail = f"{known.message} ({context})" if context else known.message
        checks.append(Check(name, State.FAILED, detail, known.code))
        return None


def check_engine() -> list[Check]:
    """The interpreter and what the recorder uses of it."""
    checks: list[Check] = []
    version = platform.python_version()
    attempt("interpreter", require_supported, checks)
    if not checks:
        detail = f"{platform.python_implementation()} {version}, {sys.executable}"
        checks.append(Check("interpreter", State.OK, detail))
    checks.append(Check("engine", State.OK, f"events come from {ENGINE}"))
    native = attempt("native part", _native_part, checks)
    if native is not None:
        checks.append(native)
        checks.append(_frames())
        checks.append(_globals())
    zstd = attempt("compression", _zstd, checks)
    if zstd is not None:
        checks.append(zstd)
    if HAS_MONITORING:
        checks.append(_tools())
    return checks


def _native_part() -> Check:
    import codetracer_core._native as native

    return Check("native part", State.OK, str(native.__file__))


def _frames() -> Check:
    """How variables are read: in place, or through the interpreter's public function."""
    from codetracer_core._native import lib

    if lib.ct_frame_is_direct() == 1:
        return Check("variables", State.OK, "read from frames in place; the self-test agrees")
    return Check(
        "variables",
        State.NOTE,
        "read through PyFrame_GetVar, which is slower: frames of this interpreter did not pass the"
        " self-test",
    )


def _globals() -> Check:
    """How it is told whether the globals of a module have changed."""
    from codetracer_core._native import lib

    ways = {
        lib.CT_DICTS_NUMBERED: "the interpreter numbers the states of each module's dict",
        lib.CT_DICTS_WATCHED: "the dicts of modules are watched",
    }
    way = ways.get(lib.ct_dicts_are())
    if way is not None:
        return Check("globals", State.OK, way)
    return Check(
        "globals",
        State.NOTE,
        "looked up at each step, which is slower: other tools have all dict watchers",
    )


def _zstd() -> Check:
    from codetracer_core import _zstd

    data = bytes(1000)
    if _zstd.decompress(_zstd.compress(data), len(data)) != data:
        raise ValueError("Zstandard does not give back what it was given")
    return Check("compression", State.OK, "Zstandard gives back what it is given")


def _tools() -> Check:
    """Which tool ids of ``sys.monitoring`` are in use, and which one a recording would get."""
    owners = {number: sys.monitoring.get_tool(number) for number in _TOOLS}
    listed = ", ".join(f"{number}: {owner}" for number, owner in owners.items() if owner)
    in_use = f"in use: {listed}" if listed else "none is in use"
    free = [number for number in TOOL_IDS if owners[number] is None]
    if free:
        return Check("tool ids", State.OK, f"{free[0]} would be used; {in_use}")
    tried = ", ".join(map(str, TOOL_IDS))
    return Check(
        "tool ids",
        State.FAILED,
        f"none of {tried} is free ({in_use}): stop one of these tools",
        "ERR_TRACER_INSTALL_CONFLICT",
    )


def check_output(directory: str, limits: CaptureLimits) -> list[Check]:
    """Whether a trace can be written into `directory`. What is made for that is removed again."""
    from codetracer_core.session.filesystem import prepare_folder, remove_created

    checks: list[Check] = []
    folder = attempt("output folder", lambda: prepare_folder(directory), checks)
    if folder is None:
        return checks
    try:
        journal = attempt("journal", lambda: _journal(folder.path, limits), checks)
    finally:
        remove_created(folder.created)
    if folder.created:
        there = "can be made"
    elif folder.previous:
        there = "holds an older trace, which the next one replaces"
    else:
        there = "can be written"
    checks.insert(0, Check("output folder", State.OK, f"{folder.path} {there}"))
    if journal is not None:
        checks.append(journal)
    return checks


def _journal(folder: Path, limits: CaptureLimits) -> Check:
    """Make a journal as a recording does, and look whether a kill would lose its newest part."""
    from codetracer_core.journal.format import FLAG_RING_IS_PRIVATE, JOURNAL_HEADER
    from codetracer_core.journal.writer import JournalWriter

    writer = JournalWriter.create(folder, {}, limits)
    try:
        header = writer.path.read_bytes()[: JOURNAL_HEADER.size]
    finally:
        writer.abandon()
    flags = JOURNAL_HEADER.unpack(header)[3]
    if flags & FLAG_RING_IS_PRIVATE:
        return Check(
            "journal",
            State.NOTE,
            "its newest part cannot be mapped in this folder's file system, so that a program that"
            " is killed loses it: choose another folder",
        )
    return Check("journal", State.OK, "its newest part is mapped and outlives a kill")


def check_variables(environ: Mapping[str, str]) -> list[Check]:
    """Environment variables that look like ours and are none: probably misspelt."""
    checks: list[Check] = []
    for name, near in unknown_variables(environ).items():
        guess = f"; did you mean {near}?" if near else ""
        checks.append(Check("environment", State.NOTE, f"{name} has no effect{guess}"))
    return checks
