"""archcalc compare: networks, or settings of one, side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from archcalc.analysis.costs import Analysis
from archcalc.analysis.field import receptive_fields
from archcalc.analysis.memory import measure
from archcalc.api import Network
from archcalc.commands.layout import document, label
from archcalc.commands.options import ALL, FORMAT, Table, show, spec_command
from archcalc.errors import Diagnostic, UsageError
from archcalc.units import printable
from archcalc.views.report import Column, Report

MEASURES: dict[str, Callable[[Analysis], Any]] = {
    "parameters": lambda analysis: analysis.parameters,
    "statistics": lambda analysis: analysis.total.statistics,
    "multiplies": lambda analysis: analysis.multiplies,
    "FLOPs": lambda analysis: analysis.flops,
    "stored": lambda analysis: measure(analysis.graph).stored,
    "peak": lambda analysis: measure(analysis.graph).peak,
    "weight layers": lambda analysis: analysis.weight_layers,
    "receptive field": lambda analysis: _field(analysis),
}
LAYER_MEASURES = ("multiplies", "parameters")
MOST_LAYERS = 40


@spec_command("compare")
@click.option(
    "--by", type=click.Choice(LAYER_MEASURES), default="multiplies", help="What to compare by layer."
)
@ALL
@FORMAT
def command(networks: list[Network], table: Table, by: str) -> None:
    """Compare SPECs side by side: totals with ratios, then the layers whose paths agree.

    \b
    Example: archcalc compare resnet50:stride=3x3 resnet50:stride=1x1

    \b
    parameters, multiplies, FLOPs   as in `archcalc params` and `archcalc flops`
    stored, peak                    values, as in `archcalc memory`
    receptive field                 pixels, as in `archcalc field`
    ratios                          to the first SPEC
    """
    if len(networks) < 2:
        help = "as in `archcalc compare vgg16 resnet50` or `resnet50 resnet50:stride=1x1`"
        raise UsageError(Diagnostic("compare needs two SPECs or more", help=help))
    analyses = [network.analyze() for network in networks]
    labels = _labels(networks)
    reports = [_totals(networks, analyses, labels)]
    layers = _layers(analyses, labels, by, table.all)
    if layers.rows and table.format != "csv":
        reports.append(layers)
    show("compare", reports, table.format)


def _labels(networks: list[Network]) -> list[str]:
    names = [label(network) for network in networks]
    return [f"{name} ({i})" if names.count(name) > 1 else name for i, name in enumerate(names, 1)]


def _columns(first: str, labels: list[str]) -> tuple[Column, ...]:
    columns = [Column("name", first, "name")]
    for i, name in enumerate(labels):
        columns.append(Column(f"{name}", name, "count"))
        if i:
            columns.append(Column(f"ratio{i}", "ratio", "change", spare=1))
    return tuple(columns)


def _cells(name: str, values: list[Any], labels: list[str]) -> dict[str, Any]:
    cells: dict[str, Any] = {"name": name, **dict(zip(labels, values, strict=True))}
    for i, value in enumerate(values[1:], 1):
        if value != values[0] and None not in (value, values[0]):
            cells[f"ratio{i}"] = (values[0], value)
    return cells


def _totals(networks: list[Network], analyses: list[Analysis], labels: list[str]) -> Report:
    rows = []
    for name, measured in MEASURES.items():
        values = [measured(analysis) for analysis in analyses]
        if any(values):
            rows.append(_cells(name, values, labels))
    columns = _columns("", labels)
    titles = [printable(network.title) for network in networks]
    heading = " · ".join(labels if len(set(titles)) < len(titles) else titles)

    def documents() -> list[dict[str, Any]]:
        pairs = zip(networks, analyses, strict=True)
        return [{**document(n, a), "measures": {k: m(a) for k, m in MEASURES.items()}} for n, a in pairs]

    return Report(heading, columns, tuple(rows), None, (), documents, labels[0])


def _layers(analyses: list[Analysis], labels: list[str], by: str, all: bool) -> Report:
    """The layers that all have under one path; those that are equal everywhere only on request."""
    tables = [{x.path: getattr(x.costs, by) for x in analysis.layers[1:]} for analysis in analyses]
    shared = [path for path in tables[0] if _in_all(path, tables)]
    counted = [path for path in shared if any(table[path] for table in tables)]
    differing = [path for path in counted if len({table[path] for table in tables}) > 1]
    chosen = counted if all else differing
    shown = chosen if all else chosen[:MOST_LAYERS]
    values = [[table[path] for table in tables] for path in shown]
    rows = tuple(_cells(name, row, labels) for name, row in zip(shown, values, strict=True))
    heading = f"{by} by layer: {len(counted)} in all of them, {len(differing)} differ"
    more = len(chosen) - len(shown)
    remarks = (f"{more} more that differ: --all shows every layer",) if more else ()
    return Report(heading, _columns("layer", labels), rows, None, remarks, list, labels[0])


def _in_all(path: str, tables: list[dict[str, Any]]) -> bool:
    return all(path in table for table in tables)


def _field(analysis: Analysis) -> Any:
    field = receptive_fields(analysis.graph).of_network
    return max(field.height.size, field.width.size) if field.height and field.width else None
