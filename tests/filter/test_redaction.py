"""Tests of redact(): what is left of a mapping when it is copied for a log."""

from __future__ import annotations

import enum
import json
from collections import ChainMap, OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetracer_filter import (
    TraceFilterConfig,
    TraceFilterEngine,
    ValueAction,
    ValueKind,
    ValuePolicy,
    redact,
)

from .conftest import redaction_vectors

CASES = redaction_vectors()["cases"]
DROP_TOKEN = """
[meta]
name = "drop"
version = 1
[scope]
default_exec = "trace"
default_value_action = "allow"
[[scope.rules]]
selector = "file:regex:."
value_patterns = [{selector = "attr:token", action = "drop"}]
"""


def policy_of(text: str | None) -> ValuePolicy:
    """The policy of the built-in filter followed by one given as text."""
    builtin = TraceFilterConfig.builtin().sources[0].data.decode()
    inline = [("builtin", builtin)] + ([("more", text)] if text else [])
    config = TraceFilterConfig.from_paths([], inline=inline)
    return TraceFilterEngine(config).resolve_query("/p/a.py", "f", "m").policy


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_vectors(case: dict[str, Any]) -> None:
    """Every published vector holds."""
    assert redact(case["value"], policy_of(case["filter"])) == case["redacted"]


@pytest.mark.parametrize(
    "case", [case for case in CASES if not case["filter"]], ids=lambda case: case["name"]
)
def test_the_built_in_filter_decides_by_default(case: dict[str, Any]) -> None:
    """Without a policy the words of the built-in filter are hidden."""
    assert redact(case["value"]) == case["redacted"]


class Point(NamedTuple):
    """A named tuple with a secret."""

    x: int
    token: str


@dataclass
class Account:
    """A dataclass with secrets, one of them unset."""

    user: str
    password: str = field(repr=False)
    kind: ClassVar[str] = "account"


def test_fields_are_names_as_keys_are() -> None:
    """Dataclasses and named tuples come back as dicts of their fields."""
    values = {"p": Point(1, "t"), "account": Account("ada", "hunter2"), "type": Account}
    assert redact(values) == {
        "p": {"x": 1, "token": "<redacted>"},
        "account": {"user": "ada", "password": "<redacted>"},
        "type": Account,
    }


def test_a_field_that_is_unset_is_left_out() -> None:
    """An attribute that was deleted has no value to show."""
    account = Account("ada", "hunter2")
    del account.user
    assert redact({"a": account}) == {"a": {"password": "<redacted>"}}


def test_dropped_names_leave_no_trace() -> None:
    """Drop leaves out the name as well, in mappings and in what has fields."""
    policy = policy_of(DROP_TOKEN)
    assert redact({"token": 1, "p": Point(1, "t"), "l": [{"token": 2}]}, policy) == {
        "p": {"x": 1},
        "l": [{}],
    }


def test_containers_keep_their_type() -> None:
    """Lists, tuples and sets stay what they are, mappings become dicts and deques lists."""
    values = {
        "list": [1], "tuple": (1, [2]), "set": {1}, "frozen": frozenset({2}),
        "deque": deque([3]), "ordered": OrderedDict(a=1), "chain": ChainMap({"a": 1}, {"b": 2}),
    }  # fmt: skip
    copied = redact(values)
    assert {name: type(value) for name, value in copied.items()} == {
        "list": list, "tuple": tuple, "set": set, "frozen": frozenset, "deque": list,
        "ordered": dict, "chain": dict,
    }  # fmt: skip
    assert copied["chain"] == {"a": 1, "b": 2}
    assert redact({"s": {Point(1, "t")}}) == {"s": [{"x": 1, "token": "<redacted>"}]}


def test_the_original_is_left_alone() -> None:
    """The copy shares no container with what it was made of."""
    values = {"rows": [{"password": "p"}]}
    copied = redact(values)
    assert values == {"rows": [{"password": "p"}]}
    assert copied["rows"] is not values["rows"]


def test_other_objects_are_kept_as_they_are() -> None:
    """What is no container is the same object in the copy, and nothing of it is called."""

    class Hostile:
        def __getattribute__(self, name: str) -> object:
            if name == "__class__":
                return Hostile
            raise AssertionError(name)

    hostile = Hostile()
    assert redact({"h": hostile})["h"] is hostile


def test_keys_that_are_no_text_are_kept() -> None:
    """Only text keys are asked about; members of an enum of texts count by their text."""

    class Key(str, enum.Enum):  # noqa: UP042
        SECRET = "password"
        PASSWORD = "colour"

    copied = redact({"m": {1: "a", b"password": "b", None: {"token": "t"}, ("token",): "c"}})
    assert copied == {
        "m": {1: "a", b"password": "b", None: {"token": "<redacted>"}, ("token",): "c"}
    }
    assert redact({Key.SECRET: 1, Key.PASSWORD: 2}) == {"password": "<redacted>", "colour": 2}


def test_cycles_end() -> None:
    """A container inside itself is marked, and one that stands in two places is copied in both."""
    values: dict[str, object] = {"password": "p"}
    values["self"] = values
    values["list"] = [values]
    shared = {"token": "t"}
    values["shared"] = [shared, shared]
    assert redact(values) == {
        "password": "<redacted>",
        "self": "<cycle>",
        "list": ["<cycle>"],
        "shared": [{"token": "<redacted>"}] * 2,
    }


def test_depth_and_sharing_have_no_limit() -> None:
    """Data deeper than the recursion limit, or with 2**100 paths through it, is copied."""
    inner: object = {"password": "p"}
    for _ in range(100):
        inner = [inner, inner]
    for _ in range(50_000):
        inner = [inner]
    copied: Any = redact({"deep": inner})["deep"]
    for _ in range(50_100):
        copied = copied[0]
    assert copied == {"password": "<redacted>"}


KEYS = st.sampled_from(["password", "user", "token", "x", "api_key", ""])
VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
)


def expected(value: object, policy: ValuePolicy) -> object:
    """The same by plain recursion, for data without cycles."""
    if isinstance(value, list):
        return [expected(item, policy) for item in value]
    if not isinstance(value, dict):
        return value
    actions = {key: policy.decide(ValueKind.ATTR, key) for key in value}
    return {
        key: expected(item, policy) if actions[key] is ValueAction.ALLOW else "<redacted>"
        for key, item in value.items()
        if actions[key] is not ValueAction.DROP
    }


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_every_key_at_any_depth_is_asked_about(values: dict[str, object]) -> None:
    """For plain data the copy is what a plain recursion gives, and redacting it again is idle."""
    policy = policy_of(DROP_TOKEN)
    copied = redact(values, policy)
    assert copied == expected(values, policy)
    assert redact(copied, policy) == copied
    json.dumps(copied)
