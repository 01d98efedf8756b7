"""Count the multiplies of a training step's backward pass: to inputs, and to weights.

A product of a weight and a value has two derivatives, and each takes as many products again. That by the
value is needed if an earlier layer is trained; that by the weight, if it is not frozen. A product of two
values (queries and keys) has derivatives by both.
"""

from __future__ import annotations

from archcalc.analysis.costs import Analysis, Layer
from archcalc.graph.model import Graph
from archcalc.operators.model import TRAINABLE
from archcalc.symbols import Int
from archcalc.tuples import NamedTuple


class Backward(NamedTuple):
    """The multiplies of a layer in the backward pass, for one image."""

    to_inputs: Int = 0
    to_weights: Int = 0


def backward(analysis: Analysis) -> tuple[Backward, ...]:
    """Return the multiplies of each layer in the backward pass, in the order of the layers."""
    graph, needed = analysis.graph, gradients(analysis)
    return tuple(_backward(graph, index, layer, needed) for index, layer in enumerate(analysis.layers))


def gradients(analysis: Analysis) -> list[bool]:
    """Return for each node whether its output needs a derivative: it or one before it is trained."""
    needed: list[bool] = []
    for index, layer in enumerate(analysis.layers):
        own = trained(analysis.graph, index, layer)
        needed.append(own or any(needed[i] for i in layer.node.inputs))
    return needed


def trained(graph: Graph, index: int, layer: Layer) -> bool:
    """Return whether a layer uses weights that training changes, its own or shared ones."""
    holder = index if layer.node.shares < 0 else layer.node.shares
    weights = layer.node.operator.weights(*layer.inputs)
    return holder not in graph.frozen and any(weight.role in TRAINABLE for weight in weights)


def _backward(graph: Graph, index: int, layer: Layer, needed: list[bool]) -> Backward:
    of_weights: Int = 0
    of_values: Int = 0
    for work in layer.node.operator.work(*layer.inputs):
        if work.kind == "products" and work.of_values:
            of_values = of_values + work.total
        elif work.kind == "products":
            of_weights = of_weights + work.total
    own, before = trained(graph, index, layer), [needed[i] for i in layer.node.inputs]
    if layer.node.operator.weights(*layer.inputs):  # its factors come from projections of its own
        both = 2 * of_values if own or any(before) else 0
    else:
        both = sum(before) * of_values
    return Backward((of_weights if any(before) else 0) + both, of_weights if own else 0)
