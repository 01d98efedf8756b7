"""A page of tables that sort, in one file: it fetches nothing, and names are never markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from archcalc.reports.model import Column, Measurement, Ranked, Report, cell, visible
from archcalc.units import printable

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def render(command: str, reports: Sequence[Report]) -> str:
    """Return the page of a command's reports, a section each."""
    titles = [report.title for report in reports]
    return page(titles[0] if titles else f"archcalc {command}", map(section, reports))


def page(title: str, body: Iterable[str]) -> str:
    """Return a whole document around its sections, with its styles and its script in it."""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<link rel="icon" href="data:,">',
            f"<title>{text(title)}</title>",
            f"<style>\n{_part('page.css')}</style>",
            "<main>",
            *body,
            "</main>",
            f"<script>\n{_part('lights.js')}{_part('page.js')}</script>",
            "</html>",
        ]
    )


def section(report: Report) -> str:
    """Return a report's title, table and remarks."""
    remarks = "".join(f"<p>{text(remark)}</p>" for remark in report.remarks)
    return f"<section><h2>{text(report.title)}</h2>{table(report)}{remarks}</section>"


def table(report: Report) -> str:
    """Return a report's rows; `data-layers` has the numbers of the layers that a row says it is of."""
    columns = visible(report)
    heads = "".join(_head(column) for column in columns)
    rows = "".join(
        f'<tr data-layers="{text(row.get("layers", ""))}">{_cells(row, columns)}</tr>'
        for row in report.rows
    )
    foot = f"<tfoot><tr>{_cells(report.total, columns)}</tr></tfoot>" if report.total else ""
    return (
        f'<div class="wide"><table class="sort"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody>{foot}</table></div>"
    )


def text(value: object) -> str:
    """Return a text as a page may hold it, also within an attribute."""
    return escape(printable(str(value)), quote=True)


@cache
def _part(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _head(column: Column) -> str:
    if column.kind == "bar":
        return '<th class="bar"></th>'
    side = "left" if column.left else "right"
    return f'<th class="{side}" scope="col"><button type="button">{text(column.header)}</button></th>'


def _cells(row: dict[str, Any], columns: Sequence[Column]) -> str:
    return "".join(_cell(column, row.get(column.key)) for column in columns)


def _cell(column: Column, value: Any) -> str:
    if column.kind == "bar":
        part, whole = value or (0, 0)
        share = f"{100 * part / whole:.1f}" if whole else "0"
        return f'<td class="bar"><i style="width:{share}%"></i></td>'
    number = _number(column, value)
    sorted_by = "" if number is None else f' data-v="{number}"'
    side = "left" if column.left else "right"
    told = text(cell(column, value))
    told = told.replace("/", "/<wbr>") if column.kind == "name" else told  # a path may break there
    return f'<td class="{side}"{sorted_by}>{told}</td>'


def _number(column: Column, value: Any) -> int | float | None:
    """Return what a cell is sorted by, None for texts."""
    if isinstance(value, Ranked):
        value = value.rank
    if isinstance(value, Measurement):
        value = value.value
    if isinstance(value, tuple) and column.kind in ("share", "change"):
        part, whole = value
        if part is None or whole is None:
            return None
        value = part / whole if whole and column.kind == "share" else abs(whole - part)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
