"""Sets up everything in ``.venv`` of this clone, then runs a command there.

Runs on any CPython from 3.8 on with nothing but the standard library, and can be repeated: what
is up to date is left alone. Usage::

    python3 tools/bootstrap.py [--all] [--fetch] [COMMAND [ARGUMENT...]]

``--all`` also sets up an environment for each further supported interpreter, and ``--fetch``
unpacks one of the newest version into ``.venv`` for that, from Debian's packages, where the machine
has none. COMMAND runs with the programs of the default environment first on PATH. Nothing is
written outside ``.venv``, except for the compiled module beside the sources that an editable
install imports.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, NoReturn, Optional, Tuple

HATCH = "hatch==1.18.2"
VERSIONS = ((3, 11), (3, 12), (3, 13), (3, 14))

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STATE = VENV / "bootstrap.json"
CORE = ROOT / "packages" / "codetracer-core"

Interpreter = Dict[str, Any]
State = Dict[str, Any]

# Prints what an interpreter is. A file that fails to run this is none.
PROBE = """
import json, platform, sys, sysconfig
def has(name):
    try:
        __import__(name)
    except Exception:
        return False
    return True
print(json.dumps({
    "version": list(sys.version_info[:3]),
    "cpython": platform.python_implementation() == "CPython",
    "gil": not sysconfig.get_config_var("Py_GIL_DISABLED"),
    "executable": getattr(sys, "_base_executable", None) or sys.executable,
    "venv": has("venv") and has("ensurepip"),
    "include": sysconfig.get_paths()["include"],
    "cc": sysconfig.get_config_var("CC") or "cc",
}))
"""


def say(text: str) -> None:
    """Tell the user what takes time; standard output belongs to the command."""
    print("bootstrap: " + text, file=sys.stderr, flush=True)


def die(text: str) -> NoReturn:
    """Stop with status 1: `text` names what is missing and what helps."""
    say("error: " + text)
    sys.exit(1)


# --- interpreters -----------------------------------------------------------------------------


def candidates(known: Iterable[str]) -> Iterator[Tuple[str, bool]]:
    """Files that may be interpreters, and whether the user asked for this one by $PYTHON.

    `known` are those that an earlier run found.
    """
    asked = os.environ.get("PYTHON")
    if asked:
        yield shutil.which(asked) or asked, True
    for _, minor in reversed(VERSIONS):
        for folder in os.get_exec_path():
            found = os.path.join(folder, "python3.%d" % minor)
            if os.access(found, os.X_OK):
                yield found, False
    pyenv = os.environ.get("PYENV_ROOT") or os.path.join(os.path.expanduser("~"), ".pyenv")
    for path in sorted(Path(pyenv).glob("versions/*/bin/python3")):
        yield str(path), False
    for earlier in known:
        yield earlier, False


def probe(executable: str) -> Optional[Interpreter]:
    """Run `executable` and return what it says it is; None when it does not run."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    try:
        result = subprocess.run(
            [executable, "-I", "-c", PROBE],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            env=environment,
            timeout=60,
            check=True,
        )
        found = json.loads(result.stdout.decode("utf-8"))
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    found["executable"] = os.path.realpath(found["executable"])
    return dict(found)


def supported(found: Interpreter) -> bool:
    """Whether `found` is a CPython with a GIL of a version that all packages run on."""
    return bool(found["cpython"] and found["gil"] and tuple(found["version"][:2]) in VERSIONS)


def find_interpreters(known: Iterable[str]) -> List[Interpreter]:
    """Every interpreter that runs, each once: the one asked for first, then newest first."""
    found = {}  # type: Dict[str, Interpreter]
    for path, asked in candidates(known):
        interpreter = probe(path)
        if interpreter is not None:
            found.setdefault(interpreter["executable"], dict(interpreter, asked=asked))
    return sorted(found.values(), key=lambda i: (i["asked"], i["version"]), reverse=True)


