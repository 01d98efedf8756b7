"""Compute what fine-tuning costs at each point up to which a network may be frozen.

A point is the end of a top-level block or line whose output alone feeds the rest of the network. The
frozen part runs as in inference, so its output for an image never changes, and may be computed once
and stored.
"""

from __future__ import annotations

from copy import copy

from archcalc.analysis.costs import Analysis, analyze
from archcalc.analysis.kept import kept, viewed
from archcalc.analysis.step import TrainingStep, step
from archcalc.analysis.training import backward
from archcalc.formats import BITS, Formats
from archcalc.graph.model import Graph
from archcalc.operators.convolution import Conv
from archcalc.operators.linear import Linear
from archcalc.tuples import NamedTuple


class FreezePoint(NamedTuple):
    """A network frozen up to the node `cut`; its multiplies are per image.

    Attributes:
        before: the multiplies of the frozen part (forward).
        step: the multiplies of a whole step, forward and backward.
        values: the number of values in the tensor at the cut.
        training: the memory of a step.
    """

    cut: int
    path: str
    trainable: int
    frozen: int
    before: int
    step: int
    values: int
    training: TrainingStep

    def kept_bytes(self, images: int, formats: Formats) -> int:
        """Return the bytes that the tensor at the cut takes for all images."""
        return -(-images * self.values * BITS[formats.activations] // 8)

    def saved(self, images: int, epochs: int) -> int:
        """Return the multiplies saved if the frozen part runs once per image, not in each epoch."""
        return self.before * images * (epochs - 1)


def points(graph: Graph, formats: Formats, optimizer: str, attention: str) -> tuple[FreezePoint, ...]:
    """Return the points, from nothing frozen to all but the last layer with weights.

    Of points with equally many frozen parameters, the one with the smallest tensor at the cut is kept.
    """
    found: dict[int, FreezePoint] = {}
    for cut in (0, *cuts(graph)):
        point = _measured(graph, cut, formats, optimizer, attention)
        known = found.get(point.frozen)
        if point.trainable and (known is None or (point.values < known.values and known.cut)):
            found[point.frozen] = point
    return tuple(found[frozen] for frozen in sorted(found))


def cuts(graph: Graph) -> list[int]:
    """Return the nodes that end a top-level block or line and alone feed all later nodes."""
    last = list(range(len(graph.nodes)))
    for index, node in enumerate(graph.nodes):
        for i in node.inputs:
            last[viewed(graph, i)] = index
    for index in graph.outputs:
        last[viewed(graph, index)] = len(graph.nodes)
    tops = [node.path.partition("/")[0] for node in graph.nodes]
    return [
        cut
        for cut in range(graph.inputs, len(graph.nodes) - 1)
        if tops[cut] != tops[cut + 1]
        and {i for i in range(cut + 1) if last[i] > cut} == {viewed(graph, cut)}
    ]


def _measured(graph: Graph, cut: int, formats: Formats, optimizer: str, attention: str) -> FreezePoint:
    nodes = graph.frozen | set(range(graph.inputs, cut + 1))
    analysis: Analysis = analyze(graph._replace(frozen=frozenset(nodes)))
    back = sum(int(way.to_inputs) + int(way.to_weights) for way in backward(analysis))
    return FreezePoint(
        cut,
        graph.nodes[cut].path,
        int(analysis.total.trainable),
        int(analysis.total.frozen),
        sum(int(layer.costs.multiplies) for layer in analysis.layers[: cut + 1]),
        int(analysis.multiplies) + back,
        int(graph.nodes[cut].shape.values),
        step(analysis, kept(analysis, attention), formats, optimizer),
    )


def new_head(graph: Graph, units: int) -> tuple[Graph, int] | None:
    """Return the network with `units` outputs of its last dense layer or conv, and that node's number.

    Returns None if there is no such layer, if it shares its weights or has groups or a table, or if its
    output is only a part of the network's.
    """
    leads = _ancestors(graph)
    heads = [i for i in leads if isinstance(graph.nodes[i].operator, (Linear, Conv))]
    if not heads:
        return None
    head = max(heads)
    node = graph.nodes[head]
    if node.shares >= 0 or any(other.shares == head for other in graph.nodes):
        return None
    if node.shape.channels != graph.nodes[graph.output].shape.channels:
        return None
    made = copy(node.operator)
    if isinstance(made, Linear):
        made.units = units
    elif isinstance(made, Conv) and made.g == 1 and made.table is None:
        made.filters = units
    else:
        return None
    nodes = list(graph.nodes)
    nodes[head] = node._replace(operator=made)
    for index in range(head, len(nodes)):
        if nodes[index].inputs:
            shapes = tuple(nodes[i].shape for i in nodes[index].inputs)
            nodes[index] = nodes[index]._replace(shape=nodes[index].operator.output_shape(*shapes))
    return graph._replace(nodes=tuple(nodes)), head


def _ancestors(graph: Graph) -> set[int]:
    found, waiting = set(), [graph.output]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += graph.nodes[node].inputs
    return found
