"""Programs that nobody here wrote: recorded in depth, and undisturbed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from codetracer_core.ctfs.reader import Trace
from integration.recording import record, run_plain, write_files
from naive import ct

if TYPE_CHECKING:
    from pathlib import Path

TRACE_MODULES = """\
[meta]
name = "trace-a-part-of-the-standard-library"
version = 1
[scope]
default_exec = "inherit"
default_value_action = "inherit"
[[scope.rules]]
selector = "file:regex:/{module}(/|\\\\.py$)"
exec = "trace"
reason = "the program is this module"
"""

LINES_OF_TEXT = "\n".join(f"line {number % 7} of {number}" for number in range(40))


@dataclass(frozen=True)
class RealProgram:
    """A program, the module whose code must be in its trace, and how it is started."""

    module: str
    words: tuple[str, ...]
    files: dict[str, str] = field(default_factory=dict)
    standard_library: bool = True


PROGRAMS = {
    "json.tool": RealProgram(
        module="json",
        words=("-m", "json.tool", "--sort-keys", "--indent", "3", "data.json"),
        files={
            "data.json": json.dumps(
                [
                    {"name": f"n{i}", "values": [i, i / 3, None, True], "text": "é\n"}
                    for i in range(60)
                ]
            )
        },
    ),
    "calendar": RealProgram(
        module="calendar",
        words=("main.py",),
        files={
            "main.py": "import calendar\nprint(calendar.TextCalendar(0).formatyear(2024))\n"
            "print(calendar.HTMLCalendar().formatmonth(2024, 2))\n"
        },
    ),
    "difflib": RealProgram(
        module="difflib",
        words=("main.py",),
        files={
            "main.py": "import difflib\n"
            "a = open('a.txt').read().splitlines()\nb = open('b.txt').read().splitlines()\n"
            "print('\\n'.join(difflib.unified_diff(a, b)))\n"
            "print('\\n'.join(difflib.ndiff(a[:8], b[:8])))\n"
            "print(difflib.get_close_matches('lime 3 of 9', a))\n",
            "a.txt": LINES_OF_TEXT,
            "b.txt": LINES_OF_TEXT.replace("line 3", "lime 3").replace("of 12\n", ""),
        },
    ),
    "jinja2": RealProgram(
        module="jinja2",
        words=("main.py",),
        files={
            "main.py": "import jinja2\n"
            "loader = jinja2.DictLoader({'base': '<ul>{% block items %}{% endblock %}</ul>',\n"
            "    'page': '{% extends \"base\" %}{% block items %}{% for i in items %}'\n"
            "        '<li>{{ loop.index }}: {{ i|e }}</li>{% endfor %}{% endblock %}'})\n"
            "environment = jinja2.Environment(loader=loader, autoescape=True)\n"
            "print(environment.get_template('page').render(items=['a', '<b>', 3]))\n"
        },
        standard_library=False,
    ),
    "networkx": RealProgram(
        module="networkx",
        words=("main.py",),
        files={
            "main.py": "import networkx\n"
            "graph = networkx.Graph()\n"
            "graph.add_weighted_edges_from((i, (i * 7 + 3) % 20, i + 1) for i in range(20))\n"
            "print(networkx.shortest_path(graph, 0, 11, weight='weight'))\n"
            "print(sorted(map(len, networkx.connected_components(graph))))\n"
            "print(round(networkx.average_clustering(graph), 6))\n"
        },
        standard_library=False,
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_real_program_is_recorded_and_undisturbed(name: str, tmp_path: Path) -> None:
    """Output and status are as unrecorded, and two decoders find the same thousands of steps."""
    program = PROGRAMS[name]
    write_files(tmp_path, {"filter.toml": TRACE_MODULES.format(module=program.module)})
    write_files(tmp_path, dict(program.files))
    options = ["--trace-filter", "filter.toml"] if program.standard_library else []
    plain = run_plain(program.words, tmp_path)
    # What two decoders written in Python agree on needs no long lists.
    short = {"CODETRACER_MAX_ITEMS": "10"}
    out = tmp_path / "out"
    recorded = record([*options, *program.words], tmp_path, out, environment=short)
    assert recorded.stderr.decode() == plain.stderr.decode()
    assert recorded.stdout == plain.stdout
    assert len(plain.stdout) > 20
    assert recorded.returncode == plain.returncode == 0

    naive = ct.load(out / "trace.ct")
    assert len(naive.steps) > 1_000
    assert any(f"/{program.module}" in path for path in naive.paths)
    with Trace(out / "trace.ct") as trace:
        places = [(step.kind, step.path, step.line) for step in trace.steps()]
        assert places == [(step["kind"], step["path"], step["line"]) for step in naive.steps]
        assert [call.function for call in trace.calls()] == [
            str(call["function"]) for call in naive.calls
        ]
        for number in range(0, len(trace), len(trace) // 50):
            names = [variable.name for variable in trace.variables(number)]
            assert names == [variable for variable, _ in naive.values[number]]
    assert all(call["first"] <= call["last"] < len(naive.steps) for call in naive.calls)
    metadata = json.loads((out / "trace_metadata.json").read_text())
    assert metadata["process_exit_status"] == {"code": 0, "label": None}