def missing_parts(interpreter: Interpreter) -> List[str]:
    """What this interpreter lacks for building core, each with the package that brings it."""
    name = "python%d.%d" % tuple(interpreter["version"][:2])
    missing = []
    if not interpreter["venv"]:
        missing.append("venv and ensurepip (Debian, Ubuntu: apt install %s-venv)" % name)
    compiler = shlex.split(os.environ.get("CC") or interpreter["cc"])
    if shutil.which(compiler[0]) is None:
        missing.append(
            "a C compiler, %s (Debian, Ubuntu: apt install build-essential; Fedora: dnf install"
            " gcc; macOS: xcode-select --install)" % compiler[0]
        )
    if not Path(interpreter["include"], "Python.h").is_file():
        missing.append(
            "Python.h (Debian, Ubuntu: apt install %s-dev; Fedora: dnf install python3-devel)"
            % name
        )
    elif not missing and not compiles(compiler, interpreter["include"]):
        missing.append("a working C compiler: %s cannot compile #include <Python.h>" % compiler[0])
    return missing


def compiles(compiler: List[str], include: str) -> bool:
    """Whether `compiler` makes an object file of a source that includes Python.h."""
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch, "probe.c")
        source.write_text("#include <Python.h>\nint probe(void) { return PY_MAJOR_VERSION; }\n")
        command = [*compiler, "-I" + include, "-c", str(source), "-o", str(source) + ".o"]
        quiet = subprocess.DEVNULL
        return subprocess.run(command, stdout=quiet, stderr=quiet, check=False).returncode == 0


def choose(found: List[Interpreter]) -> List[Interpreter]:
    """The complete interpreters that are supported, best first; stops when there is none."""
    usable = []
    problems = []
    for interpreter in found:
        if supported(interpreter):
            missing = missing_parts(interpreter)
            if not missing:
                usable.append(interpreter)
            problems += ["%s lacks %s" % (interpreter["executable"], part) for part in missing]
    if usable:
        for problem in problems:
            say("passed over: " + problem)
        return usable
    if problems:
        die("; ".join(problems))
    seen = ", ".join("%s at %s" % (dotted(i), i["executable"]) for i in found) or "none"
    wanted = "%d.%d to %d.%d" % (*VERSIONS[0], *VERSIONS[-1])
    die(
        "no supported interpreter: CPython %s with a GIL is needed, found %s. Install one (Debian,"
        " Ubuntu: apt install python3.13 python3.13-venv python3.13-dev; or pyenv install 3.13) or"
        " name it: PYTHON=/path/to/python3.13" % (wanted, seen)
    )


def dotted(interpreter: Interpreter) -> str:
    """``3.13.0`` for an interpreter of that version."""
    return ".".join(str(part) for part in interpreter["version"])


# --- state and environment --------------------------------------------------------------------


def load_state() -> State:
    """What the last run recorded; empty when there is none for a clone in this very folder."""
    try:
        state = json.loads(STATE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return dict(state) if state.get("root") == str(ROOT) else {}


def save_state(state: State) -> None:
    """Replace the recorded state in one step."""
    incoming = STATE.with_suffix(".new")
    incoming.write_text(json.dumps(state, indent=2), encoding="utf-8")
    incoming.replace(STATE)


def digest(paths: Iterable[Path], *more: str) -> str:
    """One hash over the names and contents of `paths` and over `more`."""
    total = hashlib.sha256()
    for path in sorted(paths):
        content = path.read_bytes()
        total.update(("%s %d\n" % (path.relative_to(ROOT), len(content))).encode())
        total.update(content)
    total.update("\n".join(more).encode())
    return total.hexdigest()


def environment_digest(interpreter: Interpreter) -> str:
    """Changes when an environment has to be made anew."""
    projects = ROOT.glob("packages/*/pyproject.toml")
    return digest([ROOT / "pyproject.toml", *projects], interpreter["executable"], HATCH)


def native_digest(interpreter: Interpreter) -> str:
    """Changes when the C has to be compiled anew for an interpreter."""
    sources = [p for p in ROOT.glob("csrc/**/*") if p.is_file()]
    return digest([*sources, CORE / "native_build.py"], interpreter["executable"])


def tool_environment(state: State) -> Dict[str, str]:
    """The variables under which hatch and the commands run.

    Real interpreter folders stand before everything else on PATH, because version managers put
    shims there that may exit non-zero. Caches and settings stay inside .venv.
    """
    drop = ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "CONDA_PREFIX", "__PYVENV_LAUNCHER__")
    environment = {
        k: v for k, v in os.environ.items() if k not in drop and not k.startswith("HATCH_")
    }
    folders = [str(VENV / "envs" / "default" / "bin"), str(VENV / "bin")]
    for interpreter in state["interpreters"]:
        folder = os.path.dirname(interpreter["executable"])
        if folder not in folders:
            folders.append(folder)
    environment["PATH"] = os.pathsep.join([*folders, environment.get("PATH", os.defpath)])
    environment["HATCH_CONFIG"] = str(VENV / "hatch" / "config.toml")
    environment["HATCH_DATA_DIR"] = str(VENV / "hatch" / "data")
    environment["HATCH_CACHE_DIR"] = str(VENV / "hatch" / "cache")
    environment["HATCH_INTERACTIVE"] = "0"
    # The certificates of the system, as pip uses them: a company's proxy has its own.
    environment["UV_SYSTEM_CERTS"] = "1"
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    environment.setdefault("UV_CACHE_DIR", str(VENV / "cache" / "uv"))
    environment.setdefault("PIP_CACHE_DIR", str(VENV / "cache" / "pip"))
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    return environment


