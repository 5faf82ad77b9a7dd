"""Plots of figures, as SVG files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

__all__ = ["draw_bars", "draw_lines"]


def draw_bars(
    path: Path, title: str, groups: Sequence[str], bars: Mapping[str, Sequence[float | None]]
) -> None:
    """Draw bars that start at 1 on a logarithmic scale, one of each name in each group."""
    import pygal

    chart = pygal.HorizontalBar(**_style(), logarithmic=True, height=120 + 22 * _count(bars))
    chart.title = title
    chart.x_labels = groups
    for name, values in bars.items():
        # The axis is logarithmic: what is not slower at all has no length.
        chart.add(name, [None if value is None else max(value, 1.0) for value in values])
    _write(path, chart)


def draw_lines(
    path: Path, title: str, points: Sequence[str], lines: Mapping[str, Sequence[float | None]]
) -> None:
    """Draw a line of each name through the values at `points`."""
    import pygal

    chart = pygal.Line(**_style(), x_label_rotation=30, height=500)
    chart.title = title
    chart.x_labels = points
    for name, values in lines.items():
        chart.add(name, values)
    _write(path, chart)


def _style() -> dict[str, Any]:
    # Without `js` the file needs nothing from the network.
    return {"js": [], "legend_at_bottom": True, "width": 900, "no_prefix": True}


def _count(bars: Mapping[str, Sequence[object]]) -> int:
    return sum(map(len, bars.values()))


def _write(path: Path, chart: Any) -> None:
    path.write_text(chart.render(is_unicode=True, disable_xml_declaration=True), encoding="utf-8")
