"""Whether the program's output and input can be recorded here."""

from __future__ import annotations

from codetracer_core.cli.checks import Check, State, attempt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codetracer_filter import IoConfig
    from codetracer_policy import IoCapturePolicy

__all__ = ["check_capture"]


def check_capture(policy: IoCapturePolicy, config: IoConfig | None) -> list[Check]:
    """What would be recorded by the settings and the filters' ``[io]`` table, and what would not.

    The methods of this interpreter are hooked for a moment, as a recording does.
    """
    from codetracer_core.runtime.descriptors import DESCRIPTORS, refuse_obstacles
    from codetracer_core.runtime.io import captured_streams

    checks: list[Check] = []
    streams = captured_streams(policy, config)
    if not streams:
        return [Check("output", State.NOTE, "is not recorded, by the settings or a filter")]
    check = attempt("output", lambda: _methods(streams), checks)
    if check is not None:
        checks.append(check)
    mirrored = [name for name in streams if name in DESCRIPTORS]
    if policy.fd_fallback and mirrored:
        attempt("descriptors", lambda: refuse_obstacles(mirrored), checks)
        if all(check.name != "descriptors" for check in checks):
            listed = " and ".join(mirrored)
            checks.append(Check("descriptors", State.OK, f"{listed} can be mirrored"))
    return checks


def _methods(streams: tuple[str, ...]) -> Check:
    from codetracer_core.runtime.io import IoCoordinator

    coordinator = IoCoordinator(streams)
    coordinator.install()
    coordinator.uninstall()
    listed = ", ".join(streams)
    if not coordinator.unwatched:
        return Check("output", State.OK, f"{listed} can be recorded")
    missing = ", ".join(coordinator.unwatched)
    return Check(
        "output",
        State.NOTE,
        f"{listed} can be recorded, but for what goes through {missing}, which this interpreter"
        " has in another form",
    )
