"""Tests that what users install works: wheels, source distribution and editable installs."""

from __future__ import annotations

import os
import re
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from codetracer_core.monitoring.capabilities import SUPPORTED_VERSIONS
from workspace import (
    CORE,
    LEAVES,
    ROOT,
    bare_environment,
    build,
    build_from,
    copy_repository,
    installed,
    interpreters,
    load_tool,
    make_venv,
    pip_install,
    run,
    tool,
    version_of,
)

pytestmark = [pytest.mark.repository, pytest.mark.timeout(900)]


def in_order(version: str) -> tuple[int, ...]:
    """Sorts ``3.9`` before ``3.10``."""
    return tuple(map(int, version.split(".")))


VERSIONS = sorted(interpreters(), key=in_order)
# Wheels of the versions between are made in the same way.
outermost_pythons = pytest.mark.parametrize("version", sorted({VERSIONS[0], VERSIONS[-1]}))

PROGRAM = "def double(x):\n    return 2 * x\n\nprint('doubled', double(21))\n"


@pytest.fixture(scope="session")
def newest() -> str:
    """The newest supported interpreter."""
    return interpreters()[VERSIONS[-1]]


@pytest.fixture(scope="session")
def leaf_wheels(tmp_path_factory: pytest.TempPathFactory, newest: str) -> Path:
    """A folder with the wheels of the three leaves."""
    folder = tmp_path_factory.mktemp("leaf wheels")
    for leaf in LEAVES:
        build(leaf, "wheel", folder, newest)
    return folder


@pytest.fixture(scope="session")
def core_wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Version to core's wheel, built from the repository."""
    folder = tmp_path_factory.mktemp("core wheels")
    return {
        version: build(CORE, "wheel", folder / version, interpreters()[version])
        for version in {VERSIONS[0], VERSIONS[-1]}
    }


@pytest.fixture(scope="session")
def core_sdist(tmp_path_factory: pytest.TempPathFactory, newest: str) -> Path:
    """Core's source distribution."""
    return build(CORE, "sdist", tmp_path_factory.mktemp("core sdist"), newest)


def version_name(python: str) -> str:
    """The version under which an interpreter is listed."""
    return next(name for name, path in interpreters().items() if path == python)


