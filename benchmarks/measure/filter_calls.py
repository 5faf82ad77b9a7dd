"""What filters cost: importing and loading them, new code, code and names seen before."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING

from benchmarks.support.children import run_child
from benchmarks.support.figures import FigureSpec, at_most
from benchmarks.support.rounds import interleave
from codetracer_filter import TraceFilterConfig, TraceFilterEngine, ValueKind, load_chain

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.support.options import Options
    from benchmarks.support.rounds import Measured

__all__ = ["FIGURES", "measure"]

_ROUNDS = 15
_IMPORT = "from codetracer_filter import TraceFilterEngine, load_chain"
_CALLS = (200_000, 200)
"""Full and fast number of calls of something that takes a fraction of a microsecond."""
_FILES, _FUNCTIONS = (100, 2), 20
_RULES = (
    "pkg:app_{n}.*",
    "obj:app.mod_{n}.*handler",
    "file:src/app_{n}/**",
    r"pkg:regex:^app_{n}\.",
    "obj:literal:app.mod_{n}.run",
)
_START, _CALL = "filter start", "filter call"
FIGURES = (
    FigureSpec(
        "Filters, starting",
        "import, above plain",
        "ms",
        _START,
        lambda taken: (taken["import"] - taken["plain"]) * 1e3,
        at_most(40),
    ),
    FigureSpec(
        "Filters, starting",
        "loading the default chain",
        "ms",
        _START,
        lambda taken: (taken["load"] - taken["import"]) * 1e3,
        at_most(30),
    ),
    FigureSpec(
        "Filters, one question",
        "a new code object, 50 rules",
        "us",
        _CALL,
        lambda taken: taken["new"] * 1e6,
        at_most(20),
    ),
    FigureSpec(
        "Filters, one question",
        "a code object seen before",
        "us",
        _CALL,
        lambda taken: taken["again"] * 1e6,
        at_most(0.15),
    ),
    FigureSpec(
        "Filters, one question",
        "a name seen before",
        "us",
        _CALL,
        lambda taken: taken["known"] * 1e6,
        at_most(0.15),
    ),
)


def measure(options: Options) -> Measured:
    """Whole processes for what happens once, loops for what happens at events."""
    rounds = options.rounds(_ROUNDS)
    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as name:
        folder = Path(name).resolve()
        return {
            _START: interleave(_starting(folder, options.clock), rounds),
            _CALL: interleave(_calling(folder, options.read, fast=options.fast), rounds),
        }


def _starting(folder: Path, clock: str) -> dict[str, Callable[[], float]]:
    """Whole processes: an empty one, one that imports, one that also loads the default chain."""
    programs = {
        "plain": "",
        "import": _IMPORT,
        "load": f"{_IMPORT}; load_chain(program_dir=None)",
    }

    def timed(code: str) -> Callable[[], float]:
        return lambda: run_child([sys.executable, "-c", code], folder, clock).seconds

    variants = {name: timed(code) for name, code in programs.items()}
    for run in variants.values():
        run()
    return variants


def _calling(
    folder: Path, read: Callable[[], float], *, fast: bool
) -> dict[str, Callable[[], float]]:
    """The seconds of one call, by what is called."""
    config = _fifty_rules(folder)
    source = "".join(f"def f{number}(): pass\n" for number in range(_FUNCTIONS))
    modules = [
        (f"app.mod{number}", compile(source, str(folder / f"src/app/mod{number}.py"), "exec"))
        for number in range(_FILES[fast])
    ]
    codes = [
        (const, name)
        for name, module in modules
        for const in module.co_consts
        if isinstance(const, CodeType)
    ]

    def new() -> float:
        resolve = TraceFilterEngine(config).resolve
        began = read()
        for code, name in codes:
            resolve(code, name)
        return (read() - began) / len(codes)

    engine = TraceFilterEngine(load_chain(program_dir=None))
    repeated = range(_CALLS[fast])

    def again() -> float:
        code, name = codes[0]
        resolve = engine.resolve
        resolve(code, name)
        began = read()
        for _ in repeated:
            resolve(code, name)
        return (read() - began) / len(repeated)

    def known() -> float:
        code, name = codes[0]
        decide = engine.resolve(code, name).policy.decide
        kind = ValueKind.LOCAL
        began = read()
        for _ in repeated:
            decide(kind, "password")
        return (read() - began) / len(repeated)

    return {"new": new, "again": again, "known": known}


def _fifty_rules(folder: Path) -> TraceFilterConfig:
    """A chain of fifty rules of all kinds, none of which fits."""
    text = '[meta]\nname = "fifty"\nversion = 1\n[scope]\ndefault_exec = "trace"\n'
    text += 'default_value_action = "allow"\n'
    for number in range(50):
        selector = _RULES[number % len(_RULES)].replace("{n}", str(number))
        text += f"[[scope.rules]]\nselector = '{selector}'\nexec = \"skip\"\n"
    path = folder / "fifty.toml"
    path.write_text(text, encoding="utf-8")
    return TraceFilterConfig.from_paths([path])
