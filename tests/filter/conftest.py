"""What the tests of codetracer-filter share: filters written as text, chains and engines."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codetracer_filter import FilterError, TraceFilterConfig, TraceFilterEngine

HEADER = """\
[meta]
name = "test"
version = 1
[scope]
default_exec = "trace"
default_value_action = "allow"
"""

VECTORS = Path(__file__).parent.parent / "vectors"

WriteFilter = Callable[..., Path]
Chain = Callable[..., TraceFilterConfig]
Problems = Callable[..., FilterError]


@functools.cache
def redaction_vectors() -> Any:
    """What redaction by name has to do; the README beside the file describes it."""
    return json.loads((VECTORS / "redaction.json").read_text(encoding="utf-8"))


@pytest.fixture
def write_filter(tmp_path: Path) -> WriteFilter:
    """Write a filter file of the usual header and some rules below the temporary folder."""

    def write(rules: str = "", path: str = "filter.toml", header: str = HEADER) -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(header + rules, encoding="utf-8")
        return file

    return write


@pytest.fixture
def chain() -> Chain:
    """Load inline filters, each given by its rules under the usual header."""

    def load(*rules: str, header: str = HEADER) -> TraceFilterConfig:
        inline = [(f"f{number}", header + text) for number, text in enumerate(rules)]
        return TraceFilterConfig.from_paths([], inline=inline)

    return load


@pytest.fixture
def engine(chain: Chain) -> Callable[..., TraceFilterEngine]:
    """An engine over inline filters."""

    def make(*rules: str, header: str = HEADER) -> TraceFilterEngine:
        return TraceFilterEngine(chain(*rules, header=header))

    return make


@pytest.fixture
def problems() -> Problems:
    """Load one inline filter that must be refused, and return the error."""

    def load(rules: str, header: str = HEADER) -> FilterError:
        with pytest.raises(FilterError) as caught:
            TraceFilterConfig.from_paths([], inline=[("bad", header + rules)])
        return caught.value

    return load
