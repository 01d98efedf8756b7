"""Lay out networks as reports: which rows, base beside change, titles, the JSON of a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from archcalc.analysis.costs import Analysis, Costs, Layer
from archcalc.analysis.summary import (
    EVERY_LAYER,
    Matters,
    Row,
    fitting_depth,
    named,
    short_names,
    summarize,
)
from archcalc.api import Network
from archcalc.operators.model import Extent, Operator, Work
from archcalc.operators.shape import Shape
from archcalc.reports.model import Ranked
from archcalc.reports.table import Table
from archcalc.spec.settings import show_value
from archcalc.symbols import Int
from archcalc.units import printable

if TYPE_CHECKING:
    from fractions import Fraction

    from archcalc.analysis.field import Field
    from archcalc.analysis.field_axis import FieldAxis

AXIS = ("size", "stride", "padding", "offset")

Measure = Callable[[Costs], Int]


def title(network: Network, analysis: Analysis) -> str:
    """Return a title: 'VGG-16 · 224×224×3 → 1000 · 16 weight layers'."""
    graph = analysis.graph
    layers = analysis.weight_layers
    parts = [printable(network.title), f"{graph.input} → {graph.nodes[graph.output].shape}"]
    if layers > 1:
        parts.append(f"{layers} weight layers")
    if graph.side_outputs:
        parts.append(f"also {', '.join(name for name, _ in graph.side_outputs)}")
    return " · ".join([*parts, *map(printable, changes(network))])


def change_label(network: Network) -> str:
    """Return the header over the changed column: 'bottleneck=16'."""
    label = printable(" ".join(changes(network)))
    return label if len(label) <= 24 else "changed"


def label(network: Network) -> str:
    """Return the network's name as on a command line: 'resnet50:stride=1x1'."""
    return printable(":".join([network.name, *changes(network)]))


def changes(network: Network) -> list[str]:
    return [f"{name}={show_value(value)}" for name, value in network.changed.items()]


def single(analysis: Analysis, matters: Matters, table: Table) -> tuple[list[Row], list[str]]:
    """Return the rows of one network and their name."""
    rows = summarize(analysis, matters, _depth([analysis], matters, table))
    paths = [row.path for row in rows]
    names = paths if table.all or table.format == "json" else short_names(paths)
    return [named(row, name) for row, name in zip(rows, names, strict=True)], names


def rows_of(analysis: Analysis, table: Table) -> list[Row]:
    """Return every layer, or every block at this depth."""
    return summarize(analysis, lambda layer: True, EVERY_LAYER if table.all else table.depth)


def _depth(analyses: list[Analysis], matters: Matters, table: Table) -> int | None:
    return EVERY_LAYER if table.all else table.depth or fitting_depth(analyses, matters)


def beside(base: Analysis, changed: Analysis, measure: Measure, table: Table) -> list[dict[str, Any]]:
    """Match the rows of two analyses by path, side by side; a changed group gets its own line."""

    def matters(layer: Layer) -> bool:
        return bool(measure(layer.costs))

    chosen = _depth([base, changed], matters, table)
    merged = _merge(summarize(base, matters, chosen), summarize(changed, matters, chosen))
    paths = [(after or before).path for before, after in merged]  # type: ignore[union-attr]
    names = paths if table.all else short_names(paths)
    rows: list[dict[str, Any]] = []
    for i, ((before, after), name) in enumerate(zip(merged, names, strict=True)):
        rows.append({"layer": name, **_pair(before, after, measure, name)})
        group = name.rpartition("/")[0]
        if group and not any(later.startswith(f"{group}/") for later in names[i + 1 :]):
            rows += _subtotal(group, rows)
    return rows


def _pair(before: Row | None, after: Row | None, measure: Measure, name: str) -> dict[str, Any]:
    row = after or before
    assert row is not None
    base = measure(before.costs) if before else None
    changed = measure(after.costs) if after else None
    change = (base, changed) if base != changed else None
    sums = arithmetic(after) if after else None
    return {
        "output": output(named(row, name)),
        "base": base,
        "changed": changed,
        "change": change,
        "arithmetic": sums,
    }


