"""Level specifications: what they accept and which lines they let through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetracer_log import LEVELS, FilterSpec, LogSpecError

levels = st.sampled_from(list(LEVELS))
segments = st.sampled_from(["a", "b", "core", "journal"])
targets = st.lists(segments, min_size=1, max_size=3).map("::".join)


def slow_answer(default: str, by_target: dict[str, str], level: str, target: str) -> bool:
    """What the format says, worked out segment by segment."""
    verbosity, longest = LEVELS[default], 0
    for covering, name in by_target.items():
        parts = covering.split("::")
        if target.split("::")[: len(parts)] == parts and len(parts) > longest:
            verbosity, longest = LEVELS[name], len(parts)
    return LEVELS[level] <= verbosity


@given(levels, st.dictionaries(targets, levels, max_size=4), levels.filter("OFF".__ne__), targets)
def test_the_longest_covering_target_decides(
    default: str, by_target: dict[str, str], level: str, target: str
) -> None:
    """A line passes when the longest target that covers its own lets its level through."""
    parts = [default.lower(), *(f" {name} = {verbosity} " for name, verbosity in by_target.items())]
    spec = FilterSpec.parse(",".join(parts))
    assert spec.allows(LEVELS[level], target) == slow_answer(default, by_target, level, target)


@given(levels, st.dictionaries(targets, levels, max_size=4), levels.filter("OFF".__ne__), targets)
def test_nothing_passes_above_the_loudest_level(
    default: str, by_target: dict[str, str], level: str, target: str
) -> None:
    """``loudest`` bounds every target, so that one comparison can refuse a line."""
    spec = FilterSpec(default, by_target)
    assert LEVELS[level] <= spec.loudest or not spec.allows(LEVELS[level], target)


def test_a_target_covers_whole_segments_only() -> None:
    """A target does not cover a name that merely begins with the same letters."""
    spec = FilterSpec.parse("off,core::jour=debug")
    assert not spec.allows(LEVELS["ERROR"], "core::journal")
    assert spec.allows(LEVELS["DEBUG"], "core::jour::reader")


def test_dotted_targets_are_the_same_as_colons() -> None:
    """Module names with dots can be used on both sides."""
    assert FilterSpec.parse("a.b=trace").allows(LEVELS["TRACE"], "a::b::c")
    assert FilterSpec.parse("a::b=trace").allows(LEVELS["TRACE"], "a.b")


@pytest.mark.parametrize("text", ["", " ", ",", " , "])
def test_a_blank_specification_is_the_default(text: str) -> None:
    """Nothing at all means warnings and errors from everywhere."""
    spec = FilterSpec.parse(text)
    assert spec.allows(LEVELS["WARN"], "x")
    assert not spec.allows(LEVELS["INFO"], "x")


@pytest.mark.parametrize(
    "text", ["loud", "warn,core=", "=debug", "core=loud", "a=b=c", "warn;info"]
)
def test_what_cannot_be_read_is_refused(text: str) -> None:
    """An unknown level or a part without target raises an error that shows the accepted form."""
    with pytest.raises(LogSpecError, match="codetracer_core::journal=debug") as caught:
        FilterSpec.parse(text)
    assert caught.value.code == "ERR_INVALID_LOG_SPEC"
    assert caught.value.context == {"spec": text}


@given(st.text())
def test_any_text_is_a_specification_or_a_log_error(text: str) -> None:
    """Whatever the text, reading it gives a specification or the package's own error."""
    try:
        spec = FilterSpec.parse(text)
    except LogSpecError:
        return
    assert isinstance(spec.allows(LEVELS["INFO"], "x"), bool)


@given(levels, st.dictionaries(targets, levels, max_size=4))
def test_the_representation_can_be_read_back(default: str, by_target: dict[str, str]) -> None:
    """The text inside ``repr`` is the specification itself."""
    spec = FilterSpec(default, by_target)
    again = FilterSpec.parse(repr(spec).removeprefix("FilterSpec('").removesuffix("')"))
    assert (again.default, again.targets) == (spec.default, spec.targets)
