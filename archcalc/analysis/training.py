"""What one step of training multiplies: forward, back to the inputs, back to the weights.

A product of a weight and a value has two derivatives, each as many products again: that of the value
goes on to earlier layers, if any of them is trained, and that of the weight is what training changes it
by, if it is not frozen. A product of two values (queries and keys) goes back to both.
"""

from __future__ import annotations

from archcalc.analysis.costs import Analysis, Layer
from archcalc.graph.model import Graph
from archcalc.operators.model import TRAINABLE
from archcalc.symbols import Int
from archcalc.tuples import NamedTuple


class Backward(NamedTuple):
    """Multiplies of one image on the way back through a layer."""

    to_inputs: Int = 0
    to_weights: Int = 0


def backward(analysis: Analysis) -> tuple[Backward, ...]:
    """What each layer multiplies on the way back, in their order."""
    graph, needed = analysis.graph, gradients(analysis)
    return tuple(_backward(graph, index, layer, needed) for index, layer in enumerate(analysis.layers))


def gradients(analysis: Analysis) -> list[bool]:
    """Whether a node's output needs a derivative: something trained lies on the way to it."""
    needed: list[bool] = []
    for index, layer in enumerate(analysis.layers):
        own = trained(analysis.graph, index, layer)
        needed.append(own or any(needed[i] for i in layer.node.inputs))
    return needed


def trained(graph: Graph, index: int, layer: Layer) -> bool:
    """Whether a layer uses weights that training changes, its own or another's."""
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
    if layer.node.operator.weights(
        *layer.inputs
    ):  # what is multiplied inside comes from its projections
        both = 2 * of_values if own or any(before) else 0
    else:
        both = sum(before) * of_values
    return Backward((of_weights if any(before) else 0) + both, of_weights if own else 0)
