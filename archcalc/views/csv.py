"""Comma-separated values: exact integers, one line a layer, no totals to trip over."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from archcalc.units import safe
from archcalc.views.report import Column, Report

_OF_MANY = ("list", "compare", "diff", "audit")  # their rows are not those of one network
_COUNTS = ("count", "scaled", "data")
_DATA = ("name", "text", "words", "math", "figure", *_COUNTS)


def render(command: str, reports: Sequence[Report]) -> str:
    columns = [c for c in reports[0].columns if c.kind in _DATA] if reports else []
    for report in reports[1:]:
        columns += [c for c in report.columns if c.kind in _COUNTS and c not in columns]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    network = [] if command in _OF_MANY else ["network"]
    writer.writerow([*network, *(c.key for c in columns)])
    for report in reports:
        for row in report.rows:
            own = [] if command in _OF_MANY else [safe(report.name)]
            writer.writerow([*own, *(_cell(c, row.get(c.key)) for c in columns)])
    return text.getvalue().rstrip("\n")


def _cell(column: Column, value: Any) -> Any:
    if value is None:
        return ""
    if column.kind == "figure":
        return "" if value.value is None else value.value
    return value if column.kind in _COUNTS else safe(str(value))
