"""The filters and settings that a recording would have, for the commands that explain them."""

from __future__ import annotations

import os

from codetracer_core.cli.record_options import check_filters
from codetracer_core.session.filters import explicit_filters, load_filters, program_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codetracer_core.cli.arguments import Command, Words
    from codetracer_filter import TraceFilterConfig

__all__ = ["chain_of"]


def chain_of(
    command: Command, given: Words, *, home: str, framework: str | None
) -> TraceFilterConfig:
    """The chain of filters for a program of the project at `home`, with the options `given`.

    Raises RecorderError with everything that is wrong with it.
    """
    check_filters(command, given)
    return load_filters(
        explicit_filters(given.every("--trace-filter"), os.environ),
        program_directory(home),
        framework=None if given.given("--no-framework-filters") else framework,
        only=given.every("--only"),
        skip=given.every("--skip"),
    )
