"""Tests beside the recorder of PyPI: the same files decide the same, except where that is wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from codetracer_filter import (
    ExecDecision,
    FilterError,
    TraceFilterConfig,
    TraceFilterEngine,
    ValueAction,
    ValueKind,
    load_chain,
    redact,
)
from reference_wheel import run_reference

from .reference.scenarios import DIFFERENT, PROJECT, REFUSED, SAME, Scenario

pytestmark = [
    # One run of the other recorder answers all, and nothing here depends on the interpreter.
    pytest.mark.repository,
    pytest.mark.skipif(sys.version_info < (3, 12), reason="the other recorder needs CPython 3.12"),
]

HERE = Path(__file__).parent / "reference"
SITE = "env/lib/python3.12/site-packages"
# What the two built-in filters see differently.
APART = {"login", "<vault>", "load_rows", "<sessions>", "fetch", "<third>"}
GLOBALS = {"paint": ["colour"], "main": ["cart", "run", "text_module", "third", "vault"]}


class World:
    """A project with the filters of all scenarios, and what the other recorder made of them."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        scenarios = [*SAME, *REFUSED, *DIFFERENT.values()]
        for files in (PROJECT, *(scenario.files for scenario in scenarios)):
            for path, text in files.items():
                target = self.project / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
        (folder / "scenarios.json").write_text(
            json.dumps(
                [
                    {
                        "name": scenario.name,
                        "filters": self.chain(scenario),
                        "program": str(self.project / scenario.program_folder / "main.py"),
                    }
                    for scenario in scenarios
                ]
            )
        )
        done = run_reference([HERE / "drive.py", folder, folder / "scenarios.json"], folder)
        self.answers: dict[str, Any] = json.loads(done.stdout)

    def chain(self, scenario: Scenario) -> list[str]:
        """The texts that name the filters of a scenario, with absolute paths."""
        return [
            "::".join(str(self.project / part.strip()) for part in text.split("::"))
            for text in scenario.chain
        ]

    def config(self, scenario: Scenario) -> TraceFilterConfig:
        """The chain of a scenario, loaded by this package."""
        folder = self.project / scenario.program_folder
        return load_chain(self.chain(scenario), program_dir=folder)

    def ours(self, scenario: Scenario) -> dict[str, dict[str, str]]:
        """What this package decides about each function that is traced, in the form of `theirs`."""
        engine = TraceFilterEngine(self.config(scenario))
        decided: dict[str, dict[str, str]] = {}
        for module, code in self.codes():
            resolution = engine.resolve(code, module)
            if resolution.exec is ExecDecision.SKIP:
                continue
            name = f"<{module}>" if code.co_qualname == "<module>" else code.co_qualname
            asked = [(variable, ValueKind.GLOBAL, variable) for variable in GLOBALS.get(name, ())]
            asked += [(variable, ValueKind.LOCAL, variable) for variable in locals_of(name, code)]
            asked += [
                (f"arg:{parameter}", ValueKind.ARG, parameter)
                for parameter in code.co_varnames[: code.co_argcount]
            ]
            found = {key: resolution.policy.decide(kind, text) for key, kind, text in asked}
            values = {key: act.value for key, act in found.items() if act is not ValueAction.DROP}
            values["ret"] = resolution.policy.decide(ValueKind.RETURN, resolution.object).value
            decided[name] = values
        return decided

    def theirs(self, scenario: Scenario) -> dict[str, dict[str, str]]:
        """What the other recorder did with each function that was traced, and its values."""
        seen: dict[str, dict[str, str]] = self.answers[scenario.name]["seen"]
        compared: dict[str, dict[str, str]] = {}
        for module, code in self.codes():
            name = f"<{module}>" if code.co_qualname == "<module>" else code.co_qualname
            variables = {"ret", *locals_of(name, code), *GLOBALS.get(name, ())}
            if name in seen:
                compared[name] = {
                    key: action
                    for key, action in seen[name].items()
                    if key in variables or key.startswith("arg:")
                }
        return compared

    def codes(self) -> Iterable[tuple[str, CodeType]]:
        """Every code object of the project with the name of its module."""

        def walk(module: str, code: CodeType) -> Iterable[tuple[str, CodeType]]:
            yield module, code
            for constant in code.co_consts:
                if isinstance(constant, CodeType):
                    yield from walk(module, constant)

        for path, text in PROJECT.items():
            name = path.removeprefix(f"{SITE}/").removesuffix(".py").removesuffix("/__init__")
            yield from walk(name.replace("/", "."), compile(text, str(self.project / path), "exec"))


