"""Report several networks: totals side by side, then the layers of each against the first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archcalc.analysis.costs import Analysis
from archcalc.analysis.difference import difference
from archcalc.analysis.field import receptive_fields
from archcalc.analysis.memory import measure, stored
from archcalc.api import Network
from archcalc.reports.differences import DifferenceOptions, report
from archcalc.reports.documents import document
from archcalc.reports.layout import label
from archcalc.reports.model import Column, Report
from archcalc.units import printable

LONGEST = 16  # the most characters of a network given as text, in the header of a column
MEASURES: dict[str, Callable[[Analysis], Any]] = {
    "parameters": lambda analysis: analysis.parameters,
    "statistics": lambda analysis: analysis.total.statistics,
    "multiplies": lambda analysis: analysis.multiplies,
    "FLOPs": lambda analysis: analysis.flops,
    "stored": lambda analysis: stored(analysis.graph),
    "peak": lambda analysis: measure(analysis.graph).peak,
    "weight layers": lambda analysis: analysis.weight_layers,
    "receptive field": lambda analysis: _field(analysis),
}


def compared(networks: list[Network], wanted: DifferenceOptions) -> list[Report]:
    """Return a report of all totals (not for csv), and each network's layers against the first."""
    first, *others = analyses = [network.analyze() for network in networks]
    labels = labels_of(networks, None if wanted.table.format == "json" else LONGEST)
    pairs = zip(others, labels[1:], strict=True)
    layers = [report(difference(first, other), (labels[0], own), wanted) for other, own in pairs]
    totals = [] if wanted.table.format == "csv" else [_totals(networks, analyses, labels)]
    return [*totals, *layers]


def labels_of(networks: list[Network], longest: int | None) -> list[str]:
    """Return a header for each network; one given as text is cut to `longest` characters."""
    names = [_cut(label(network), longest) for network in networks]
    shorter = [_cut(label(network), longest and longest - 4) for network in networks]
    return [
        f"{short} ({i})" if names.count(name) > 1 else name
        for i, (name, short) in enumerate(zip(names, shorter, strict=True), 1)
    ]


def _cut(name: str, longest: int | None) -> str:
    return f"{name[: longest - 1]}…" if longest and "|" in name and len(name) > longest else name


def columns_of(labels: list[str]) -> tuple[Column, ...]:
    """Return a column for each network, and after all but the first the ratio to the first."""
    columns = [Column("name", "", "name")]
    for i, name in enumerate(labels):
        columns.append(Column(f"{name}", name, "count"))
        if i:
            columns.append(Column(f"ratio{i}", "ratio", "change", spare=1))
    return tuple(columns)


def cells_of(name: str, values: list[Any], labels: list[str]) -> dict[str, Any]:
    """Return the row of a measure, whose values are in the order of the labels."""
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
            rows.append(cells_of(name, values, labels))
    columns = columns_of(labels)
    titles = [printable(network.title) for network in networks]
    heading = " · ".join(labels if len(set(titles)) < len(titles) else titles)

    def documents() -> list[dict[str, Any]]:
        pairs = zip(networks, analyses, strict=True)
        return [{**document(n, a), "measures": {k: m(a) for k, m in MEASURES.items()}} for n, a in pairs]

    return Report(heading, columns, tuple(rows), None, (), documents)


def _field(analysis: Analysis) -> Any:
    field = receptive_fields(analysis.graph).of_network
    return max((axis.size for axis in field.sides), default=None)
