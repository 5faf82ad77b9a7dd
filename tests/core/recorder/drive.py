"""Records a program with the engine alone: no command line, no container.

As a command, in a process of its own::

    python drive.py OPTIONS SCRIPT [ARGS...]

OPTIONS is a JSON object: ``out`` is a folder that exists, ``filter`` the path of a filter file,
``preload`` lists modules to import before, and ``activation``, if given, is the path of the
activation file. The folder receives the journal and ``stats.json``.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

NATIVE_VARIABLE = "CODETRACER_TEST_NATIVE"


def use_native() -> None:
    """Take ``codetracer_core._native`` from the folder that the environment names, if any.

    A module that was built with other flags is tested in this way.
    """
    import codetracer_core

    if os.environ.get(NATIVE_VARIABLE):
        codetracer_core.__path__.insert(0, os.environ[NATIVE_VARIABLE])


def recording(
    out: Path, script: str, filter_file: str, activation: str | None = None
) -> tuple[Any, Any]:
    """A tracer that is ready to be installed and the writer of its journal."""
    from codetracer_core.journal.writer import JournalWriter
    from codetracer_core.runtime.filtering import FilterCoordinator
    from codetracer_core.runtime.tracer import RuntimeTracer
    from codetracer_filter import TraceFilterEngine, load_chain
    from codetracer_policy import CaptureLimits

    engine = TraceFilterEngine(load_chain([filter_file], program_dir=None))
    writer = JournalWriter.create(out, {"program": script}, CaptureLimits())
    coordinator = FilterCoordinator(engine, main_script=script)
    tracer = RuntimeTracer(
        writer, coordinator, on_recorder_error="disable", activation_path=activation
    )
    return tracer, writer


def main(arguments: list[str]) -> None:
    """The command."""
    text, script, *rest = arguments
    options = json.loads(text)
    use_native()
    for name in options["preload"]:
        importlib.import_module(name)
    tracer, writer = recording(
        Path(options["out"]), script, options["filter"], options.get("activation")
    )
    sys.argv = [script, *rest]
    sys.path[0] = os.path.dirname(script)
    with open(script, encoding="utf-8") as file:
        code = compile(file.read(), script, "exec")
    module = ModuleType("__main__")
    module.__dict__.update({"__file__": script, "__builtins__": __builtins__})
    sys.modules["__main__"] = module
    tracer.install()
    try:
        exec(code, module.__dict__)
    except BaseException as error:  # noqa: BLE001 - how the program ends is its own business
        print(f"{type(error).__name__}: {error}")
    finally:
        tracer.uninstall()
    sys.stdout.flush()
    writer.finish({})
    failure = tracer.failure
    counts = tracer.stats()
    stats: dict[str, Any] = {name: getattr(counts, name) for name in counts.__slots__}
    stats["failure"] = None if failure is None else str(failure)
    Path(options["out"], "stats.json").write_text(json.dumps(stats), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
