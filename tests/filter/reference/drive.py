"""Runs the recorder of PyPI once for each scenario and prints what its filters decided, as JSON.

Usage: ``python drive.py FOLDER SCENARIOS.json``. The folder holds a project; its modules are
imported anew for each scenario, since a location that one session switched off stays off for the
code objects of that session. A scenario has a ``name``, ``filters`` (texts that name them) and a
``program``. The answer has, for each name, either ``{"error": TEXT}`` or what was seen.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

recorder: Any = importlib.import_module("codetracer_python_recorder")
MODULES = (
    "shop",
    "shop.cart",
    "shop.util",
    "shop.util.text",
    "vault",
    "sessions",
    "third",
    "tools",
)


def action(value: dict[str, Any]) -> str:
    """What the filters made of a value."""
    return {"<redacted>": "redact", "<dropped>": "drop"}.get(str(value.get("msg")), "allow")


def observe(events: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """The functions that were recorded, and what became of each variable seen in them.

    Arguments stand under ``arg:NAME``, what a step shows under ``NAME``, the result under ``ret``.
    """
    functions = [event["Function"]["name"] for event in events if "Function" in event]
    names = [event["VariableName"] for event in events if "VariableName" in event]
    seen: dict[str, dict[str, str]] = {}
    calls: list[str] = []
    for event in events:
        ((kind, data),) = event.items()
        if kind == "Call":
            calls.append(functions[data["function_id"]])
            values = seen.setdefault(calls[-1], {})
            for argument in data["args"]:
                values[f"arg:{names[argument['variable_id']]}"] = action(argument["value"])
        elif kind == "Value":
            seen[calls[-1]][names[data["variable_id"]]] = action(data["value"])
        elif kind == "Return" and len(calls) > 1:
            # The first one ends the function that started the session, whose call was not seen.
            seen[calls.pop()]["ret"] = action(data["return_value"])
    return seen


def run(scenario: dict[str, Any], folder: str) -> dict[str, Any]:
    """Record the project under the scenario's filters."""
    sys.argv[0] = scenario["program"]
    for name in MODULES:
        sys.modules.pop(name, None)
    out = os.path.join(folder, "out", scenario["name"])
    try:
        recorder.start(out, format="json", trace_filter=scenario["filters"] or None)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        return {"error": str(error)}
    try:
        for name in MODULES:
            importlib.import_module(name)
        sys.modules["tools"].main()
    finally:
        recorder.stop()
    with open(os.path.join(out, "trace.json"), encoding="utf-8") as file:
        events = json.load(file)
    with open(os.path.join(out, "trace_metadata.json"), encoding="utf-8") as file:
        chain = json.load(file)["trace_filter"]["filters"]
    return {"seen": observe(events), "chain": [source["path"] for source in chain]}


def main() -> None:
    """Run all scenarios of the file that is the second argument."""
    folder = os.path.realpath(sys.argv[1])
    project = os.path.join(folder, "project")
    sys.path[:0] = [project, os.path.join(project, "env/lib/python3.12/site-packages")]
    sys.dont_write_bytecode = True
    with open(sys.argv[2], encoding="utf-8") as file:
        scenarios = json.load(file)
    answers = {scenario["name"]: run(scenario, folder) for scenario in scenarios}
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
