"""Report the parameters of a network by layer."""

from __future__ import annotations

from typing import Any

from archcalc.analysis.costs import Analysis, Costs, Layer
from archcalc.api import Network
from archcalc.formats import bytes_of
from archcalc.reports.documents import document
from archcalc.reports.layout import beside, change_label, label, output, single, title
from archcalc.reports.model import Column, Ranked, Report, with_header
from archcalc.reports.table import Table
from archcalc.units import GLOSSARY, binary, grouped

COLUMNS = (
    Column("layer", "layer", "name"),
    Column("output", "output", "text", spare=2),
    Column("weights", "weights", "count"),
    Column("biases", "biases", "count", hide_empty=True),
    Column("norms", "norms", "count", hide_empty=True),
    Column("parameters", "parameters", "count"),
    Column("frozen", "frozen", "count", hide_empty=True),
    Column("statistics", "statistics", "count", spare=5, hide_empty=True),
    Column("fixed", "fixed", "count", hide_empty=True),
    Column("share", "share", "share", spare=3),
    Column("bar", "", "bar", spare=4),
)
BASE_COLUMNS = (
    Column("layer", "layer", "name"),
    Column("output", "output", "text", spare=1),
    Column("base", "base", "count"),
    Column("changed", "changed", "count"),
    Column("change", "", "change"),
)


def report(network: Network, table: Table, tool: str | None) -> Report:
    """Return the parameters by layer: of the network, beside its base, or as a tool counts them."""
    if tool:
        from archcalc.reports import tools

        return tools.report(network, table, tool, "params")
    base, analysis = network.base, network.analyze()
    if base is None or not table.base:
        return _plain(network, analysis, table)
    return _beside(network, base.analyze(), analysis, table)


def _matters(layer: Layer) -> bool:
    return bool(layer.costs.stored_numbers)


def _plain(network: Network, analysis: Analysis, table: Table) -> Report:
    rows, names = single(analysis, _matters, table)
    whole = analysis.parameters
    cells = tuple(_cells(n, output(r), r.costs, whole) for n, r in zip(names, rows, strict=True))
    total = _cells("total", None, analysis.total, whole) | {"share": None, "bar": None}
    return Report(
        title(network, analysis),
        COLUMNS,
        cells,
        total,
        _remarks(analysis.total),
        lambda: [{**document(network, analysis, rows), "as": None}],
        label(network),
    )


def _cells(name: str, output: Ranked | None, costs: Costs, whole: Any) -> dict[str, Any]:
    return {
        "layer": name,
        "output": output,
        "parameters": costs.parameters,
        "share": (costs.parameters, whole),
        "bar": (costs.parameters, whole),
        **costs._asdict(),
    }


def _beside(network: Network, base: Analysis, changed: Analysis, table: Table) -> Report:
    rows = beside(base, changed, lambda costs: costs.parameters, table)
    pair = (base.parameters, changed.parameters)
    total = {"layer": "total", "base": pair[0], "changed": pair[1], "change": pair}
    return Report(
        title(network, changed),
        with_header(BASE_COLUMNS, "changed", change_label(network)),
        tuple(rows),
        total,
        _remarks(changed.total),
        lambda: [{**document(network, changed), "as": None}],
        label(network),
    )


def _remarks(total: Costs) -> tuple[str, ...]:
    sizes = (
        f"{binary(int(bytes_of(total.stored_numbers, d)))} {d}" for d in ("float32", "float16", "int8")
    )
    lines = [f"size: {' · '.join(sizes)}", f"parameters: {GLOSSARY['parameters']}"]
    if total.frozen:
        lines.append(f"trainable: {grouped(int(total.trainable))}, frozen: {grouped(int(total.frozen))}")
    if total.statistics:
        lines.append(f"statistics: {grouped(int(total.statistics))}: {GLOSSARY['statistics']}")
    if total.fixed:
        lines.append(f"fixed: {grouped(int(total.fixed))}: {GLOSSARY['fixed']}")
    return tuple(lines)
