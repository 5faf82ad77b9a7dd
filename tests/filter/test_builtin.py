"""Tests of the built-in default filter: what it skips, and which names it takes for secrets."""

from __future__ import annotations

import json
import os
import sysconfig

import pytest

from codetracer_filter import (
    ExecDecision,
    TraceFilterConfig,
    TraceFilterEngine,
    ValueAction,
    ValueKind,
    ValuePolicy,
)

from .conftest import HEADER, redaction_vectors

SECRET = redaction_vectors()["secret_names"]
ORDINARY = redaction_vectors()["ordinary_names"]
KINDS = list(ValueKind)


@pytest.fixture(scope="module")
def engine() -> TraceFilterEngine:
    """An engine over the built-in filter alone."""
    return TraceFilterEngine(TraceFilterConfig.builtin())


@pytest.fixture(scope="module")
def policy(engine: TraceFilterEngine) -> ValuePolicy:
    """What holds for the values of an ordinary program."""
    return engine.resolve_query("/home/me/project/main.py", "main", "__main__").policy


def test_lists_are_long_enough() -> None:
    """There are at least sixty different names of either sort."""
    assert len(set(SECRET)) >= 60
    assert len(set(ORDINARY)) >= 60


@pytest.mark.parametrize("name", SECRET)
def test_secret_names_are_redacted(policy: ValuePolicy, name: str) -> None:
    """A name that says that its value is secret is redacted, whatever kind of value it is."""
    assert {policy.decide(kind, name) for kind in KINDS} == {ValueAction.REDACT}
    assert policy.decide_module_level(name) is ValueAction.REDACT


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_names_are_kept(policy: ValuePolicy, name: str) -> None:
    """A name that only resembles a secret one is kept."""
    assert {policy.decide(kind, name) for kind in KINDS} == {ValueAction.ALLOW}


def test_return_values_go_by_the_function(policy: ValuePolicy) -> None:
    """A return value is redacted for its function's own name, not for its module's."""
    assert policy.decide(ValueKind.RETURN, "app.session.load_rows") is ValueAction.ALLOW
    assert policy.decide(ValueKind.RETURN, "app.users.get_password") is ValueAction.REDACT


@pytest.mark.parametrize(
    "path",
    [
        "/usr/lib/python3.12/json/decoder.py",
        "/usr/lib64/python3.11/asyncio/base_events.py",
        "/usr/lib/python3.13/random.py",
        "/opt/python/lib/python3.13t/threading.py",
        "/home/me/.pyenv/versions/3.12.1/lib/python3.12/importlib/__init__.py",
        "/Library/Frameworks/Python.framework/Versions/3.12/lib/python3.12/re/_parser.py",
        "/opt/pypy/lib/pypy3.10/json/decoder.py",
        "C:\\Python312\\Lib\\json\\decoder.py",
        "C:\\Users\\me\\AppData\\Local\\Programs\\Python\\Python312-32\\Lib\\random.py",
        "C:\\hostedtoolcache\\windows\\Python\\3.12.1\\x64\\Lib\\random.py",
        "c:\\miniconda3\\envs\\work\\lib\\random.py",
        "C:\\Users\\me\\.pyenv\\pyenv-win\\versions\\3.12.1\\Lib\\random.py",
        "C:\\uv\\python\\cpython-3.12.1-windows-x86_64-none\\Lib\\random.py",
        "C:\\Users\\me\\AppData\\Local\\Python\\pythoncore-3.14-64\\Lib\\random.py",
        "C:\\Program Files\\Python313t\\Lib\\random.py",
        "C:\\WindowsApps\\PythonSoftwareFoundation.Python.3.12_3.12_x64\\Lib\\random.py",
        "C:\\nuget\\python.3.12.1\\tools\\Lib\\random.py",
        "C:\\Users\\me\\scoop\\apps\\python\\current\\Lib\\random.py",
        "D:\\ProgramData\\Anaconda3\\Lib\\random.py",
        "C:\\Users\\me\\.conda\\envs\\work\\Lib\\random.py",
        "\\\\server\\share\\Python312\\Lib\\random.py",
        "\\\\?\\C:\\Python312\\Lib\\random.py",
        "/app/python312.zip/json/decoder.py",
        "C:\\embedded\\python312.zip\\json\\decoder.py",
        "<frozen importlib._bootstrap>",
        "<frozen importlib._bootstrap_external>",
        "<frozen os>",
        "<frozen zipimport>",
        "<frozen runpy>",
        "/p/.venv/lib/python3.12/site-packages/_virtualenv.py",
        "/p/.venv/lib/python3.12/site-packages/_distutils_hack/__init__.py",
        "/p/.venv/lib/python3.12/site-packages/__editable___x_finder.py",
        "/p/.venv/lib/python3.12/site-packages/codetracer_core/api.py",
        "/src/packages/codetracer-filter/src/codetracer_filter/engine.py",
    ],
)
def test_library_code_is_skipped(engine: TraceFilterEngine, path: str) -> None:
    """The standard library in every layout, start-up hooks and the recorder are skipped."""
    assert engine.resolve_file(path) is ExecDecision.SKIP


