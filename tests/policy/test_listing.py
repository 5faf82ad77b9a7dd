"""The settings as people read them."""

from __future__ import annotations

from codetracer_policy import (
    VARIABLES,
    PolicySource,
    RecorderPolicy,
    list_settings,
    read_environment,
    resolve_policy,
    settings_table,
    variables_table,
)
from codetracer_policy.model import FIELD_NAMES


def test_every_setting_is_listed_with_value_and_origin() -> None:
    """A policy's listing has each setting in the words that would set it, and what did."""
    policy = resolve_policy(
        project=PolicySource({"max_value": 2048, "log_file": "/log"}, "/p/pyproject.toml"),
        environ={"CODETRACER_CAPTURE_IO": "off", "CODETRACER_MAX_STEP": "1500"},
        overrides=PolicySource({"on_recorder_error": "abort"}, "--on-recorder-error"),
    )
    listed = list_settings(policy)
    assert tuple(setting.name for setting in listed) == FIELD_NAMES
    assert {
        setting.name: (setting.value, setting.origin)
        for setting in listed
        if setting.origin != "default"
    } == {
        "on_recorder_error": ("abort", "override --on-recorder-error"),
        "log_file": ("/log", "file /p/pyproject.toml"),
        "io_capture_line_proxies": ("off", "environment CODETRACER_CAPTURE_IO"),
        "io_capture_fd_fallback": ("off", "environment CODETRACER_CAPTURE_IO"),
        "max_value": ("2KiB", "file /p/pyproject.toml"),
        "max_step": ("1500", "environment CODETRACER_MAX_STEP"),
    }


def test_a_listed_value_is_what_its_variable_takes() -> None:
    """Putting the listed defaults into the variables gives the defaults again."""
    defaults = {setting.variables[-1]: setting.value for setting in list_settings(RecorderPolicy())}
    policy = RecorderPolicy()
    for layer in read_environment({k: v for k, v in defaults.items() if v != "none"}):
        policy = policy.apply(layer.update)
    for setting in list_settings(policy):
        if not setting.name.startswith("io_capture"):
            assert setting.value == defaults[setting.variables[-1]]


def test_the_tables_have_a_row_for_each_setting_and_variable() -> None:
    """What the documents show comes from the table of variables and the defaults."""
    settings, variables = settings_table().splitlines()[2:], variables_table().splitlines()[2:]
    assert [row.split("`")[1] for row in settings] == list(FIELD_NAMES)
    assert [row.split("`")[1] for row in variables] == [entry.name for entry in VARIABLES]
    assert "| `max_step` | 256KiB | `CODETRACER_MAX_STEP` | bytes recorded of all" in settings[14]
    assert "| `CODETRACER_LOG`, `CODETRACER_LOG_LEVEL` |" in settings[3]
    assert "| off, proxies or proxies+fd | proxies |" in variables[7]
