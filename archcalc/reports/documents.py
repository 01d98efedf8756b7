"""Return networks as JSON documents: always the same keys, exact integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archcalc.analysis.costs import Analysis, Costs
from archcalc.analysis.summary import EVERY_LAYER, Row, summarize
from archcalc.api import Network
from archcalc.operators.model import Operator
from archcalc.reports.layout import arithmetic

if TYPE_CHECKING:
    from archcalc.analysis.field import Field
    from archcalc.analysis.field_axis import FieldAxis

AXIS = ("size", "stride", "padding", "offset")


def document(network: Network, analysis: Analysis, rows: Sequence[Row] | None = None) -> dict[str, Any]:
    """Return a network as JSON, with its `rows`; without them, with every layer."""
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
    """Return counts as JSON, with parameters and FLOPs."""
    plain = costs._asdict()
    plain["census"] = costs.census._asdict()
    return {"parameters": costs.parameters, "flops": costs.flops, **plain}


def _layer(analysis: Analysis, row: Row) -> dict[str, Any]:
    """Return what a row is: a layer with its operator, or a block with its number of layers."""
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
    """Return all arguments of an operator by name; those with a size for each axis as lists."""
    return {a.name: _listed(getattr(operator, a.attribute)) for a in operator.arguments}


def _listed(value: Any) -> Any:
    return [_listed(item) for item in value] if isinstance(value, tuple) else value


def field_document(field: Field) -> dict[str, Any]:
    """Return the receptive field of a value by axis; None stands for the whole image."""
    return {
        "aligned": field.aligned,
        **{name: _axis(axis) for name, axis in field.named},
    }


def _axis(axis: FieldAxis | None) -> dict[str, Any] | None:
    return {name: _number(getattr(axis, name)) for name in AXIS} if axis else None


def _number(value: Any) -> Any:
    """Return a fraction as an integer if it is whole, else as a float."""
    return int(value) if value.denominator == 1 else float(value)


def _plain(value: Any) -> Any:
    """Return a variable's value as JSON has it: a fraction as a float."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, int | str) else float(value)
