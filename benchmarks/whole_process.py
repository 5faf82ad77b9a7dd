"""What recording costs around the program: starting, making the trace, memory, skipped code.

``python benchmarks/whole_process.py`` prints each figure beside what is aimed at.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from figures import materialising, memory, skipped, startup
from support import command
from support.tables import print_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.figure_row import FigureRow


def main() -> None:
    """Take all figures and print them."""
    parser = command.parser(__doc__ or "")
    parser.add_argument(
        "--long", action="store_true", help="the call-heavy program makes 11 million calls"
    )
    options = parser.parse_args()
    parts: dict[str, Callable[[], list[FigureRow]]] = {
        "Start": lambda: startup.measure(fast=options.fast, clock=options.clock),
        "Making trace.ct": lambda: materialising.measure(fast=options.fast, clock=options.clock),
        "Memory": lambda: memory.measure(fast=options.fast, long=options.long),
        "Skipped code": lambda: skipped.measure(fast=options.fast, clock=options.clock),
    }
    found = {}
    for title, take in parts.items():
        rows = take()
        found[title] = [
            {"what": row.what.strip(), "measured": row.measured, "target": row.target}
            for row in rows
        ]
        print_table(
            title,
            ["figure", "measured", "target"],
            [[row.what, row.measured, row.target] for row in rows],
        )
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
