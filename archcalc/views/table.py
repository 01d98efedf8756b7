"""Write text tables for people: as wide as the terminal, or 80 columns without one."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import click

from archcalc.reports.model import Column, Report, cell, visible
from archcalc.tuples import NamedTuple

INDENT, GAP = "  ", "  "
USUAL, NARROWEST, ENDLESS = 80, 50, 10**6
SHORTEST = 14  # of a text that is cut


def render(command: str, reports: Sequence[Report]) -> str:
    """Return every report as title, table and remarks."""
    unknown = ENDLESS if any(report.listing for report in reports) else USUAL
    width = window(unknown)
    return "\n\n".join("\n".join(_lines(report, width)) for report in reports)


def window(unknown: int = USUAL) -> int:
    """Return how wide a line of text may be; `unknown` where nothing says so."""
    return max(_terminal_width() or unknown, NARROWEST)


def _terminal_width() -> int:
    """Return COLUMNS or the terminal's width, else 0 (shutil would cost 3 ms at every start)."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal():
        return int(columns[:6])
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return 0


def colored() -> bool:
    """Return whether the output is a terminal that wants color (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class LiveTable:
    """A table whose rows arrive one by one.

    `expected` has rows and a total that are at least as wide as those to come.
    """

    def __init__(self, expected: Report) -> None:
        self.report = expected
        self.window = window()
        self._shown = _texts(expected)
        self._hidden = _fit(self._shown, self.window)
        self._widths = [max(texts.width, 1) for texts in self._shown]

    def head(self) -> str:
        """Return the title and the header."""
        color = colored()
        header = _template(self._shown).format(*(texts.cells[0] for texts in self._shown)).rstrip()
        return "\n".join(
            [_style(self.report.title, color, bold=True), "", _style(header, color, dim=True)]
        )

    def row(self, row: dict[str, Any], strong: bool = False) -> str:
        """Return one line."""
        last = len(self._shown) - 1
        cells = []
        for i, (column, _) in enumerate(self._shown):
            text = cell(column, row.get(column.key))
            if column.kind == "name":
                text = _shorten(text, self._widths[i])
            elif column.kind == "words":
                room = self.window - _total(self._widths[:last]) - len(GAP)
                text = _cut(text, max(room, SHORTEST) if i == last else self._widths[i])
            cells.append(text)
        return _style(_template(self._shown).format(*cells).rstrip(), colored(), bold=strong)

    def foot(self, remarks: Sequence[str]) -> str:
        """Return the text below the rows."""
        return "\n".join(_remarks(remarks, self._hidden, self.window))


def _lines(report: Report, width: int) -> list[str]:
    color = colored()
    rows = [*report.rows, *([report.total] if report.total else [])]
    shown = _texts(report)
    hidden = _fit(shown, width)
    header, *lines = _join(shown)
    strong = [row is report.total or row.get("strong") for row in rows]
    bold = [_style(line, color, bold=True) if s else line for line, s in zip(lines, strong, strict=True)]
    parts = [_style(report.title, color, bold=True)]
    if rows:
        parts += ["", _style(header, color, dim=True), *bold]
    return [*parts, *_remarks(report.remarks, hidden, width)]


def _remarks(remarks: Sequence[str], hidden: Sequence[str], width: int) -> list[str]:
    """Return an empty line, the remarks, and one on the columns left out; nothing if there are none."""
    missed = [f"not shown at {width} columns: {', '.join(hidden)}"] if hidden else []
    lines = [f"{INDENT}{line}" for remark in (*remarks, *missed) for line in _wrap(remark, width)]
    return ["", *lines] if lines else []


def _texts(report: Report) -> list[Texts]:
    rows = [*report.rows, *([report.total] if report.total else [])]
    return [Texts(c, [c.header, *(cell(c, row.get(c.key)) for row in rows)]) for c in visible(report)]


class Texts(NamedTuple):
    """Return a column's cells as text, the header first."""

    column: Column
    cells: list[str]

    @property
    def width(self) -> int:
        return max(map(len, "\n".join(self.cells).split("\n")))


def _fit(shown: list[Texts], width: int) -> list[str]:
    """Cut or break words, drop spare columns, then shorten names, until the lines fit.

    Return the headers of the columns dropped.
    """
    hidden: list[str] = []
    widths = [texts.width for texts in shown]
    while (excess := _total(widths) - width) > 0 and any(t.column.spare for t in shown):
        index = max(range(len(shown)), key=lambda i: shown[i].column.spare)
        column, cells = shown[index]
        room = widths[index] - excess
        if column.kind == "words" and room >= SHORTEST:
            cells[:] = [(_broken if column.whole else _cut)(text, room) for text in cells]
            return hidden
        if column.whole and _lend(shown[0], widths[0] - SHORTEST + room):
            cells[:] = [_broken(text, SHORTEST) for text in cells]
            return hidden
        if column.header and column.kind not in ("bar", "share"):
            hidden.append(column.header)
        del shown[index], widths[index]
    if excess > 0 and widths[0] - excess >= SHORTEST and not _lend(shown[0], widths[0] - excess):
        shown[0].cells[:] = [_shorten(text, widths[0] - excess) for text in shown[0].cells]
    return hidden


def _lend(names: Texts, width: int) -> bool:
    """Break names into lines of this width, unless a part is longer."""
    long = [text for text in names.cells if len(text) > width]
    if any(len(part) > width for text in long for part in _parts(text)):
        return False
    names.cells[:] = [_broken(text, width) for text in names.cells]
    return True


def _total(widths: Sequence[int]) -> int:
    return len(INDENT) + sum(widths) + len(GAP) * (len(widths) - 1)


def _join(shown: Sequence[Texts]) -> list[str]:
    """Return the lines of the table, all columns side by side."""
    template = _template(shown)
    return [_line(template, row) for row in zip(*(t.cells for t in shown), strict=True)]


def _line(template: str, row: Sequence[str]) -> str:
    """Return a row; its broken cells continue below."""
    line = template.format(*row).rstrip()
    if "\n" not in line:
        return line
    parts = zip_longest(*(text.split("\n") for text in row), fillvalue="")
    return "\n".join(template.format(*part).rstrip() for part in parts)


def _template(shown: Sequence[Texts]) -> str:
    places = (f"{{:{'<' if t.column.left else '>'}{max(t.width, 1)}}}" for t in shown)
    return INDENT + GAP.join(places)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1].rstrip()}…"


def _broken(text: str, width: int) -> str:
    """Break words, or the parts of a path, into lines of this width; cut only a longer one."""
    if len(text) <= width:
        return text.rstrip()
    lines = [""]
    for part in _parts(text):
        if lines[-1] and len(lines[-1]) + len(part.rstrip()) > width:
            lines.append("")
        lines[-1] += _cut(part, width)
    return "\n".join(map(str.rstrip, lines))


def _parts(text: str) -> list[str]:
    return re.findall(r"[^ /]*[ /]|[^ /]+", text)


def _shorten(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    tail = (width - 1) * 2 // 3
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"


def _wrap(text: str, width: int) -> list[str]:
    """Break text into lines of at most `width`, all but the first indented (textwrap costs 1 ms)."""
    most = min(width, 100) - len(INDENT)
    lines = [""]
    for word in text.split():
        if lines[-1].strip() and len(lines[-1]) + 1 + len(word) > most:
            lines.append(INDENT + word)
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return lines


def _style(text: str, color: bool, **style: Any) -> str:
    return click.style(text, **style) if color and any(style.values()) else text
