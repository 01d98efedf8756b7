"""Report receptive fields: the part of the image that a value of each map depends on."""

from __future__ import annotations

from typing import Any

from archcalc.analysis.costs import Analysis, Layer
from archcalc.analysis.field import Field, Fields, receptive_fields
from archcalc.analysis.inputs import Smallest, sized, smallest_input, unread
from archcalc.api import Network
from archcalc.graph.model import Graph
from archcalc.operators.model import Repeat, Samples, Spread, Window
from archcalc.operators.shape import Shape
from archcalc.reports.documents import document, field_document
from archcalc.reports.layout import both, label, output, pair, single, title
from archcalc.reports.model import Column, Ranked, Report
from archcalc.reports.table import Table
from archcalc.units import grouped, percent

COLUMNS = (
    Column("layer", "layer", "name"),
    Column("output", "output", "text", spare=1),
    Column("field", "field", "text"),
    Column("stride", "stride", "text"),
    Column("padding", "padding", "text"),
    Column("offset", "offset", "text"),
    Column("note", "", "words"),
)


def report(network: Network, table: Table) -> Report:
    """Return the receptive field of every map, and the smallest sensible input."""
    analysis = network.analyze()
    fields = receptive_fields(analysis.graph)
    field_of = {layer.path: field for layer, field in zip(analysis.layers, fields.nodes, strict=True)}

    def changes(layer: Layer) -> bool:
        node = layer.node
        geometry = node.operator.geometry(*layer.inputs)
        return isinstance(geometry, Window | Spread | Repeat | Samples) or len(node.inputs) > 1

    rows, names = single(analysis, changes, table)
    cells = [
        _cells(name, output(row), field_of[row.shown.path], analysis.graph)
        for row, name in zip(rows, names, strict=True)
    ]
    smallest = smallest_input(network.spec, network.values, network.variant, analysis.graph, fields)

    def documents() -> list[dict[str, Any]]:
        return [{**document(network, analysis, rows), "field": _document(analysis, fields, smallest)}]

    remarks = _remarks(analysis, fields, smallest)
    return Report(
        title(network, analysis), COLUMNS, tuple(cells), None, remarks, documents, label(network)
    )


def _cells(name: str, output: Ranked, field: Field, graph: Graph) -> dict[str, Any]:
    axes, notes = field.sides, []
    if not axes:
        return {"layer": name, "output": output, "field": pair(()), "note": "the whole image"}
    image = graph.input.extents
    if len(axes) == len(image) and any(a.size > n for a, n in zip(axes, image, strict=True)):
        notes.append("exceeds image")
    if not field.aligned:
        notes.append("misaligned")
    return {
        "layer": name,
        "output": output,
        **{name: pair(getattr(axis, name) for axis in axes) for name in ("stride", "padding", "offset")},
        "field": pair(axis.size for axis in axes),
        "note": ", ".join(notes),
    }


def _remarks(analysis: Analysis, fields: Fields, smallest: Smallest) -> tuple[str, ...]:
    graph, field = analysis.graph, fields.of_network
    lines = []
    if field.sides and fields.network:
        size = both(axis.size for axis in field.sides)
        lines.append(f"the network sees {size} pixels, at {graph.nodes[fields.network].path}")
    else:
        seen = (n.path for n, f in zip(graph.nodes, fields.nodes, strict=True) if f.is_global)
        if (whole := next(seen, None)) is not None:
            lines.append(f"the network sees the whole image, from {whole} on")
    if smallest.legal is not None:
        legal, kind = _sides(graph, smallest.legal), _kind(graph.input)
        sensible = f", sensible from {_sides(graph, smallest.sensible)}" if smallest.sensible else ""
        lines.append(f"smallest {kind}: {legal}{sensible}")
    for gap in list(unread(graph))[:4]:
        share = percent(gap.positions, gap.of)
        path = graph.nodes[gap.node].path
        lines.append(
            f"unread: {grouped(gap.positions)} of {grouped(gap.of)} positions of {path} ({share})"
        )
    return tuple(lines)


def _sides(graph: Graph, side: int) -> str:
    """Write the size of a smallest input: a square by its side, a strip or a volume by all sides."""
    return both(map(int, sized(graph.input, side).extents))


def _kind(input: Shape) -> str:
    if input.rank != 2:
        return "input"
    return "strip" if 1 in input.extents else "square input"


def _document(analysis: Analysis, fields: Fields, smallest: Smallest) -> dict[str, Any]:
    graph = analysis.graph
    return {
        "network": field_document(fields.of_network),
        "network_map": graph.nodes[fields.network].path,
        "maps": [
            {"path": node.path, **field_document(field)}
            for node, field in zip(graph.nodes, fields.nodes, strict=True)
        ],
        "smallest": smallest._asdict(),
        "unread": [
            {"path": graph.nodes[gap.node].path, "positions": gap.positions, "of": gap.of}
            for gap in unread(graph)
        ],
    }
