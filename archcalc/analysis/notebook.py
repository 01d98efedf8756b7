"""Hold rows for pandas and polars, and show them as HTML in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archcalc.units import grouped, printable

MOST_SHOWN = 500  # rows; a longer table would freeze the browser


class Rows(list[dict[str, Any]]):
    """Flat dicts of plain values, as `pandas.DataFrame` and `polars.DataFrame` take them."""

    def _repr_html_(self) -> str:
        return html(self)


def html(rows: list[dict[str, Any]], total: Mapping[str, Any] | None = None) -> str:
    """Return an HTML table of the rows and their total; all text is escaped."""
    headers = list(dict.fromkeys(key for row in rows for key in row))
    lines = [_line(headers, "th"), *(_line(map(row.get, headers), "td") for row in rows[:MOST_SHOWN])]
    if len(rows) > MOST_SHOWN:
        lines.append(_line([f"{grouped(len(rows) - MOST_SHOWN)} more rows"], "td"))
    if total is not None:
        lines.append(_line(["total", *(total.get(key, "") for key in headers[1:])], "th"))
    return f"<table>{''.join(lines)}</table>"


def _line(cells: Any, tag: str) -> str:
    from html import escape  # half a millisecond that only pages need

    return f"<tr>{''.join(f'<{tag}>{escape(printable(_text(cell)))}</{tag}>' for cell in cells)}</tr>"


def _text(value: Any) -> str:
    if value is None:
        return "–"
    return grouped(value) if type(value) is int else str(value)
