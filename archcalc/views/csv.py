"""Write comma-separated values: exact integers, one line per layer, no totals among them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from archcalc.reports.model import Column, Report
from archcalc.units import safe

_COUNTS = ("count", "scaled", "data")
_DATA = ("name", "text", "words", "math", "figure", *_COUNTS)


def render(command: str, reports: Sequence[Report]) -> str:
    columns = [c for c in reports[0].columns if c.kind in _DATA] if reports else []
    for report in reports[1:]:
        columns += [c for c in report.columns if c.kind in _COUNTS and c not in columns]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    network = ["network"] if any(report.name for report in reports) else []
    writer.writerow([*network, *(c.key for c in columns)])
    for report in reports:
        for row in report.rows:
            own = [safe(report.name)] if network else []
            writer.writerow([*own, *(_cell(c, row.get(c.key)) for c in columns)])
    return text.getvalue().rstrip("\n")


def _cell(column: Column, value: Any) -> Any:
    if value is None:
        return ""
    if column.kind == "figure":
        return "" if value.value is None else value.value
    return value if column.kind in _COUNTS else safe(str(value))