def _subtotal(group: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the line of a group that changed and has several rows."""
    members = [r for r in rows if r["layer"].startswith(f"{group}/") and not r.get("strong")]
    base, changed = _sum(members, "base"), _sum(members, "changed")
    if base == changed or len(members) < 2:
        return []
    return [
        {
            "layer": group,
            "base": base,
            "changed": changed,
            "change": (base, changed),
            "strong": True,
            "subtotal": True,
        }
    ]


def _sum(rows: list[dict[str, Any]], key: str) -> int | None:
    """Return the sum of a column, None if none of the rows has it."""
    values = [row[key] for row in rows if row[key] is not None]
    return sum(values) if values else None


def _merge(before: Sequence[Row], after: Sequence[Row]) -> list[tuple[Row | None, Row | None]]:
    """Merge both lists in the order after the change, with removed rows at their old places."""
    position = {row.path: i for i, row in enumerate(before)}
    merged: list[tuple[Row | None, Row | None]] = []
    taken = 0
    new = {row.path for row in after}
    for row in after:
        at = position.get(row.path)
        if at is not None:
            merged += [(gone, None) for gone in before[taken:at] if gone.path not in new]
            taken = max(taken, at + 1)
        merged.append((before[at] if at is not None else None, row))
    merged += [(gone, None) for gone in before[taken:] if gone.path not in new]
    return merged


def both(sides: Iterable[Fraction | int]) -> str:
    """Return height and width, as one number where they agree: '7', '3×7', '0.5'."""
    texts = list(map(_decimal, sides))
    return texts[0] if len(set(texts)) == 1 else "×".join(texts)


def _decimal(value: Fraction | int) -> str:
    """Return a number with all digits before the point and six after it if exact, else three."""
    if value.denominator == 1:
        return str(int(value))
    places = 3 if 10**6 % value.denominator else 6
    scaled = round(value * 10**places)
    whole, part = divmod(abs(scaled), 10**places)
    return f"{'-' if scaled < 0 else ''}{whole}.{part:0{places}}".rstrip("0").rstrip(".")


def output(row: Row) -> Ranked:
    """Return the shape that a row shows."""
    return ranked(row.shape)


def ranked(shape: Shape) -> Ranked:
    """Return a shape, sorted by how many values it has."""
    return Ranked(str(shape), shape.values)


def pair(axes: Iterable[int | Fraction]) -> Ranked:
    """Return a property of all axes, sorted by the largest; without them it is the whole image."""
    found = list(axes)
    return Ranked(both(found), (max(found), min(found))) if found else Ranked("all", (inf, inf))


def arithmetic(row: Row) -> str | None:
    """Return the products of a row if a single layer has them: '28·28·32 × 5·5·192'."""
    layers = [layer for layer in row.layers if layer.costs.multiplies]
    if len(layers) != 1:
        return None
    work = layers[0].node.operator.work(*layers[0].inputs)
    products = [_product(w) for w in work if w.kind == "products"]
    return " + ".join(products)


def _product(work: Work) -> str:
    return " × ".join(map(_extent, work.extents))


def _extent(extent: Extent) -> str:
    return "·".join(str(factor) for _, factor in extent.factors)


def document(network: Network, analysis: Analysis, rows: Sequence[Row] | None = None) -> dict[str, Any]:
    """Return a network as JSON: always the same keys, exact integers; every layer without `rows`."""
    from archcalc.analysis.field import receptive_fields  # a table of counts does without
    from archcalc.analysis.memory import measure

    base, memory = network.base, measure(analysis.graph)
    fields = receptive_fields(analysis.graph).nodes
    number = {layer.path: i for i, layer in enumerate(analysis.layers)}
    return {
        "name": network.name,
        "title": network.title,
        "spec": network.spec.source.name,
        "paper": network.about("paper"),
        "year": network.about("year"),
        "variables": {k: _plain(v) for k, v in network.values.items()},
        "changed": {k: _plain(v) for k, v in network.changed.items()},
        "input": list(analysis.graph.input),
        "output": list(analysis.graph.nodes[analysis.graph.output].shape),
        "weight_layers": analysis.weight_layers,
        "peak": memory.peak,
        "total": costs_document(analysis.total),
        "base_total": costs_document(base.analyze().total) if base else None,
        "not_shown": 0,
        "layers": [
            {
                **_layer(analysis, row),
                "field": field_document(fields[number[row.shown.path]]),
                "alive": max(memory.steps[number[layer.path]].live for layer in row.layers),
                **costs_document(row.costs),
            }
            for row in rows or summarize(analysis, lambda layer: True, EVERY_LAYER)
        ],
    }


def costs_document(costs: Costs) -> dict[str, Any]:
    plain = costs._asdict()
    plain["census"] = costs.census._asdict()
    return {"parameters": costs.parameters, "flops": costs.flops, **plain}


def _layer(analysis: Analysis, row: Row) -> dict[str, Any]:
    """Return the kind of a row: the operator of a layer, the number of layers of a block."""
    (layer,) = row.layers if len(row.layers) == 1 else (None,)
    operator = layer.node.operator if layer else None
    inside = {layer.path for layer in row.layers}
    read = [analysis.layers[i].path for layer in row.layers for i in layer.node.inputs]
    return {
        "path": row.path,
        "operator": operator.name if operator else None,
        "arguments": _arguments(operator) if operator else None,
        "text": str(operator) if operator else None,
        "kind": layer.kind if layer else None,
        "layers": len(row.layers),
        "inputs": [p for i, p in enumerate(read) if layer or (p not in inside and p not in read[:i])],
        "output": list(row.shape),
        "arithmetic": arithmetic(row),
    }


def _arguments(operator: Operator) -> dict[str, Any]:
    """Return all arguments of an operator by name; one size an axis as a list."""
    return {a.name: _listed(getattr(operator, a.attribute)) for a in operator.arguments}


def _listed(value: Any) -> Any:
    return [_listed(item) for item in value] if isinstance(value, tuple) else value


def field_document(field: Field) -> dict[str, Any]:
    """Return the field of a value by axis; None: all of the image."""
    return {
        "aligned": field.aligned,
        **{name: _axis(axis) for name, axis in field.named},
    }


def _axis(axis: FieldAxis | None) -> dict[str, Any] | None:
    return {name: _number(getattr(axis, name)) for name in AXIS} if axis else None


def _number(value: Any) -> Any:
    """Return an integer where the value is whole."""
    return int(value) if value.denominator == 1 else float(value)


def _plain(value: Any) -> Any:
    """Return a variable's value as JSON; decimals as numbers."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, int | str) else float(value)