def locals_of(name: str, code: CodeType) -> list[str]:
    """The variables of a function, and one of a module; class bodies are left out."""
    if code.co_flags & 1:
        return list(code.co_varnames)
    return ["colour"] if name == "<shop.cart>" else []


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """All scenarios, run once."""
    return World(tmp_path_factory.mktemp("reference").resolve())


def shared(decided: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Without what the two built-in filters see differently."""
    return {name: values for name, values in decided.items() if name not in APART}


def test_there_are_enough_scenarios() -> None:
    """At least forty different scenarios are compared."""
    assert len({scenario.name for scenario in SAME}) == len(SAME) >= 40


@pytest.mark.parametrize("scenario", SAME, ids=lambda scenario: scenario.name)
def test_a_filter_of_the_reference_decides_the_same(world: World, scenario: Scenario) -> None:
    """Every function and every value of the project is decided alike."""
    ours, theirs = shared(world.ours(scenario)), shared(world.theirs(scenario))
    assert ours == theirs
    paths = [source.path for source in world.config(scenario).sources]
    assert world.answers[scenario.name]["chain"] == paths


def test_scenarios_make_a_difference(world: World) -> None:
    """Nearly all scenarios decide something else than the built-in filter alone."""
    plain = world.theirs(SAME[0])
    assert sum(world.theirs(scenario) == plain for scenario in SAME) <= 8


@pytest.mark.parametrize("scenario", REFUSED, ids=lambda scenario: scenario.name)
def test_a_filter_that_the_reference_refuses_is_refused(world: World, scenario: Scenario) -> None:
    """What is invalid there is invalid here."""
    assert "error" in world.answers[scenario.name]
    with pytest.raises(FilterError):
        world.config(scenario)


def test_a_rule_without_patterns_keeps_the_redaction(world: World) -> None:
    """There a project's pattern-less rule switches the built-in redaction off; here it stays."""
    scenario = DIFFERENT["patterns accumulate"]
    assert world.theirs(scenario)["login"]["password"] == "allow"
    assert world.ours(scenario)["login"]["password"] == "redact"


def test_an_earlier_allow_survives_a_later_default(world: World) -> None:
    """There a later default of drop discards earlier patterns; here all patterns count."""
    scenario = DIFFERENT["allow before drop"]
    assert "amount" not in world.theirs(scenario)["total"]
    assert world.ours(scenario)["total"]["amount"] == "allow"


def test_secrets_are_words(world: World) -> None:
    """There 'pass' in 'compass' redacts, and 'session' in a module's name; here neither does."""
    scenario = DIFFERENT["words"]
    theirs, ours = world.theirs(scenario), world.ours(scenario)
    assert theirs["login"]["password"] == ours["login"]["password"] == "redact"
    assert (theirs["login"]["compass"], ours["login"]["compass"]) == ("redact", "allow")
    assert (theirs["load_rows"]["ret"], ours["load_rows"]["ret"]) == ("redact", "allow")


def test_keys_inside_a_value_are_asked_about(world: World) -> None:
    """There attr patterns are never asked; here they decide about every key."""
    assert world.theirs(DIFFERENT["words"])["login"]["settings"] == "allow"
    assert redact({"password": "x", "compass": "n"}) == {"password": "<redacted>", "compass": "n"}


def test_a_variable_of_a_module_is_a_global_too(world: World) -> None:
    """There a global selector does not reach the module's own steps; here it does."""
    scenario = DIFFERENT["module level is global too"]
    assert world.theirs(scenario)["<shop.cart>"]["colour"] == "allow"
    engine = TraceFilterEngine(world.config(scenario))
    policy = engine.resolve_query("/p/shop/cart.py", "<module>", "shop.cart").policy
    assert policy.decide_module_level("colour") is ValueAction.REDACT


def test_each_file_has_its_own_root(world: World) -> None:
    """There a second filter in a folder changes what the first one's paths mean; not here."""
    scenario = DIFFERENT["roots are those of each file"]
    assert "total" in world.theirs(scenario)
    assert "total" not in world.ours(scenario)
    assert "run" in world.ours(scenario)


def test_a_path_outside_the_root_is_an_absolute_path(world: World) -> None:
    """There it is an error; here it is compared with absolute paths."""
    scenario = DIFFERENT["paths outside the root"]
    assert "error" in world.answers[scenario.name]
    engine = TraceFilterEngine(world.config(scenario))
    assert engine.resolve_file("/nowhere/x.py") is ExecDecision.SKIP
    assert engine.resolve_file(f"{world.project}/nowhere/x.py") is ExecDecision.TRACE


def test_a_folder_covers_what_is_below_it(world: World) -> None:
    """There a glob that names a folder fits nothing; here it fits every file below."""
    scenario = DIFFERENT["directories"]
    assert {"total", "clean"} <= set(world.theirs(scenario))
    assert not {"total", "clean"} & set(world.ours(scenario))


def test_a_regex_of_a_file_is_no_path(world: World) -> None:
    """There '/./' is taken out of the expression, which then fits; here it stays as written."""
    scenario = DIFFERENT["regexes are no paths"]
    assert "total" in world.ours(scenario)
    assert world.config(scenario).rules[-1].selector.pattern == "shop/./?cart"
    assert "total" not in world.theirs(scenario)


def test_an_expression_that_can_explode_is_refused(world: World) -> None:
    """There another engine runs it; here it is an error with the place and a remedy."""
    scenario = DIFFERENT["explosive regex"]
    assert "seen" in world.answers[scenario.name]
    with pytest.raises(FilterError, match="exponential time") as caught:
        world.config(scenario)
    (problem,) = caught.value.problems
    assert (problem.rule, problem.line) == (0, 8)
    assert problem.remedy


def test_every_problem_is_reported_at_once(world: World) -> None:
    """There the first problem is the message; here all five are, each with its line."""
    scenario = DIFFERENT["all problems"]
    message = world.answers[scenario.name]["error"]
    assert "'on'" in message
    assert "'off'" not in message
    with pytest.raises(FilterError) as caught:
        world.config(scenario)
    assert [problem.line for problem in caught.value.problems] == [5, 6, 8, 9, 11]


def test_a_file_named_twice_is_used_once(world: World) -> None:
    """There it is loaded twice; here once, with a warning."""
    scenario = DIFFERENT["repeated file"]
    path = str(world.project / "r.toml")
    assert world.answers[scenario.name]["chain"].count(path) == 2
    config = world.config(scenario)
    assert [source.path for source in config.sources].count(path) == 1
    assert [warning.code for warning in config.diagnostics] == ["WARN_FILTER_REPEATED"]


def test_a_newer_version_is_refused(world: World) -> None:
    """There every version from 1 on is accepted; here 2 is refused with a code of its own."""
    scenario = DIFFERENT["newer version"]
    assert "seen" in world.answers[scenario.name]
    with pytest.raises(FilterError) as caught:
        world.config(scenario)
    assert caught.value.code == "ERR_FILTER_VERSION"


def test_skipping_by_default_covers_third_parties(world: World) -> None:
    """There the built-in filter traces site-packages all the same; here the default governs."""
    scenario = DIFFERENT["default skip"]
    assert "fetch" in world.theirs(scenario)
    assert world.ours(scenario) == {}
