"""How the trace of a session comes out."""

from __future__ import annotations

import pytest

from codetracer_core.errors import UsageError
from codetracer_core.session.output import OutputOptions, parse_format


@pytest.mark.parametrize(
    "text", ["ct", "CTFS", "binary", "bin", "binaryV0", "binary_v0", "b0", " ct "]
)
def test_every_name_of_a_binary_trace_means_the_container(text: str) -> None:
    """Callers that know other binary forms get the one that there is."""
    assert parse_format(text) == "ct"
    assert OutputOptions(format=text).format == "ct"


def test_json_is_a_format_of_its_own() -> None:
    """Upper and lower case do not matter."""
    assert OutputOptions(format="JSON").format == "json"


def test_the_defaults_are_a_container_at_once_and_a_journal_that_stays() -> None:
    """What happens when nothing is asked for."""
    options = OutputOptions()
    assert (options.format, options.materialise, options.keep_journal) == ("ct", "now", True)


@pytest.mark.parametrize("text", ["", "xml", "json5", "ct,json"])
def test_an_unknown_format_is_the_callers_error_and_a_value_error(text: str) -> None:
    """The message lists what there is."""
    with pytest.raises(ValueError, match=r"ct, ctfs, .*json") as caught:
        parse_format(text)
    assert isinstance(caught.value, UsageError)
    assert caught.value.code == "ERR_UNSUPPORTED_FORMAT"


@pytest.mark.parametrize(
    "options",
    [
        {"materialise": "never"},
        {"materialise": "later", "format": "json"},
        {"materialise": "later", "keep_journal": False},
    ],
)
def test_options_that_cannot_be_had_are_refused(options: dict[str, object]) -> None:
    """Values that do not exist, and options that contradict each other."""
    with pytest.raises(UsageError) as caught:
        OutputOptions(**options)  # type: ignore[arg-type]
    assert caught.value.code == "ERR_INVALID_ARGUMENT"
