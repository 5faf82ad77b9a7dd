"""Data classes of codetracer-filter and codetracer-policy: dataclasses to whoever asks."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from codetracer_filter import InlineFilter
from codetracer_filter.model import FilterMeta, FilterSource, ValueAction, ValuePattern
from codetracer_filter.selector import VALUE_KINDS, parse_selector
from codetracer_policy import RecorderPolicy
from codetracer_policy.model import CaptureLimits
from workspace import ROOT

PATTERN = ValuePattern(parse_selector("local:token", VALUE_KINDS), ValueAction.REDACT, line=3)


def test_values_are_given_by_place_or_by_name_with_defaults_behind() -> None:
    """A record takes its fields like a function its parameters, and compares by them."""
    assert FilterMeta("a", 1) == FilterMeta(version=1, name="a", labels=(), description=None)
    assert FilterMeta("a", 1) != FilterMeta("a", 2)
    assert len({FilterMeta("a", 1), FilterMeta("a", 1), FilterMeta("b", 1)}) == 2
    assert repr(FilterMeta("a", 1)) == (
        "FilterMeta(name='a', version=1, description=None, labels=())"
    )


@pytest.mark.parametrize(
    ("positional", "named", "message"),
    [
        (("a",), {}, "text"),
        (("a", "b", "c"), {}, "2 arguments but 3"),
        (("a",), {"label": "b"}, "multiple values for argument 'label'"),
        (("a", "b"), {"colour": 1}, "unexpected keyword argument 'colour'"),
    ],
)
def test_a_call_that_does_not_fit_the_fields_is_a_type_error(
    positional: tuple[Any, ...], named: dict[str, Any], message: str
) -> None:
    """Too few, too many, repeated and unknown arguments are refused by name."""
    with pytest.raises(TypeError, match=message):
        InlineFilter(*positional, **named)


def test_a_record_cannot_be_changed() -> None:
    """Neither fields nor anything else can be set or deleted, and there is no dict."""
    meta = FilterMeta("a", 1)
    with pytest.raises(FrozenInstanceError):
        meta.name = "b"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del meta.name
    with pytest.raises(FrozenInstanceError):
        meta.colour = "red"  # type: ignore[attr-defined]
    assert not hasattr(meta, "__dict__")


def test_dataclasses_takes_records_for_its_own() -> None:
    """``is_dataclass``, ``fields``, ``replace`` and ``asdict`` work as with any dataclass."""
    assert dataclasses.is_dataclass(FilterSource)
    hidden = [field.name for field in dataclasses.fields(FilterSource) if not field.repr]
    assert hidden == ["data", "rules"]
    assert dataclasses.replace(PATTERN, reason="why").reason == "why"
    assert dataclasses.asdict(CaptureLimits(max_depth=3))["max_depth"] == 3
    limits = dataclasses.replace(RecorderPolicy().limits, max_items=5)
    assert (limits.max_items, limits.max_text) == (5, CaptureLimits().max_text)


def test_a_record_has_the_signature_of_its_fields() -> None:
    """``inspect.signature`` names the fields with their types and defaults."""
    assert str(inspect.signature(InlineFilter)) == "(label: 'str', text: 'str') -> None"
    defaults = inspect.signature(CaptureLimits).parameters
    assert defaults["max_depth"].default == CaptureLimits().max_depth


def test_a_record_survives_copying_and_pickling() -> None:
    """Copies are equal to the original."""
    assert copy.copy(PATTERN) == PATTERN
    assert copy.deepcopy(RecorderPolicy()) == RecorderPolicy()
    meta = FilterMeta("a", 1, labels=("x",))
    assert pickle.loads(pickle.dumps(meta)) == meta


def test_a_record_can_be_matched_by_its_fields() -> None:
    """A class pattern takes the fields in their order."""
    match InlineFilter("a", "b"):
        case InlineFilter(label, text):
            assert (label, text) == ("a", "b")


@pytest.mark.repository
def test_both_packages_have_the_same_records() -> None:
    """The packages stand alone, and their copies of the module are the same."""
    sources = (ROOT / "packages").glob("*/src/*/_records.py")
    assert len({path.read_text(encoding="utf-8") for path in sources}) == 1
