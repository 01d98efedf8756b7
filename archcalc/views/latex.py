"""LaTeX tables for the booktabs package."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.reports.model import Column, Report, cell, visible

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "–": "--",
    "−": "$-$",
    "→": r"$\to$",
    "≤": r"$\le$",
    "…": r"\ldots{}",
}


def render(command: str, reports: Sequence[Report]) -> str:
    return "\n\n".join("\n".join(_lines(report)) for report in reports)


def _lines(report: Report) -> list[str]:
    columns = [c for c in visible(report) if c.kind != "bar"]
    alignment = "".join("l" if c.left else "r" for c in columns)
    lines = [f"% {_one_line(report.title)}", rf"\begin{{tabular}}{{{alignment}}}", r"\toprule"]
    lines += [_row(_escape(c.header) for c in columns), r"\midrule"]
    lines += [_row(_texts(row, columns)) for row in report.rows]
    if report.total:
        lines += [r"\midrule", _row(_texts(report.total, columns))]
    return [*lines, r"\bottomrule", r"\end{tabular}", *(f"% {_one_line(r)}" for r in report.remarks)]


def _texts(row: dict[str, Any], columns: Sequence[Column]) -> list[str]:
    return [_text(c, cell(c, row.get(c.key))) for c in columns]


def _text(column: Column, text: str) -> str:
    """Return a cell; a formula is LaTeX already, except for the line that names its factors."""
    if column.kind != "math" or not text or "·" in text:
        return _escape(text)
    return f"${text}$"


def _row(texts: Any) -> str:
    return f"{' & '.join(texts)} \\\\"


def _escape(text: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in text)


def _one_line(text: str) -> str:
    return " ".join(text.split())
