"""Markdown tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.reports.model import Column, Report, cell, visible


def render(command: str, reports: Sequence[Report]) -> str:
    return "\n\n".join("\n".join(_lines(report)) for report in reports)


def _lines(report: Report) -> list[str]:
    columns = [c for c in visible(report) if c.kind != "bar"]
    lines = [f"**{_escape(report.title)}**", ""]
    lines.append(_row(_escape(c.header) for c in columns))
    lines.append(_row("---" if c.left else "---:" for c in columns))
    lines += [_row(_texts(row, columns)) for row in report.rows]
    if report.total:
        lines.append(_row(f"**{text}**" if text else "" for text in _texts(report.total, columns)))
    for remark in report.remarks:
        lines += ["", _escape(remark)]
    return lines


def _texts(row: dict[str, Any], columns: Sequence[Column]) -> list[str]:
    return [_escape(cell(c, row.get(c.key))) for c in columns]


def _row(texts: Any) -> str:
    return f"| {' | '.join(texts)} |"


def _escape(text: str) -> str:
    for character in "\\`*_<>|[]":
        text = text.replace(character, f"\\{character}")
    return text
