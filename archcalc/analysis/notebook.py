"""An analysis as an HTML table, for notebooks."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from archcalc.units import grouped, printable

if TYPE_CHECKING:
    from archcalc.analysis.costs import Analysis

HEADERS = ("layer", "operator", "output", "parameters", "multiplies")


def html(analysis: Analysis) -> str:
    """Every layer and the total; names are text, never markup."""
    rows = [
        (
            layer.path,
            str(layer.node.operator),
            str(layer.node.shape),
            grouped(int(layer.costs.parameters)),
            grouped(int(layer.costs.multiplies)),
        )
        for layer in analysis.layers[1:]
    ]
    total = ("total", "", "", grouped(int(analysis.parameters)), grouped(int(analysis.multiplies)))
    lines = [_row(HEADERS, "th"), *(_row(row, "td") for row in rows), _row(total, "th")]
    return f"<table>{''.join(lines)}</table>"


def _row(cells: tuple[str, ...], tag: str) -> str:
    texts = (escape(printable(cell)) for cell in cells)
    return f"<tr>{''.join(f'<{tag}>{text}</{tag}>' for text in texts)}</tr>"
