"""List the tensors of the forward pass that a training step keeps for the backward pass.

A view counts as the tensor that it views. The derivatives that are needed decide: nothing is kept for
frozen weights, nor before the first trained layer. A frozen batch norm uses its stored statistics, so
its derivative needs none of its values.
"""

from __future__ import annotations

from collections.abc import Callable

from archcalc.analysis.costs import Analysis, Layer
from archcalc.analysis.training import gradients, trained
from archcalc.graph.model import Graph
from archcalc.operators.kept import NOTHING, OUTPUT, WEIGHTS, Intermediate, KeepRules
from archcalc.operators.model import STATISTICS
from archcalc.symbols import Int
from archcalc.tuples import NamedTuple


class KeptTensor(NamedTuple):
    """The output of `node`, or its intermediate tensor `made`; derivatives of the nodes `by` need it."""

    node: int
    made: Intermediate | None
    by: tuple[int, ...]

    def size(self, graph: Graph) -> Int:
        """Return the number of values."""
        return graph.nodes[self.node].shape.values if self.made is None else self.made.values


def kept(
    analysis: Analysis, kernel: str, rules: Callable[[Layer], KeepRules] | None = None
) -> tuple[KeptTensor, ...]:
    """Return all tensors that are kept for the backward pass, in the order in which they are made.

    Args:
        kernel: the kernel of attention: fused or plain.
        rules: returns what a layer keeps; by default, what its derivatives need.
    """
    graph, needed = analysis.graph, gradients(analysis)
    found: dict[tuple[int, Intermediate | None], list[int]] = {}
    for index, layer in enumerate(analysis.layers):
        wanted = {i for i, before in enumerate(layer.node.inputs) if needed[before]}
        wanted |= {WEIGHTS} if trained(graph, index, layer) else set()
        for what, of, only in rules(layer) if rules else needed_values(analysis, index):
            if wanted.intersection(of) and only in ("", kernel):
                made = what if isinstance(what, Intermediate) else None
                node = index if made or what == OUTPUT else layer.node.inputs[what]  # type: ignore[index]
                found.setdefault((index if made else viewed(graph, node), made), []).append(index)
    order = sorted(found, key=lambda key: key[0])
    return tuple(KeptTensor(*key, tuple(dict.fromkeys(found[key]))) for key in order if _any(*key))


def needed_values(analysis: Analysis, index: int) -> KeepRules:
    """Return the values that the derivatives of a layer need."""
    layer = analysis.layers[index]
    holder = index if layer.node.shares < 0 else layer.node.shares
    weights = layer.node.operator.weights(*layer.inputs)
    if holder in analysis.graph.frozen and any(weight.role in STATISTICS for weight in weights):
        return NOTHING
    return layer.node.operator.kept(*layer.inputs)


def viewed(graph: Graph, node: int) -> int:
    """Return the node whose output a view shows; the node itself if it is no view."""
    while graph.nodes[node].operator.buffer == "view":
        node = graph.nodes[node].inputs[0]
    return node


def _any(_: int, made: Intermediate | None) -> bool:
    return made is None or bool(made.values > 0)
