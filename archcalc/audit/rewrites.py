"""Rewrite a network as a reimplementation or a converter may silently have it.

Its pools round the other way, its batch norms are folded into the layers before them, or its
separable convolutions are full ones.
"""

from __future__ import annotations

from collections.abc import Callable

from archcalc.analysis.deployment import foldable, readers_of
from archcalc.errors import ArchError
from archcalc.graph.model import Graph, Node
from archcalc.operators.convolution import Conv
from archcalc.operators.model import Operator
from archcalc.operators.pooling import Pool
from archcalc.tuples import NamedTuple


class Rewrite(NamedTuple):
    """A graph rewritten, with words for the difference; where nothing changes, the same graph."""

    of: Callable[[Graph], Graph]
    says: str
    weight: int = 14  # among the changes of archcalc.audit.neighbors

    def makes_another(self, graph: Graph) -> bool:
        """Return whether the rewrite changes the graph and its shapes still fit."""
        try:
            return self.of(graph) is not graph
        except ArchError:
            return False


def _rounded(graph: Graph, up: bool) -> Graph:
    """Return the graph with the outputs of all pools rounded up, or down.

    Raises:
        ShapeError: the shapes no longer fit.
    """
    if not any(_turns(node.operator, up) for node in graph.nodes):
        return graph
    nodes: list[Node] = []
    for node in graph.nodes:
        operator = node.operator.replaced(ceil=up) if _turns(node.operator, up) else node.operator
        shape = operator.output_shape(*(nodes[i].shape for i in node.inputs))
        nodes.append(node._replace(operator=operator, shape=shape))
    return graph._replace(nodes=tuple(nodes))


def _turns(operator: Operator, up: bool) -> bool:
    """Return whether the operator is a pool that rounds the other way."""
    return isinstance(operator, Pool) and not operator.same and operator.ceil != up


def _folded(graph: Graph) -> Graph:
    """Remove the batch norms that alone read a conv or linear layer, which then has a bias."""
    norms = foldable(graph)
    if not norms:
        return graph
    before = {graph.nodes[norm].inputs[0] for norm in norms}
    biased: dict[int, Operator] = {}  # equal layers share their operator
    places: list[int] = []
    nodes: list[Node] = []
    for index, node in enumerate(graph.nodes):
        if index in norms:
            places.append(places[node.inputs[0]])
            continue
        operator = node.operator
        if index in before:
            operator = biased.setdefault(id(operator), operator.replaced(nobias=False))
        places.append(len(nodes))
        nodes.append(node._replace(operator=operator, inputs=tuple(places[i] for i in node.inputs)))
    return _renumbered(graph, nodes, places)


def _full(graph: Graph) -> Graph:
    """Replace each depthwise convolution and its pointwise one by one convolution over all channels."""
    readers = readers_of(graph)
    depthwise: dict[int, int] = {}  # by the index of the pointwise one
    skipped: dict[int, int] = {}  # the replacements of removed nodes
    for index, node in enumerate(graph.nodes):
        way = _separable(graph, index, readers) if _pointwise(node.operator) else []
        if way:
            depthwise[index] = way[-1]
            skipped |= dict.fromkeys(way, graph.nodes[way[-1]].inputs[0])
    if not depthwise:
        return graph
    places, nodes = list[int](), list[Node]()
    for index, node in enumerate(graph.nodes):
        if index in skipped:
            places.append(places[skipped[index]])
            continue
        if index in depthwise:
            window = graph.nodes[depthwise[index]].operator
            same = {name: getattr(window, name) for name in ("k", "s", "p", "d", "half", "same")}
            node = node._replace(operator=node.operator.replaced(**same))
        places.append(len(nodes))
        nodes.append(node._replace(inputs=tuple(places[i] for i in node.inputs)))
    return _renumbered(graph, nodes, places)


def _pointwise(operator: Operator) -> bool:
    return isinstance(operator, Conv) and {*operator.k, *operator.s, operator.g} == {1}


def _separable(graph: Graph, index: int, readers: list[int]) -> list[int]:
    """Return the path from before a pointwise convolution back to its depthwise one, if there is one."""
    way = []
    while True:
        (index,) = graph.nodes[index].inputs
        operator = graph.nodes[index].operator
        way.append(index)
        if readers[index] > 1:
            return []
        if isinstance(operator, Conv):
            (x,) = graph.input_shapes(graph.nodes[index])
            spatial = set(operator.k) != {1}
            return way if spatial and operator.g == x.channels == operator.filters else []
        if operator.buffer != "in place" or len(graph.nodes[index].inputs) != 1:
            return []


def _renumbered(graph: Graph, nodes: list[Node], places: list[int]) -> Graph:
    """Return the graph of other nodes, with its outputs, and what it shares, at their new places."""
    nodes = [n if n.shares < 0 else n._replace(shares=places[n.shares]) for n in nodes]
    sides = tuple((name, places[i]) for name, i in graph.side_outputs)
    return graph._replace(nodes=tuple(nodes), output=places[graph.output], side_outputs=sides)


REWRITES = {
    "pools rounded down": Rewrite(
        lambda graph: _rounded(graph, up=False), "the outputs of pools are rounded down"
    ),
    "pools rounded up": Rewrite(
        lambda graph: _rounded(graph, up=True), "the outputs of pools are rounded up"
    ),
    "batch norm folded": Rewrite(
        _folded,
        "batch norm is folded into the layer before it, and its shift is that layer's bias",
        12,
    ),
    "full convolutions": Rewrite(
        _full, "each depthwise and pointwise convolution are one that reads all channels", 16
    ),
}
