"""Tables of figures, as plain text and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.support.figures import FigureSpec
    from benchmarks.support.rounds import Measured

__all__ = ["arrange", "as_markdown", "as_text", "print_figures"]

Rows = list[list[str]]


def arrange(specs: Sequence[FigureSpec], measured: Measured) -> dict[str, Rows]:
    """Title to rows of cells, the head first; what was not measured is left out.

    The target of a figure stands in the column behind it.
    """
    tables: dict[str, Rows] = {}
    for title in dict.fromkeys(spec.table for spec in specs):
        own = {
            (spec.row, spec.column): (spec, figure)
            for spec in specs
            if spec.table == title and (figure := spec.figure(measured)) is not None
        }
        if not own:
            continue
        columns = list(dict.fromkeys(column for _, column in own))
        aimed = {column for (_, column), (spec, _) in own.items() if spec.target}
        head = [""]
        for column in columns:
            head += [column, "target"] if column in aimed else [column]
        rows = [head]
        for row in dict.fromkeys(row for row, _ in own):
            cells = [row]
            for column in columns:
                spec, figure = own.get((row, column), (None, None))
                cells.append(str(figure or ""))
                if column in aimed:
                    cells.append(str(spec.target) if spec and spec.target else "")
            rows.append(cells)
        tables[title] = rows
    return tables


def as_text(title: str, rows: Rows) -> str:
    """`rows` in columns, the first to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [title]
    for row in (rows[0], ["-" * width for width in widths], *rows[1:]):
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def as_markdown(rows: Rows, *, text: bool = False) -> str:
    """`rows` as a Markdown table, whose columns after the first are figures or `text`."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, "|---" + ("|---" if text else "|--:") * (len(rows[0]) - 1) + "|")
    return "\n".join(lines) + "\n"


def print_figures(specs: Sequence[FigureSpec], measured: Measured) -> None:
    """Print the tables of what was measured."""
    for title, rows in arrange(specs, measured).items():
        print(as_text(title, rows), flush=True)
