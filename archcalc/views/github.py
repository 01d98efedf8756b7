"""Write findings as annotations of GitHub's workflows, at the line of the spec where one is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from archcalc.reports.model import Report


def render(command: str, reports: Sequence[Report]) -> str:
    """Return a line for each row that does not fit; rows without a verdict are none."""
    return "\n".join(
        line for report in reports for row in report.rows for line in _annotated(report, row)
    )


def _annotated(report: Report, row: dict[str, Any]) -> Iterator[str]:
    if row.get("verdict") == "fits":
        return
    place = {
        "file": row.get("file"),
        "line": row.get("line"),
        "title": f"{report.name}: {row[report.columns[0].key]}",
    }
    properties = ",".join(f"{key}={_property(str(value))}" for key, value in place.items() if value)
    told = row["verdict"]
    if row.get("value"):
        told = f"{row['value']}, {row['bound']} allowed: {row['verdict']}"
    more = f"; {row['heaviest']}" if row.get("heaviest") else ""
    yield f"::error {properties}::{_data(f'{told}{more}')}"


def _data(text: str) -> str:
    """Escape as the runner's toolkit does (@actions/core: escapeData)."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape as the runner's toolkit does (@actions/core: escapeProperty)."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
