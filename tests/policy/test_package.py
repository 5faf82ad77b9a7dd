"""The package as a whole: what importing it costs, and what it exports."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys

import codetracer_policy


def test_every_exported_name_exists_and_is_at_home_in_one_module() -> None:
    """Each name in ``__all__`` can be imported from the package and is that of its module."""
    for name in codetracer_policy.__all__:
        value = getattr(codetracer_policy, name)
        home = codetracer_policy._HOME_OF[name]
        assert getattr(importlib.import_module(f"codetracer_policy.{home}"), name) is value
    assert set(codetracer_policy._HOME_OF) == set(codetracer_policy.__all__)
    assert set(codetracer_policy.__all__) <= set(dir(codetracer_policy))


def test_a_name_that_is_not_exported_is_an_attribute_error() -> None:
    """Asking the package for an unknown name fails as for any module."""
    assert not hasattr(codetracer_policy, "PolicyColour")


def test_importing_loads_nothing_and_reads_no_environment() -> None:
    """Import imports no other module, and does not fail for an invalid variable."""
    program = (
        "import sys; before = set(sys.modules)\n"
        "import codetracer_policy\n"
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"CODETRACER_JSON_ERRORS": "perhaps", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(re.findall(r"'(\w+)'", done.stdout)) <= {"codetracer_policy", "__future__"}
