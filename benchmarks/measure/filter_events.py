"""Filters under a stream of events: each asks about a code object and about 50 of its locals.

The workload is the one that ``codetracer-python-recorder`` measures its filters with: 100
functions of ten modules in three packages, each with 50 locals, asked about in turn, under no
rules, under globs and under regular expressions. The filter is loaded alone.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING

from benchmarks.support.figures import FigureSpec
from benchmarks.support.rounds import interleave
from codetracer_filter import TraceFilterConfig, TraceFilterEngine, ValueKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.support.options import Options
    from benchmarks.support.rounds import Measured

__all__ = ["EVENTS", "FIGURES", "LOCALS", "SCENARIOS", "functions", "measure", "write_filter"]

EVENTS = 10_000
"""Events in one iteration."""

LOCALS = [
    *(f"public_field_{number}" for number in range(15)),
    *(f"secret_field_{number}" for number in range(15)),
    *(f"token_{number}" for number in range(10)),
    "password_hash", "api_key", "credit_card", "session_id", "metric_latency",
    "metric_throughput", "metric_error_rate", "masked_value", "debug_flag", "trace_id",
]  # fmt: skip
_GROUPS = (
    ("services/api", "module", 6, "api_handler"),
    ("jobs/worker", "module", 3, "worker_task"),
    ("external", "integration", 1, "integration_op"),
)
_HEADER = """\
[meta]
name = "bench"
version = 1
[scope]
default_exec = "trace"
default_value_action = "allow"
"""


def _rule(selector: str, *lines: str, **actions: list[str]) -> str:
    text = "\n".join(["[[scope.rules]]", f"selector = '{selector}'", *lines, ""])
    for action, patterns in actions.items():
        for pattern in patterns:
            text += f"[[scope.rules.value_patterns]]\nselector = 'local:{pattern}'\n"
            text += f'action = "{action}"\n'
    return text


_REDACT, _SKIP = 'value_default = "redact"', 'exec = "skip"'
SCENARIOS = {
    "baseline": "",
    "glob": _rule(
        "pkg:bench_pkg.services.api.*",
        _REDACT,
        allow=["public_*", "metric_*", "masked_*"],
        redact=["secret_*", "token_*", "password_*"],
    )
    + _rule("file:bench_pkg/jobs/worker/module_*.py", _SKIP)
    + _rule("pkg:bench_pkg.external.integration_*", _REDACT, allow=["metric_*", "public_*"]),
    "regex": _rule(
        r"pkg:regex:^bench_pkg\.services\.api\.module_\d+$",
        _REDACT,
        allow=[r"regex:^(public|metric)_\w+$"],
        redact=[r"regex:^(secret|token)_\w+$", r"regex:^(password|api|credit|session)_\w+$"],
    )
    + _rule(r"file:regex:^bench_pkg/jobs/worker/module_\d+\.py$", _SKIP)
    + _rule(
        r"obj:regex:^bench_pkg\.external\.integration_\d+\.integration_op_\d+_\d+$",
        _REDACT,
        allow=["regex:^masked_", "regex:^metric_"],
    ),
}


_ROUNDS = 15
_SUBJECT = "filter events"
FIGURES = tuple(
    FigureSpec(
        "Filters, one event with 50 locals",
        name,
        "us",
        _SUBJECT,
        lambda taken, name=name: taken[name] * 1e6,  # type: ignore[misc]
    )
    for name in SCENARIOS
)


def functions(folder: Path) -> list[tuple[CodeType, str]]:
    """The 100 functions, each with the name of its module."""
    body = "".join(f"    {name} = value + {number}\n" for number, name in enumerate(LOCALS))
    found = []
    for package, stem, modules, function in _GROUPS:
        for module in range(modules):
            path = f"bench_pkg/{package}/{stem}_{module}.py"
            source = "".join(
                f"def {function}_{module}_{number}(value):\n{body}    return value\n"
                for number in range(10)
            )
            name = path.removesuffix(".py").replace("/", ".")
            code = compile(source, str(folder / path), "exec")
            found += [(const, name) for const in code.co_consts if isinstance(const, CodeType)]
    return found


def write_filter(folder: Path, name: str, rules: str) -> Path:
    """The file of a filter with `rules`, whose relative paths begin at `folder`."""
    path = folder / f"{name}.toml"
    path.write_text(_HEADER + rules, encoding="utf-8")
    return path


def measure(options: Options) -> Measured:
    """The seconds of an event in each scenario."""
    events = EVENTS // (100 if options.fast else 1)
    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as name:
        variants = _variants(Path(name).resolve(), options.read, events)
        return {_SUBJECT: interleave(variants, options.rounds(_ROUNDS))}


def _variants(
    folder: Path, read: Callable[[], float], events: int
) -> dict[str, Callable[[], float]]:
    """For each scenario, what times ``events`` events by the clock ``read``, in seconds an event.

    ``folder`` becomes the root of the project.
    """
    codes = functions(folder)

    def timed(name: str, rules: str) -> Callable[[], float]:
        engine = TraceFilterEngine(
            TraceFilterConfig.from_paths([write_filter(folder, name, rules)])
        )
        kind = ValueKind.LOCAL

        def run() -> float:
            for code, module in codes:
                engine.resolve(code, module)
            stream = [codes[number % len(codes)] for number in range(events)]
            resolve = engine.resolve
            began = read()
            for code, module in stream:
                decide = resolve(code, module).policy.decide
                for name in LOCALS:
                    decide(kind, name)
            return (read() - began) / events

        return run

    return {name: timed(name, rules) for name, rules in SCENARIOS.items()}
