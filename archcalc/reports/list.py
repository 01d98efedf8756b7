"""Report the bundled networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

from archcalc.analysis.field import receptive_fields
from archcalc.analysis.memory import measure, stored
from archcalc.api import load
from archcalc.formats import bytes_of
from archcalc.graph.model import Graph
from archcalc.reports.model import Column, Report
from archcalc.spec.bundle import squeeze
from archcalc.totals import totals
from archcalc.units import parse_count

COLUMNS = (
    Column("name", "name", "name"),
    Column("title", "title", "words", spare=1, whole=True),
    Column("year", "year", "text", spare=2),
    Column("input", "input", "text"),
    Column("parameters", "params", "scaled"),
    Column("multiplies", "multiplies", "scaled"),
)
SORTS = {
    "name": "name",
    "year": "year",
    "params": "parameters",
    "parameters": "parameters",
    "multiplies": "multiplies",
    "macs": "multiplies",
    "flops": "flops",
    "stored": "stored",
    "peak": "peak",
    "field": "field",
}


def report(search: str, sort: str | None, limits: Mapping[str, str | None], grouped: bool) -> Report:
    """Return the networks with `search` in name, title or family, within limits.

    `grouped`: whether empty rows set families apart.
    """
    rows = [_cells(row) for row in totals() if squeeze(search) in squeeze(_words(row))]
    rows = _within(rows, limits)
    title = f"{len(rows)} network{'' if len(rows) == 1 else 's'}" if rows else "no network matches"
    columns: tuple[Column, ...] = COLUMNS
    if sort:
        key = SORTS[sort]
        if key == "flops":
            columns = (*COLUMNS, Column(key, "FLOPs", "scaled"))
        if key in MEASURES:
            columns = (*COLUMNS, Column(key, key, "count"))
            rows = [row | {key: MEASURES[key](load(row["name"]).graph)} for row in rows]
        rows.sort(key=lambda row: (row[key] is None, row[key]))
    elif grouped:
        rows = list(_apart(rows))
    documents = lambda: [_document(row, columns) for row in rows]  # noqa: E731
    return Report(title, columns, tuple(rows), None, (), documents, listing=True)


def _within(rows: list[dict[str, Any]], limits: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """Return the rows whose numbers are within the limits."""
    for key, limit in limits.items():
        if limit is not None:
            most = parse_count(limit, int(bytes_of(1, "float32")) if key == "parameters" else 0)
            rows = [row for row in rows if row[key] <= most]
    return rows


def _field_size(graph: Graph) -> int | None:
    """Return the network's receptive field in pixels on its larger axis; None for the whole image."""
    field = receptive_fields(graph).of_network
    return max((axis.size for axis in field.sides), default=None)


MEASURES: dict[str, Callable[[Graph], Any]] = {
    "stored": stored,
    "peak": lambda graph: measure(graph).peak,
    "field": _field_size,
}


def _apart(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows, with an empty one around each family of several networks."""
    before = 0
    for _, members in groupby(rows, key=lambda row: row["family"]):
        family = list(members)
        if before and max(before, len(family)) > 1:
            yield {"name": ""}
        yield from family
        before = len(family)


def _document(row: dict[str, Any], columns: tuple[Column, ...]) -> dict[str, Any]:
    """Return a network as JSON, with the measure that it is sorted by."""
    document: dict[str, Any] = row["document"]
    return document | {c.key: row[c.key] for c in columns if c.key not in document}


def _words(row: dict[str, Any]) -> str:
    return f"{row['name']} {row['title']} {row['family']}".lower()


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "flops": 2 * row["multiplies"],
        "input": "×".join(map(str, row["input"])),
        "document": row,
    }
