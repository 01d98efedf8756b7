"""archcalc list: the bundled networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

import click

from archcalc.analysis.field import receptive_fields
from archcalc.analysis.memory import measure, stored
from archcalc.api import load
from archcalc.commands.options import FORMAT, show
from archcalc.graph.model import Graph
from archcalc.spec.bundle import squeeze
from archcalc.totals import totals
from archcalc.units import DTYPES, parse_count
from archcalc.views.report import Column, Report

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


@click.command("list")
@click.argument("search", required=False, default="", metavar="[TEXT]")
@click.option("--sort", type=click.Choice(list(SORTS)), help="Order, instead of by family.")
@click.option(
    "--max-params", metavar="COUNT", help="Only networks with at most so many: 5M, or 20MB as float32."
)
@click.option(
    *("--max-multiplies", "--max-macs"),
    metavar="COUNT",
    help="Only networks with at most so many, as in 600M.",
)
@click.option("--max-flops", metavar="COUNT", help="The same in FLOPs, 2 a multiply: 1.2G.")
@FORMAT
def command(
    search: str,
    sort: str | None,
    max_params: str | None,
    max_multiplies: str | None,
    max_flops: str | None,
    format: str,
) -> None:
    """List the bundled networks by family, or those whose name or title has TEXT in it.

    \b
    Example: archcalc list res --max-params 30M

    \b
    input        height × width × channels of the image
    parameters   what training can change: weights, biases, norm scale and shift
    multiplies   products of a weight and an input value (MACs), for one image
    --sort       flops (2 a multiply), stored, peak (values) and field (pixels)
                 add their column: see `archcalc memory` and `archcalc field`
    """
    rows = [_cells(row) for row in totals() if squeeze(search) in squeeze(_words(row))]
    rows = _within(rows, parameters=max_params, multiplies=max_multiplies, flops=max_flops)
    columns: tuple[Column, ...] = COLUMNS
    if sort:
        key = SORTS[sort]
        if key == "flops":
            columns = (*COLUMNS, Column(key, "FLOPs", "scaled"))
        if key in MEASURES:
            columns = (*COLUMNS, Column(key, key, "count"))
            rows = [row | {key: MEASURES[key](load(row["name"]).graph)} for row in rows]
        rows.sort(key=lambda row: (row[key] is None, row[key]))
    title = f"{len(rows)} network{'' if len(rows) == 1 else 's'}" if rows else "no network matches"
    if format == "table" and not sort:
        rows = list(_apart(rows))
    report = Report(
        title, columns, tuple(rows), None, (), lambda: [_document(row, columns) for row in rows]
    )
    show("list", [report], format)


def _within(rows: list[dict[str, Any]], **limits: str | None) -> list[dict[str, Any]]:
    """The rows whose figures are at most as large as the limits that are given."""
    for key, limit in limits.items():
        if limit is not None:
            most = parse_count(limit, DTYPES["float32"] if key == "parameters" else 0)
            rows = [row for row in rows if row[key] <= most]
    return rows


def _field_size(graph: Graph) -> int | None:
    """The network's receptive field in pixels, the larger axis; None: it sees the whole image."""
    field = receptive_fields(graph).of_network
    return max(field.height.size, field.width.size) if field.height and field.width else None


MEASURES: dict[str, Callable[[Graph], Any]] = {
    "stored": stored,
    "peak": lambda graph: measure(graph).peak,
    "field": _field_size,
}


def _apart(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """An empty line around each family of several networks."""
    before = 0
    for _, members in groupby(rows, key=lambda row: row["family"]):
        family = list(members)
        if before and max(before, len(family)) > 1:
            yield {"name": ""}
        yield from family
        before = len(family)


def _document(row: dict[str, Any], columns: tuple[Column, ...]) -> dict[str, Any]:
    """A network for a machine, with the measure that it is sorted by."""
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
