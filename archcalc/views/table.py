"""Text tables for people: as wide as the terminal, 80 columns where there is none."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from archcalc.views.report import Column, Report, cell, visible

INDENT, GAP = "  ", "  "
USUAL, NARROWEST = 80, 50
SHORTEST = 14  # of a text that is cut


def render(command: str, reports: Sequence[Report]) -> str:
    """Every report as title, table and remarks."""
    width = max(_terminal_width() or USUAL, NARROWEST)
    return "\n\n".join("\n".join(_lines(report, width)) for report in reports)


def _terminal_width() -> int:
    """COLUMNS or the terminal's width, 0 if there is neither (shutil would cost 3 ms at every start)."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal():
        return int(columns[:6])
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return 0


def colored() -> bool:
    """Whether the output is a terminal that wants color (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _lines(report: Report, width: int) -> list[str]:
    color = colored()
    rows = [*report.rows, *([report.total] if report.total else [])]
    columns = list(visible(report))
    cells = [[cell(c, row.get(c.key)) for c in columns] for row in rows]
    hidden = _fit(columns, cells, width)
    widths = _widths(columns, cells)
    header = _join([c.header for c in columns], columns, widths)
    lines = [_style(report.title, color, bold=True)]
    if rows:
        lines += ["", _style(header, color, dim=True)]
    for row, texts in zip(rows, cells, strict=True):
        strong = row is report.total or row.get("strong")
        lines.append(_style(_join(texts, columns, widths), color, bold=True if strong else None))
    remarks = list(report.remarks)
    if hidden:
        remarks.append(f"not shown at {width} columns: {', '.join(hidden)}")
    if remarks:
        lines += ["", *(f"{INDENT}{line}" for remark in remarks for line in _wrap(remark, width))]
    return lines


def _fit(columns: list[Column], cells: list[list[str]], width: int) -> list[str]:
    """Cut words, take away spare columns, then shorten names, until the lines fit.

    Returns the headers that are missed.
    """
    hidden: list[str] = []
    while (excess := _total(_widths(columns, cells)) - width) > 0 and any(c.spare for c in columns):
        index = max(range(len(columns)), key=lambda i: columns[i].spare)
        room = _widths(columns, cells)[index] - excess
        if columns[index].kind == "words" and room >= SHORTEST:
            _cut(cells, index, room)
            return hidden
        if columns[index].header and columns[index].kind not in ("bar", "share"):
            hidden.append(columns[index].header)
        del columns[index]
        for row in cells:
            del row[index]
    if excess > 0:
        longest = max(_widths(columns, cells)[0] - excess, SHORTEST)
        for row in cells:
            row[0] = _shorten(row[0], longest)
    return hidden


def _cut(cells: list[list[str]], index: int, width: int) -> None:
    for row in cells:
        if len(row[index]) > width:
            row[index] = f"{row[index][: width - 1].rstrip()}…"


def _widths(columns: Sequence[Column], cells: list[list[str]]) -> list[int]:
    texts = [[c.header for c in columns], *cells]
    return [max(len(row[i]) for row in texts) for i in range(len(columns))]


def _total(widths: Sequence[int]) -> int:
    return len(INDENT) + sum(widths) + len(GAP) * (len(widths) - 1)


def _join(texts: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    padded = (
        text.ljust(width) if column.left else text.rjust(width)
        for text, column, width in zip(texts, columns, widths, strict=True)
    )
    return (INDENT + GAP.join(padded)).rstrip()


def _shorten(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    tail = (width - 1) * 2 // 3
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"


def _wrap(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, min(width, 100) - len(INDENT), subsequent_indent=INDENT) or [""]


def _style(text: str, color: bool, **style: Any) -> str:
    return click.style(text, **style) if color and any(style.values()) else text
