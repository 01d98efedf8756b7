"""Report the layers of a network: operators, shapes, counts, receptive fields, values alive."""

from __future__ import annotations

from functools import cache
from typing import Any

from archcalc.analysis.costs import Costs, Layer
from archcalc.analysis.field import Field, receptive_fields
from archcalc.analysis.memory import measure
from archcalc.api import Network
from archcalc.reports.documents import document
from archcalc.reports.layout import has_costs, label, pair, ranked, single, title
from archcalc.reports.model import Column, Ranked, Report
from archcalc.reports.table import Table
from archcalc.units import GLOSSARY, printable

COLUMNS = (
    Column("layer", "layer", "name"),
    Column("operator", "operator", "words", spare=3, whole=True),
    Column("output", "output", "text"),
    Column("parameters", "parameters", "count"),
    Column("multiplies", "multiplies", "count"),
    Column("field", "field", "text", spare=1),
    Column("alive", "alive", "count", spare=2),
)
# where each row is a layer, the operator is dropped last: field and alive have commands of their own
LAYER_COLUMNS = tuple(c._replace(spare=len(COLUMNS) - c.spare if c.spare else 0) for c in COLUMNS)


def report(network: Network, table: Table) -> Report:
    """Return a row for each layer or block."""
    analysis = network.analyze()
    rows, names = single(analysis, has_costs, table)
    memory = measure(analysis.graph)
    fields = receptive_fields(analysis.graph).nodes
    texts: dict[int, str] = {}
    shape, field = cache(ranked), cache(_field)  # those of many layers are equal
    number = {layer.path: i for i, layer in enumerate(analysis.layers)}
    cells = tuple(
        _cells(name, shape(row.shape), row.costs)
        | {
            "operator": _operator(row.layers, texts),
            "field": field(fields[number[row.shown.path]]),
            "alive": max(memory.steps[number[layer.path]].live for layer in row.layers),
        }
        for name, row in zip(names, rows, strict=True)
    )
    paper = network.about("paper")
    remarks = (*([printable(paper)] if paper else []), f"weight layers: {GLOSSARY['weight layers']}")
    total = _cells("total", None, analysis.total)
    total |= {"field": "", "alive": memory.peak}
    data = lambda: [document(network, analysis, rows)]  # noqa: E731
    columns = LAYER_COLUMNS if table.all else COLUMNS
    return Report(title(network, analysis), columns, cells, total, remarks, data, label(network))


def _cells(name: str, output: Ranked | None, costs: Costs) -> dict[str, Any]:
    return {
        "layer": name,
        "output": output,
        "parameters": costs.parameters,
        "multiplies": costs.multiplies,
    }


def _field(field: Field) -> Ranked:
    return pair(axis.size for axis in field.sides)


def _operator(layers: tuple[Layer, ...], texts: dict[int, str]) -> str:
    """Return the only operator with costs in a row, as in a spec; else the number of layers.

    `texts` caches the texts of operators by their ids.
    """
    mattering = [layer for layer in layers if has_costs(layer)] if len(layers) > 1 else layers
    if len(mattering) != 1:
        return f"{len(layers)} layers"
    node = mattering[0].node
    if id(node.operator) not in texts:
        texts[id(node.operator)] = str(node.operator)
    return texts[id(node.operator)] + " (shared)" * (node.shares >= 0)
