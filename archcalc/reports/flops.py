"""Report the work of a network: multiplies by layer, or every kind of operation by operator."""

from __future__ import annotations

from math import prod
from typing import Any

from archcalc.analysis.costs import Analysis, Census, Costs, total
from archcalc.analysis.summary import block
from archcalc.api import Network
from archcalc.reports.documents import document
from archcalc.reports.layout import (
    arithmetic,
    beside,
    change_label,
    has_multiplies,
    label,
    output,
    single,
    title,
)
from archcalc.reports.model import Column, Ranked, Report, with_header
from archcalc.reports.table import Table
from archcalc.units import GLOSSARY, grouped, scaled

COLUMNS = (
    Column("layer", "layer", "name"),
    Column("output", "output", "text", spare=2),
    Column("multiplies", "multiplies", "count"),
    Column("share", "share", "share", spare=1),
    Column("bar", "", "bar", spare=4),
    Column("arithmetic", "outputs × products each", "words", spare=3),
)
BASE_COLUMNS = (
    Column("layer", "layer", "name"),
    Column("output", "output", "text", spare=2),
    Column("base", "base", "count"),
    Column("changed", "changed", "count"),
    Column("change", "", "change"),
)
CENSUS_COLUMNS = (
    Column("operator", "operator", "name"),
    *(Column(kind, kind, "count", hide_empty=True) for kind in Census._fields),
    Column("connections", "connections", "count", spare=1),
)


def report(
    network: Network, table: Table, protocol: dict[str, int], census: bool, tool: str | None
) -> Report:
    """Return the multiplies by layer, the census, or a tool's count.

    `protocol` gives the numbers of images, crops and networks; their product multiplies all work.
    """
    if tool:
        from archcalc.reports import tools

        return tools.report(network, table, tool, "flops", protocol=protocol)
    factor = prod(protocol.values())
    base, analysis = network.base, _times(network.analyze(), factor)
    if census:
        made = _census(network, analysis, table)
    elif base is None or not table.base:
        made = _plain(network, analysis, table)
    else:
        made = _beside(network, _times(base.analyze(), factor), analysis, table)
    rows = None if table.all else single(analysis, has_multiplies, table)[0]
    documents = lambda: [{**document(network, analysis, rows), "as": None, "protocol": protocol}]  # noqa: E731
    return multiplied(made._replace(documents=documents), protocol)


def multiplied(report: Report, protocol: dict[str, int]) -> Report:
    """Return the report with the factor of the protocol in its arithmetic, and in a remark."""
    factor = prod(protocol.values())
    if factor == 1:
        return report
    rows = tuple(
        {**row, "arithmetic": f"{factor:,} × {row['arithmetic']}"} if row.get("arithmetic") else row
        for row in report.rows
    )
    note = " × ".join(f"{n:,} {what}" for what, n in protocol.items() if n > 1)
    linked = any(column.key == "connections" for column in report.columns)
    links = "; connections are those of one image" if linked else ""
    return report._replace(rows=rows, remarks=(*report.remarks, f"all work is that of {note}{links}"))


def _times(analysis: Analysis, factor: int) -> Analysis:
    if factor == 1:
        return analysis
    layers = tuple(layer._replace(costs=layer.costs.times(factor)) for layer in analysis.layers)
    return Analysis(analysis.graph, layers, total(layer.costs for layer in layers))


def _multiplies(costs: Costs) -> Any:
    return costs.multiplies


def _plain(network: Network, analysis: Analysis, table: Table) -> Report:
    rows, names = single(analysis, has_multiplies, table)
    whole = analysis.multiplies
    cells = tuple(
        {
            "layer": name,
            "output": output(row),
            "multiplies": row.costs.multiplies,
            "share": (row.costs.multiplies, whole),
            "bar": (row.costs.multiplies, whole),
            "arithmetic": arithmetic(row),
        }
        for name, row in zip(names, rows, strict=True)
    )
    summed = {"layer": "total", "multiplies": whole}
    return Report(
        title(network, analysis),
        COLUMNS,
        cells,
        summed,
        _remarks(analysis),
        list,
        label(network),
    )


def _beside(network: Network, base: Analysis, changed: Analysis, table: Table) -> Report:
    rows = beside(base, changed, _multiplies, table)
    for row in rows:
        if row.get("arithmetic"):  # the rows of groups and the total keep the change as a ratio
            row["change"] = _arithmetic(row) if row["base"] != row["changed"] else None
    pair = (base.multiplies, changed.multiplies)
    summed = {"layer": "total", "base": pair[0], "changed": pair[1], "change": pair}
    return Report(
        title(network, changed),
        with_header(BASE_COLUMNS, "changed", change_label(network)),
        tuple(rows),
        summed,
        _remarks(changed),
        list,
        label(network),
    )


def _arithmetic(row: dict[str, Any]) -> Ranked:
    """Return the arithmetic of a changed row, as a cell sorted by the size of the change."""
    return Ranked(row["arithmetic"], abs(row["changed"] - (row["base"] or 0)))


def _remarks(analysis: Analysis) -> tuple[str, ...]:
    flops = f"FLOPs: {grouped(int(analysis.flops))} ({scaled(int(analysis.flops))}FLOPs)"
    lines = [flops, f"multiplies: {GLOSSARY['multiplies']} FLOPs = 2 × multiplies."]
    kinds: dict[str, int] = {}
    for layer in analysis.layers:
        if layer.costs.multiplies:
            kinds[layer.kind] = kinds.get(layer.kind, 0) + int(layer.costs.multiplies)
    if len(kinds) > 1:
        lines.insert(1, f"by kind: {' · '.join(f'{kind} {grouped(n)}' for kind, n in kinds.items())}")
    return tuple(lines)


def _census(network: Network, analysis: Analysis, table: Table) -> Report:
    """Return all work by operator in the order of first use, or by block (--depth) or layer (--all)."""
    groups: dict[str, list[Costs]] = {}
    for layer in analysis.computed:
        part = block(layer.path, table.depth) if table.depth else layer.node.operator.name
        groups.setdefault(layer.path if table.all else part, []).append(layer.costs)
    rows = tuple(_census_cells(name, total(costs)) for name, costs in groups.items())
    remarks = (
        f"{grouped(int(analysis.multiplies))} of them are products of weighted layers and attention.",
        f"connections: {GLOSSARY['connections']}",
    )
    return Report(
        title(network, analysis),
        CENSUS_COLUMNS,
        rows,
        _census_cells("total", analysis.total),
        remarks,
        list,
        label(network),
    )


def _census_cells(name: str, costs: Costs) -> dict[str, Any]:
    return {"operator": name, **costs.census._asdict(), "connections": costs.connections}
