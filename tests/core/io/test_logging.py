"""Records of the module ``logging`` as events of a trace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.io.support import Recorded, run

LOGGED = "import logging\nlog = logging.getLogger('app.shop')\n"
SILENT = "logging.getLogger().addHandler(logging.NullHandler())\n"


def records(done: Recorded) -> list[tuple[str, str, str, int]]:
    """Level, logger, message and line of every record."""
    events = [json.loads(e["metadata"]) | e for e in done.trace.events if e["kind"] == 12]
    return [
        (event["level"], event["logger"], event["content"].decode(), event["line"])
        for event in events
        if event["stream"] == "log"
    ]


def test_a_record_is_an_event_at_the_line_that_logged(tmp_path: Path) -> None:
    """With level, logger and the message as handlers have shown it; what is not enabled is none."""
    done = run(
        tmp_path,
        f"{LOGGED}class A:\n    def __str__(self): return 'A!'\n"
        "log.info('not enabled')\nlog.warning('%s of %d', A(), 3)\nlogging.error('root')\n",
        "--capture-logging",
    )
    assert records(done) == [
        ("WARNING", "app.shop", "A! of 3", 6),
        ("ERROR", "root", "root", 7),
    ]
    assert done.text("stderr") == done.plain.stderr


def test_what_nobody_formats_is_formatted_from_plain_arguments_only(tmp_path: Path) -> None:
    """No method of the program is called for a message; its pattern stands in its place."""
    done = run(
        tmp_path,
        f"{LOGGED}{SILENT}class A:\n    def __str__(self): print('called')\n"
        "log.warning('%s %5.1f %r', 'x', 1.25, None)\nlog.warning('%(a)s', {'a': 1})\n"
        "log.warning('of %s', A())\nlog.warning('wrong %d', 'x')\nlog.warning(A())\n"
        "log.warning('100%')\n",
        "--capture-logging",
    )
    assert [message for _, _, message, _ in records(done)] == [
        "x   1.2 None",
        "1",
        "of %s",
        "wrong %d",
        "<A>",
        "100%",
    ]
    assert done.text("stdout") == b""


def test_secrets_are_replaced_in_messages(tmp_path: Path) -> None:
    """As in output."""
    program = f"{LOGGED}password = 'correct horse'\nlog.warning('it is %s', password)\n"
    done = run(tmp_path, program, "--capture-logging")
    assert records(done) == [("WARNING", "app.shop", "it is <redacted>", 4)]


@pytest.mark.parametrize(
    "program",
    [
        "log.warning('')",
        "log.warning('\\x01a\\x01b\\ud800')",
        "log.warning('x' * 100_000)",
        "logging.getLogger('a\\x02\"b').warning('x')",
    ],
)
def test_every_text_makes_one_event(program: str, tmp_path: Path) -> None:
    """Also empty and very long ones, and those that need an escape."""
    done = run(tmp_path, f"{LOGGED}{SILENT}{program}\nprint('end')\n", "--capture-logging")
    assert len(records(done)) == 1
    assert done.lines() == [("end\n", 5)]


@pytest.mark.parametrize("options", [[], ["--capture-logging", "--trace-filter=off.toml"]])
def test_records_are_no_events_unless_they_are_asked_for(
    options: list[str], tmp_path: Path
) -> None:
    """By the setting, and not against the ``[io]`` table of a filter."""
    (tmp_path / "off.toml").write_text(
        '[meta]\nname = "io"\nversion = 1\n[io]\ncapture = false\n'
        '[scope]\ndefault_exec = "inherit"\ndefault_value_action = "inherit"\n'
    )
    assert records(run(tmp_path, f"{LOGGED}log.warning('x')\n", *options)) == []


def test_records_come_without_output(tmp_path: Path) -> None:
    """``--io-capture off`` leaves only these."""
    done = run(tmp_path, f"{LOGGED}log.warning('x')\n", "--capture-logging", "--io-capture=off")
    assert [event.stream for event in done.written] == ["log"]


def test_a_recorded_logging_module_makes_no_difference(tmp_path: Path) -> None:
    """Its own lines are recorded then, and each record is still one event."""
    (tmp_path / "all.toml").write_text(
        '[meta]\nname = "all"\nversion = 1\n'
        '[scope]\ndefault_exec = "trace"\ndefault_value_action = "allow"\n'
        '[[scope.rules]]\nselector = "pkg:literal:logging"\nexec = "trace"\n'
    )
    done = run(
        tmp_path, f"{LOGGED}log.warning('x')\n", "--capture-logging", "--trace-filter=all.toml"
    )
    assert [record[:3] for record in records(done)] == [("WARNING", "app.shop", "x")]
    (event,) = (event for event in done.written if event.stream == "log")
    assert event.function == "Logger.callHandlers"
