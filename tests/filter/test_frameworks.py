"""Tests of the built-in filters for runs of pytest and unittest."""

from __future__ import annotations

import pytest

from codetracer_filter import (
    ExecDecision,
    TraceFilterEngine,
    ValueAction,
    ValueKind,
    load_chain,
)
from codetracer_filter.discovery import FRAMEWORKS

SITE = "/p/.venv/lib/python3.12/site-packages"


def decide(framework: str, path: str, module: str | None) -> ExecDecision:
    """What the chain for a framework decides about a function."""
    engine = TraceFilterEngine(load_chain(program_dir=None, framework=framework))
    return engine.resolve_query(path, "f", module).exec


@pytest.mark.parametrize(
    "module",
    [
        "pytest", "_pytest.runner", "_pytest._py.path", "pluggy._hooks", "py", "py.path",
        "iniconfig", "packaging.version", "pytest_asyncio.plugin", "xdist.workermanage",
        "coverage.control", "pytest.__main__",
    ],
)  # fmt: skip
def test_pytest_is_skipped(module: str) -> None:
    """A run of pytest records neither pytest nor its plugins."""
    path = f"{SITE}/{module.replace('.', '/')}.py"
    assert decide("pytest", path, module) is ExecDecision.SKIP
    assert decide("unittest", path, module) is ExecDecision.TRACE


@pytest.mark.parametrize("module", ["unittest", "unittest.case", "unittest.mock"])
def test_unittest_is_skipped(module: str) -> None:
    """A run of unittest does not record unittest, wherever it lies."""
    assert decide("unittest", "/opt/vendored/unittest.py", module) is ExecDecision.SKIP


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("/p/test_cart.py", "test_cart"),
        ("/p/cart_test.py", None),
        ("/p/tests/unit/helpers.py", "tests.unit.helpers"),
        ("/p/tests/support.py", "support"),
        ("C:\\p\\tests\\support.py", "support"),
        ("/usr/lib/python3.12/test/test_json/test_decode.py", None),
        ("/p/shop/cart.py", "shop.cart"),
        ("/p/python/pyramid.py", "pyramid"),
    ],
)
def test_tests_and_the_program_are_traced(framework: str, path: str, module: str | None) -> None:
    """Tests are traced by module or by file, also those of the standard library."""
    assert decide(framework, path, module) is ExecDecision.TRACE


def test_conftest_belongs_to_pytest() -> None:
    """Only pytest's filter says anything about conftest.py."""
    header = "/usr/lib/python3.12/idlelib/conftest.py"
    assert decide("pytest", header, "conftest") is ExecDecision.TRACE
    assert decide("unittest", header, "conftest") is ExecDecision.SKIP


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_redaction_survives_the_filter_of_a_framework(framework: str) -> None:
    """Secrets in tests are redacted as anywhere else."""
    engine = TraceFilterEngine(load_chain(program_dir=None, framework=framework))
    policy = engine.resolve_query("/p/tests/test_login.py", "test_login", "test_login").policy
    assert {policy.decide(kind, "password") for kind in ValueKind} == {ValueAction.REDACT}