@pytest.mark.parametrize(
    "path",
    [
        "/home/me/project/main.py",
        "/home/me/project/lib/util.py",
        "/home/me/lib/python/tools.py",
        "/p/.venv/lib/python3.12/site-packages/jinja2/lexer.py",
        "/usr/lib/python3/dist-packages/yaml/__init__.py",
        "/usr/local/lib/python3.12/dist-packages/yaml/__init__.py",
        "C:\\Python312\\Lib\\site-packages\\jinja2\\lexer.py",
        "C:\\project\\Lib\\util.py",
        "C:\\project\\.venv\\Lib\\site-packages\\jinja2\\lexer.py",
        "/p/codetracer_demo/main.py",
        "/home/me/codetracer_core/app.py",
        "/p/env/lib/python3.12/site-packages/shop/cart.py",
        "/p/.tox/py312/lib/python3.12/site-packages/shop/cart.py",
        "/p/.venv/src/shop/cart.py",
        "/srv/lib/python3/project/main.py",
        "/p/app.pyz/__main__.py",
        "/p/dist/shop.zip/shop/cart.py",
        "C:\\p\\shop.pyz\\shop\\cart.py",
        "<frozen shop.cart>",
        "<frozen osmosis>",
        "<frozen __main__>",
        "<string>",
        "C:\\code\\python3-course\\lib\\util.py",
        "C:\\code\\python\\2024\\lib\\util.py",
        "C:\\project\\envs\\prod\\lib\\util.py",
        "C:\\project\\versions\\2\\lib\\util.py",
        "\\\\server\\share\\project\\lib\\util.py",
        "D:\\a\\_tool\\Python\\3.12.1\\x64\\Lib\\site-packages\\shop\\cart.py",
    ],
)
def test_programs_and_their_packages_are_traced(engine: TraceFilterEngine, path: str) -> None:
    """The program and its packages are traced: installed, zipped, frozen, in folders called lib."""
    assert engine.resolve_file(path) is ExecDecision.TRACE


@pytest.mark.parametrize("key", ["stdlib", "platstdlib"])
def test_library_of_this_interpreter_is_skipped(engine: TraceFilterEngine, key: str) -> None:
    """The standard library that runs this test is skipped, packages beside it are not."""
    library = sysconfig.get_path(key)
    assert engine.resolve_file(os.path.join(library, "json", "decoder.py")) is ExecDecision.SKIP
    code = json.dumps.__code__
    assert engine.resolve(code, "json").exec is ExecDecision.SKIP
    site = sysconfig.get_path("purelib")
    assert engine.resolve_file(os.path.join(site, "x", "y.py")) is ExecDecision.TRACE


def test_default_of_a_project_governs_its_packages() -> None:
    """A project that skips by default skips third-party code too: no built-in rule says trace."""
    header = HEADER.replace('"trace"', '"skip"')
    builtin = TraceFilterConfig.builtin().sources[0]
    config = TraceFilterConfig.from_paths(
        [], inline=[("builtin", builtin.data.decode()), ("project", header)]
    )
    path = "/p/.venv/lib/python3.12/site-packages/jinja2/lexer.py"
    assert TraceFilterEngine(config).resolve_file(path) is ExecDecision.SKIP


def test_redaction_survives_any_rule_without_an_allow_pattern() -> None:
    """Rules of a project lift a redaction by an explicit allow pattern and not otherwise."""
    rules = """
[[scope.rules]]
selector = "pkg:*"
exec = "trace"
value_default = "allow"
[[scope.rules]]
selector = "obj:app.login"
value_patterns = [{selector = "local:session", action = "allow"}]
"""
    builtin = TraceFilterConfig.builtin().sources[0].data.decode()
    config = TraceFilterConfig.from_paths([], inline=[("builtin", builtin), ("p", HEADER + rules)])
    engine = TraceFilterEngine(config)
    policy = engine.resolve_query("/p/app.py", "login", "app").policy
    assert policy.decide(ValueKind.LOCAL, "password") is ValueAction.REDACT
    assert policy.decide(ValueKind.LOCAL, "session") is ValueAction.ALLOW
    assert policy.decide(ValueKind.ARG, "session") is ValueAction.REDACT
    other = engine.resolve_query("/p/app.py", "logout", "app").policy
    assert other.decide(ValueKind.LOCAL, "session") is ValueAction.REDACT


def test_every_kind_has_the_same_words() -> None:
    """The five lists of words in the file are one list."""
    rule = TraceFilterConfig.builtin().rules[-1]
    lists = {pattern.selector.pattern for pattern in rule.value_patterns}
    assert len(rule.value_patterns) == len(KINDS)
    assert len(lists) == 1
