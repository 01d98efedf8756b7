"""archcalc flops: the multiplies of a network, and everything else that it computes."""

from __future__ import annotations

from math import prod
from typing import Any

import click

from archcalc.analysis.costs import Analysis, Census, Costs, Layer, total
from archcalc.analysis.summary import block
from archcalc.api import Network
from archcalc.commands.layout import (
    arithmetic,
    beside,
    change_label,
    document,
    label,
    output,
    single,
    title,
)
from archcalc.commands.options import (
    AS,
    Table,
    refuse_beside_as,
    show_ordered,
    spec_command,
    table_options,
)
from archcalc.units import GLOSSARY, grouped, scaled
from archcalc.views.report import Column, Ranked, Report

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


@spec_command("flops")
@click.option(
    "--census", is_flag=True, help="All work by operator: also additions, comparisons, divisions, …"
)
@click.option(
    "--batch", type=click.IntRange(1, 2**31), default=1, help="Images at once: times the work."
)
@click.option(
    "--crops", type=click.IntRange(1, 2**31), default=1, help="Crops an image: times the work."
)
@click.option("--ensemble", type=click.IntRange(1, 2**31), default=1, help="Networks: times the work.")
@AS
@table_options
def command(
    networks: list[Network],
    table: Table,
    census: bool,
    batch: int,
    crops: int,
    ensemble: int,
    tool: str | None,
) -> None:
    """Count the multiplies and FLOPs of SPEC, by layer, for one image.

    \b
    Example: archcalc flops inception --bottleneck 16

    \b
    multiplies    products of a weight and an input value in conv, linear and
                  attention layers: the papers' multiply-adds, everybody's MACs;
                  zero padding counts
    FLOPs         2 × multiplies: one multiply and one add a product
    share         of the network's multiplies
    connections   links from an input value to an output, plus one per bias used
                  (LeCun 1998)
    census        every operation of every operator, by kind, the small ones too
    module        with --as: what runs the layer in the code the tool looks at
    """
    protocol = {"images": batch, "crops": crops, "networks": ensemble}
    if tool:
        refuse_beside_as(census=census, batch=batch > 1, crops=crops > 1, ensemble=ensemble > 1)
        from archcalc.commands import tools

        reports = [tools.report(n, table, tool, "flops", protocol=protocol) for n in networks]
    else:
        reports = [_report(network, table, protocol, census) for network in networks]
    show_ordered("flops", reports, table)


def _report(network: Network, table: Table, protocol: dict[str, int], census: bool) -> Report:
    factor = prod(protocol.values())
    base, analysis = network.base, _times(network.analyze(), factor)
    if census:
        report = _census(network, analysis, table)
    elif base is None or not table.base:
        report = _plain(network, analysis, table)
    else:
        report = _beside(network, _times(base.analyze(), factor), analysis, table)
    rows = None if table.all else single(analysis, _matters, table)[0]
    report = report._replace(
        documents=lambda: [{**document(network, analysis, rows), "as": None, "protocol": protocol}]
    )
    if factor == 1:
        return report
    for row in report.rows:
        if row.get("arithmetic"):
            row["arithmetic"] = f"{factor:,} × {row['arithmetic']}"
    note = " × ".join(f"{n:,} {what}" for what, n in protocol.items() if n > 1)
    return report._replace(remarks=(*report.remarks, f"all work is that of {note}"))


def _times(analysis: Analysis, factor: int) -> Analysis:
    if factor == 1:
        return analysis
    layers = tuple(layer._replace(costs=layer.costs.times(factor)) for layer in analysis.layers)
    return Analysis(analysis.graph, layers, total(layer.costs for layer in layers))


def _multiplies(costs: Costs) -> Any:
    return costs.multiplies


def _matters(layer: Layer) -> bool:
    return bool(layer.costs.multiplies)


def _plain(network: Network, analysis: Analysis, table: Table) -> Report:
    rows, names = single(analysis, _matters, table)
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
        if row.get("arithmetic"):  # the group's line and the total say how much less it is
            row["change"] = _arithmetic(row) if row["base"] != row["changed"] else None
    pair = (base.multiplies, changed.multiplies)
    summed = {"layer": "total", "base": pair[0], "changed": pair[1], "change": pair}
    header = change_label(network)
    columns = tuple(c._replace(header=header) if c.key == "changed" else c for c in BASE_COLUMNS)
    return Report(
        title(network, changed),
        columns,
        tuple(rows),
        summed,
        _remarks(changed),
        list,
        label(network),
    )


def _arithmetic(row: dict[str, Any]) -> Ranked:
    """How a changed row comes about; it is sorted by how much changed."""
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
    """All work by operator, in the order in which the network first uses them; by block or layer."""
    groups: dict[str, list[Costs]] = {}
    for layer in analysis.layers[1:]:
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
