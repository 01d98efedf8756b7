"""archcalc list: the bundled networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from archcalc.analysis.field import receptive_fields
from archcalc.analysis.memory import measure, stored
from archcalc.api import Network
from archcalc.commands.layout import costs_document
from archcalc.commands.options import FORMAT, show
from archcalc.graph.model import Graph
from archcalc.spec import catalog
from archcalc.units import parse_count
from archcalc.views.report import Column, Report

COLUMNS = (
    Column("name", "name", "name"),
    Column("title", "title", "words", spare=1),
    Column("year", "year", "text", spare=2),
    Column("input", "input", "text"),
    Column("parameters", "params", "scaled"),
    Column("multiplies", "multiplies", "scaled"),
)
SORTS = {
    "name": "name",
    "year": "year",
    "params": "parameters",
    "multiplies": "multiplies",
    "stored": "stored",
    "peak": "peak",
    "field": "field",
}


@click.command("list")
@click.argument("search", required=False, default="", metavar="[TEXT]")
@click.option("--sort", type=click.Choice(list(SORTS)), help="Order, instead of by family.")
@click.option("--max-params", metavar="COUNT", help="Only networks with at most so many, as in 5M.")
@click.option(
    "--max-multiplies", metavar="COUNT", help="Only networks with at most so many, as in 600M."
)
@FORMAT
def command(
    search: str, sort: str | None, max_params: str | None, max_multiplies: str | None, format: str
) -> None:
    """List the bundled networks by family, or those whose name or title has TEXT in it.

    \b
    Example: archcalc list res --max-params 30M

    \b
    input        height × width × channels of the image
    parameters   what training can change: weights, biases, norm scale and shift
    multiplies   products of a weight and an input value (MACs), for one image
    --sort stored, peak (values) and field (pixels) add their column: see `archcalc memory` and `field`
    """
    rows = [_cells(Network(entry, {})) for entry in catalog.bundled() if _mentions(entry, search)]
    for key, limit in (("parameters", max_params), ("multiplies", max_multiplies)):
        if limit is not None:
            most = parse_count(limit)
            rows = [row for row in rows if row[key] <= most]
    if sort:
        key = SORTS[sort]
        if key in MEASURES:
            rows = [row | {key: MEASURES[key](row["network"].graph)} for row in rows]
        rows.sort(key=lambda row: (row[key] is None, row[key]))
    title = f"{len(rows)} network{'' if len(rows) == 1 else 's'}" if rows else "no network matches"
    columns = [*COLUMNS, Column(sort, sort, "count")] if sort in MEASURES else COLUMNS
    report = Report(title, tuple(columns), tuple(rows), None, (), lambda: [row["data"] for row in rows])
    show("list", [report], format)


def _field_size(graph: Graph) -> int:
    """The network's receptive field in pixels, the larger axis; 0 if it has none."""
    field = receptive_fields(graph).of_network
    return max(field.height.size, field.width.size) if field.height and field.width else 0


MEASURES: dict[str, Callable[[Graph], Any]] = {
    "stored": stored,
    "peak": lambda graph: measure(graph).peak,
    "field": _field_size,
}


def _mentions(entry: catalog.Entry, search: str) -> bool:
    title = Network(entry, {}).title
    return search.lower() in f"{entry.name} {title} {entry.spec.source.name}".lower()


def _cells(network: Network) -> dict[str, Any]:
    analysis = network.analyze()
    data = {
        "name": network.name,
        "title": network.title,
        "year": network.about("year"),
        "input": list(analysis.graph.input),
        "total": costs_document(analysis.total),
    }
    return {
        "name": network.name,
        "title": network.title,
        "year": network.about("year"),
        "input": str(analysis.graph.input),
        "parameters": analysis.parameters,
        "multiplies": analysis.multiplies,
        "data": data,
        "network": network,
    }
