"""What filters cost: importing and loading them, new code, code and names seen before.

``python benchmarks/filters.py`` prints each figure beside what is aimed at.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING

from codetracer_filter import TraceFilterConfig, TraceFilterEngine, ValueKind, load_chain
from figures import filter_events
from support import command
from support.children import run_child
from support.results import save
from support.rounds import interleave, summarise
from support.tables import print_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.rounds import Round

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


def main() -> None:
    """Measure and print."""
    options = command.parser(__doc__ or "").parse_args()
    rounds_wanted = 1 if options.fast else _ROUNDS
    read = command.CLOCKS[options.clock]
    with tempfile.TemporaryDirectory(prefix="codetracer-benchmark-") as name:
        folder = Path(name).resolve()
        starts = interleave(_starting(folder, options.clock), rounds_wanted)
        calls = interleave(_calling(folder, read, fast=options.fast), rounds_wanted)
        events = filter_events.EVENTS // (100 if options.fast else 1)
        variants = filter_events.measure(folder, read, events)
        streams = interleave(variants, rounds_wanted)
    print_table("Filters", ["figure", "measured", "target"], _start_rows(starts) + _rows(calls))
    rows = [
        [name, f"{summarise(streams, lambda taken, name=name: taken[name] * 1e6)} us"]  # type: ignore[misc]
        for name in filter_events.SCENARIOS
    ]
    print_table("Filters, one event with 50 locals", ["scenario", "measured"], rows)
    if options.json:
        save(options.json, {"start": starts, "call": calls, "event": streams})


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


def _start_rows(rounds: list[Round]) -> list[list[str]]:
    importing = summarise(rounds, lambda taken: (taken["import"] - taken["plain"]) * 1e3)
    loading = summarise(rounds, lambda taken: (taken["load"] - taken["import"]) * 1e3)
    return [
        ["import, above plain", f"{importing} ms", "<= 40 ms"],
        ["loading the default chain", f"{loading} ms", "<= 30 ms"],
    ]


def _rows(rounds: list[Round]) -> list[list[str]]:
    new = summarise(rounds, lambda taken: taken["new"] * 1e6)
    again = summarise(rounds, lambda taken: taken["again"] * 1e9)
    known = summarise(rounds, lambda taken: taken["known"] * 1e9)
    return [
        ["a new code object, 50 rules", f"{new} us", "<= 20 us"],
        ["a code object seen before", f"{again} ns", "<= 150 ns"],
        ["a name seen before", f"{known} ns", "<= 150 ns"],
    ]


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


if __name__ == "__main__":
    main()