@contextmanager
def lock() -> Iterator[None]:
    """One bootstrap at a time in a clone; the others wait."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    # Beside .venv's content, because the folder itself may be removed and made anew.
    with open(ROOT / "tools" / "bootstrap.py", "rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


# --- setting up -------------------------------------------------------------------------------


def run(command: List[str], what: str, environment: Dict[str, str]) -> None:
    """Run a step quietly; when it fails show all it printed and stop."""
    result = subprocess.run(
        command,
        cwd=str(ROOT),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if result.returncode:
        sys.stderr.write(result.stdout.decode("utf-8", "replace"))
        die("%s failed with status %d: %s" % (what, result.returncode, " ".join(command)))


def make_venv(state: State, interpreter: Interpreter) -> None:
    """Make .venv anew with hatch in it."""
    if VENV.exists() and not STATE.exists():
        die("%s exists and was not made by this script: move it away" % VENV)
    shutil.rmtree(str(VENV), ignore_errors=True)
    say("CPython %s at %s" % (dotted(interpreter), interpreter["executable"]))
    (VENV / "hatch").mkdir(parents=True)
    save_state(state)
    (VENV / "hatch" / "config.toml").write_text('mode = "local"\n', encoding="utf-8")
    environment = tool_environment(state)
    run([interpreter["executable"], "-m", "venv", str(VENV)], "making .venv", environment)
    say("installing " + HATCH)
    run(
        [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", HATCH],
        "installing hatch from PyPI",
        environment,
    )
    state["hatch"] = HATCH
    save_state(state)


def make_environment(state: State, name: str, interpreter: Interpreter) -> None:
    """Bring the hatch environment `name` up to date, with the packages installed editable."""
    record = state["environments"].setdefault(name, {})
    wanted = environment_digest(interpreter)
    python = VENV / "envs" / name / "bin" / "python"
    if record.get("digest") != wanted or not python.exists():
        say("environment %s for CPython %s" % (name, dotted(interpreter)))
        shutil.rmtree(str(VENV / "envs" / name), ignore_errors=True)
        compiled = native_digest(interpreter)
        environment = tool_environment(state)
        run(
            [str(VENV / "bin" / "python"), "-m", "hatch", "env", "create", name],
            "making the environment " + name,
            environment,
        )
        record.update(digest=wanted, native=compiled, python=str(python))
        save_state(state)
    if record["native"] != native_digest(interpreter) or not has_module(interpreter):
        say("compiling csrc for CPython %s" % dotted(interpreter))
        compiled = native_digest(interpreter)
        out = CORE / "src" / "codetracer_core"
        script = [str(python), str(CORE / "native_build.py")]
        command = [*script, "--csrc", str(ROOT / "csrc"), "--out", str(out)]
        run(command, "compiling csrc", tool_environment(state))
        record["native"] = compiled
        save_state(state)


def has_module(interpreter: Interpreter) -> bool:
    """Whether a compiled module of this minor version lies beside the sources."""
    tag = "cpython-%d%d" % tuple(interpreter["version"][:2])
    return any((CORE / "src" / "codetracer_core").glob("_native.%s*" % tag))


def up_to_date(state: State) -> bool:
    """Whether .venv stands and its interpreter is the one to use."""
    if state.get("hatch") != HATCH or not (VENV / "bin" / "hatch").exists():
        return False
    if state["asked"] != os.environ.get("PYTHON"):
        return False
    return probe(str(VENV / "bin" / "python")) is not None


def fetch(state: State) -> Optional[str]:
    """Add an interpreter of the newest version, from Debian's packages, to those of `state`.

    Returns what is in the way, None when nothing is.
    """
    say("CPython %d.%d from Debian's packages" % VERSIONS[-1])
    python = state["interpreters"][0]["executable"]
    script = [python, str(ROOT / "tools" / "fetch_python.py"), str(VENV / "python")]
    result = subprocess.run(script, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    said = result.stderr.decode("utf-8", "replace")
    if result.returncode:
        return said.strip() or "it cannot be unpacked"
    sys.stderr.write(said)
    interpreter = probe(result.stdout.decode("utf-8").strip())
    if interpreter is None:
        return "what was unpacked does not run"
    problems = missing_parts(interpreter)
    if problems:
        return "what was unpacked lacks " + "; ".join(problems)
    state["interpreters"].append(interpreter)
    return None


def set_up(everything: bool, fetches: bool) -> State:
    """Bring .venv up to date and return what stands there."""
    state = load_state()
    fresh = not up_to_date(state)
    if fresh or everything:
        known = [] if fresh else [i["executable"] for i in state["interpreters"]]
        found = find_interpreters(known)
        usable = choose(found)
        chosen = usable[0] if fresh else state["interpreters"][0]
        others = {}  # type: Dict[Tuple[int, ...], Interpreter]
        for interpreter in usable:
            others.setdefault(tuple(interpreter["version"][:2]), interpreter)
        others.pop(tuple(chosen["version"][:2]), None)
        interpreters = [chosen, *others.values()]
        if fresh:
            state = {"root": str(ROOT), "asked": os.environ.get("PYTHON"), "environments": {}}
            state["interpreters"] = interpreters
            make_venv(state, chosen)
        state["interpreters"] = interpreters
        save_state(state)
    names = ["default"]
    make_environment(state, "default", state["interpreters"][0])
    if everything:
        missing = missing_versions(state)
        if fetches and "%d.%d" % VERSIONS[-1] in missing:
            problem = fetch(state)
            missing = missing_versions(state)
            if problem is not None:
                missing["%d.%d" % VERSIONS[-1]] = problem
        for interpreter in state["interpreters"][1:]:
            names.append("py%d%d" % tuple(interpreter["version"][:2]))
            make_environment(state, names[-1], interpreter)
        state["tested"] = {
            name: dotted(interpreter) for name, interpreter in zip(names, state["interpreters"])
        }
        state["missing"] = missing
        save_state(state)
    return state


def missing_versions(state: State) -> Dict[str, str]:
    """The supported versions of which `state` has no interpreter, each with the reason."""
    have = {tuple(interpreter["version"][:2]) for interpreter in state["interpreters"]}
    return {
        "%d.%d" % version: "this machine has none that is complete"
        for version in VERSIONS
        if version not in have
    }


def main(arguments: List[str]) -> int:
    """Set up, then become the command if there is one."""
    if sys.version_info < (3, 8):
        die("this script needs Python 3.8 or newer to run; it finds the others by itself")
    command = list(arguments)
    options = {"--all": False, "--fetch": False}
    while command and command[0] in options:
        options[command.pop(0)] = True
    if command[:1] and re.match("-", command[0]):
        print(__doc__.strip())
        return 0 if command[0] in ("-h", "--help") else 2
    with lock():
        state = set_up(options["--all"], options["--fetch"])
    if command:
        environment = tool_environment(state)
        program = shutil.which(command[0], path=environment["PATH"])
        if program is None:
            die("no program %s in %s" % (command[0], VENV))
        os.execve(program, command, environment)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