def names_in(wheel: Path) -> set[str]:
    """The members of a wheel without its metadata folder."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def assert_records(python: Path, folder: Path, env: dict[str, str]) -> None:
    """The installed command records a program and shows its trace, away from any checkout."""
    (folder / "program.py").write_text(PROGRAM)
    command = python.parent / "codetracer-core"
    recorded = run(command, "record", "--out-dir", "out", "program.py", cwd=folder, env=env)
    assert "doubled 42" in recorded
    assert (folder / "out" / "trace.ct").is_file()
    shown = run(command, "show", "out", cwd=folder, env=env)
    assert "return 2 * x" in shown
    assert "42" in shown
    assert_records_itself(python, folder, env)
    where = run(python, "-c", "import codetracer_core as c; print(c.__file__)", cwd=folder, env=env)
    assert str(ROOT) not in where


def assert_records_itself(python: Path, folder: Path, env: dict[str, str]) -> None:
    """A program records itself when its environment says so, and not otherwise."""
    (folder / "program.py").write_text(PROGRAM)
    for out_dir in ("", "auto-out"):
        ran = run(python, "program.py", cwd=folder, env={**env, "CODETRACER_TRACE": out_dir})
        assert ran == "doubled 42\n"
        assert (folder / "auto-out" / "trace.ct").is_file() == bool(out_dir)


@outermost_pythons
def test_core_wheel_holds_one_module_for_its_interpreter(
    version: str, core_wheels: dict[str, Path]
) -> None:
    """A wheel of core is tagged for one CPython and holds the compiled module of that one only."""
    number = version.replace(".", "")
    wheel = core_wheels[version]
    assert f"-cp{number}-cp{number}-" in wheel.name
    compiled = [name for name in names_in(wheel) if name.endswith((".so", ".pyd"))]
    assert len(compiled) == 1
    assert re.fullmatch(rf"codetracer_core/_native\.cpython-{number}-.*\.so", compiled[0])
    assert "codetracer_core/py.typed" in names_in(wheel)
    assert not [name for name in names_in(wheel) if name.endswith((".c", ".h", ".cdef.txt"))]


@pytest.mark.parametrize("leaf", LEAVES)
def test_leaf_wheel_is_pure(leaf: str, leaf_wheels: Path) -> None:
    """A leaf's wheel fits every platform and ships its type marker and its licence."""
    (wheel,) = leaf_wheels.glob(f"{leaf.replace('-', '_')}-*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    assert f"{leaf.replace('-', '_')}/py.typed" in names_in(wheel)
    with zipfile.ZipFile(wheel) as archive:
        assert [name for name in archive.namelist() if name.endswith("licenses/LICENSE")]


@pytest.mark.parametrize("package", [CORE, *LEAVES])
def test_each_package_carries_the_licence(package: str) -> None:
    """The licence in a package's folder is the repository's."""
    assert (ROOT / "packages" / package / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def test_sdist_alone_makes_the_same_wheel(
    core_sdist: Path, core_wheels: dict[str, Path], newest: str, tmp_path: Path
) -> None:
    """The source distribution carries the C sources and makes the same wheel."""
    with tarfile.open(core_sdist) as archive:
        members = {name.partition("/")[2] for name in archive.getnames()}
    assert {f"csrc/{path.name}" for path in (ROOT / "csrc").glob("*.[ch]")} <= members
    assert not [name for name in members if name.endswith(".so")]
    wheel = build_from(core_sdist, "wheel", tmp_path, newest)
    (same,) = [path for path in core_wheels.values() if path.name == wheel.name]
    assert names_in(wheel) == names_in(same)
    assert wheel.read_bytes() == same.read_bytes()


@outermost_pythons
def test_wheels_are_all_that_a_user_needs(
    version: str, core_wheels: dict[str, Path], leaf_wheels: Path, tmp_path: Path
) -> None:
    """pip installs core from a folder of wheels without a compiler, and the command records."""
    python = make_venv(interpreters()[version], tmp_path / "venv")
    env = bare_environment(tmp_path)
    links = [f"--find-links={leaf_wheels}", f"--find-links={core_wheels[version].parent}"]
    pip_install(python, [*links, "codetracer-core"], env)
    assert_records(python, tmp_path, env)


@outermost_pythons
def test_filter_installs_alone(version: str, leaf_wheels: Path, tmp_path: Path) -> None:
    """codetracer-filter brings no sibling and no compiled code of ours, and it imports."""
    python = make_venv(interpreters()[version], tmp_path / "venv")
    env = bare_environment(tmp_path)
    pip_install(python, [f"--find-links={leaf_wheels}", "codetracer-filter"], env)
    names = set(installed(python, env))
    assert "codetracer-filter" in names
    assert not {name for name in names if name.startswith("codetracer-")} - {"codetracer-filter"}
    assert "cffi" not in names
    run(python, "-c", "import codetracer_filter", env=env, cwd=tmp_path)


@outermost_pythons
def test_editable_install_imports_from_the_checkout(version: str, tmp_path: Path) -> None:
    """An editable install, in a folder with spaces, compiles the C beside the sources."""
    checkout = copy_repository(tmp_path / "a check out")
    python = make_venv(interpreters()[version], tmp_path / "venv")
    editables = [f"--editable={checkout / 'packages' / name}" for name in (*LEAVES, CORE)]
    run(tool("uv"), "pip", "install", "--quiet", "--python", python, *editables)
    where = run(
        python, "-c", "import codetracer_core._native as n; print(n.__file__)", cwd=tmp_path
    )
    assert Path(where.strip()).parent == checkout / "packages" / CORE / "src" / "codetracer_core"
    assert_records_itself(python, tmp_path, dict(os.environ))


def lowest_versions() -> dict[str, str]:
    """Leaf to the lowest version that core's ranges admit."""
    lowest = {}
    for requirement in load_tool("release").packages()["core"].requirements():
        if requirement.name in LEAVES:
            lowest[requirement.name] = lower_bound(requirement)
    return lowest


def lower_bound(requirement: Requirement) -> str:
    """``0.1.0`` for ``>=0.1``."""
    (bound,) = [spec.version for spec in requirement.specifier if spec.operator == ">="]
    return ".".join([*bound.split("."), "0", "0"][:3])


def test_the_supported_versions_are_the_same_everywhere() -> None:
    """What the recorder refuses, what pip refuses, what is announced, tested and released agree."""
    versions = ["{}.{}".format(*version) for version in SUPPORTED_VERSIONS]
    assert load_tool("bootstrap").VERSIONS == SUPPORTED_VERSIONS
    assert versions[-1] == load_tool("fetch_python").VERSION
    for package in (CORE, *LEAVES):
        with (ROOT / "packages" / package / "pyproject.toml").open("rb") as file:
            project = tomllib.load(file)["project"]
        announced = [
            name.rpartition(" ")[2]
            for name in project["classifiers"]
            if name.startswith("Programming Language :: Python :: 3.")
        ]
        assert announced == versions
        admitted = SpecifierSet(project["requires-python"])
        assert all(f"{version}.0" in admitted for version in versions)
        assert "3.10.20" not in admitted
    with (ROOT / "packages" / CORE / "pyproject.toml").open("rb") as file:
        core = tomllib.load(file)
    assert f"3.{SUPPORTED_VERSIONS[-1][1] + 1}.0" not in SpecifierSet(
        core["project"]["requires-python"]
    )
    built = [f"cp{version.replace('.', '')}-manylinux_*" for version in versions]
    assert core["tool"]["cibuildwheel"]["build"] == built


def test_core_depends_on_its_siblings_by_range() -> None:
    """Every leaf stands in core's dependencies with a lower and an upper bound."""
    requirements = load_tool("release").packages()["core"].requirements()
    operators = {r.name: {s.operator for s in r.specifier} for r in requirements}
    assert {name: operators[name] for name in LEAVES} == {name: {">=", "<"} for name in LEAVES}


def test_core_works_with_the_lowest_allowed_siblings(
    core_wheels: dict[str, Path], newest: str, tmp_path: Path
) -> None:
    """Core records with each leaf at the lowest version that its ranges admit."""
    wheels = tmp_path / "wheels"
    for leaf, version in lowest_versions().items():
        if version == version_of(leaf):
            build(leaf, "wheel", wheels, newest)
            continue
        archive = tmp_path / f"{leaf}.tar"
        tag = f"{leaf}-v{version}"
        run("git", "archive", "--output", archive, f"{tag}:packages/{leaf}")
        with tarfile.open(archive) as opened:
            opened.extractall(tmp_path / leaf, filter="data")
        build_from(tmp_path / leaf, "wheel", wheels, newest)
    python = make_venv(newest, tmp_path / "venv")
    env = bare_environment(tmp_path)
    exact = [f"{leaf}=={version}" for leaf, version in lowest_versions().items()]
    core = core_wheels[version_name(newest)]
    pip_install(python, [f"--find-links={wheels}", *exact, core], env)
    versions = installed(python, env)
    assert {leaf: versions[leaf] for leaf in LEAVES} == lowest_versions()
    assert_records(python, tmp_path, env)


def test_core_works_with_filter_bumped_alone(
    core_wheels: dict[str, Path], leaf_wheels: Path, newest: str, tmp_path: Path
) -> None:
    """After a minor release of filter alone, the unchanged core takes the new one and records."""
    checkout = copy_repository(tmp_path / "checkout")
    run(tool("hatch"), "version", "minor", cwd=checkout / "packages" / "codetracer-filter")
    bumped = version_of("codetracer-filter", checkout)
    assert bumped != version_of("codetracer-filter")
    wheels = tmp_path / "wheels"
    build("codetracer-filter", "wheel", wheels, newest, checkout)
    python = make_venv(newest, tmp_path / "venv")
    env = bare_environment(tmp_path)
    links = [f"--find-links={folder}" for folder in (wheels, leaf_wheels)]
    core = core_wheels[version_name(newest)]
    pip_install(python, [*links, f"codetracer-filter=={bumped}", core], env)
    assert installed(python, env)["codetracer-filter"] == bumped
    assert_records(python, tmp_path, env)


def test_twine_accepts_every_archive(
    core_wheels: dict[str, Path], core_sdist: Path, leaf_wheels: Path, newest: str, tmp_path: Path
) -> None:
    """``twine check --strict`` passes for all wheels and source distributions."""
    sdists = [build(leaf, "sdist", tmp_path, newest) for leaf in LEAVES]
    archives = [*core_wheels.values(), core_sdist, *sorted(leaf_wheels.glob("*.whl")), *sdists]
    run(tool("hatch"), "run", "release:twine", "check", "--strict", *archives)
