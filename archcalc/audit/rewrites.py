"""The same network as a reimplementation or a converter may have it, without a word.

Its pools round the other way, or its batch norms are folded into the layers before them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from archcalc.errors import ArchError
from archcalc.graph.model import Graph, Node
from archcalc.operators.convolution import Conv, Deconv
from archcalc.operators.linear import Linear
from archcalc.operators.model import Operator
from archcalc.operators.normalization import BatchNorm
from archcalc.operators.pooling import Pool


class Rewrite(NamedTuple):
    """A graph made anew, and what is then different; where nothing is, it is the same graph."""

    of: Callable[[Graph], Graph]
    says: str
    weight: int = 14  # among the changes of archcalc.audit.relatives

    def makes_another(self, graph: Graph) -> bool:
        """Whether it changes the graph, and shapes fit then."""
        try:
            return self.of(graph) is not graph
        except ArchError:
            return False


def _with(operator: Operator, **changes: Any) -> Operator:
    arguments = {a.name: getattr(operator, a.attribute) for a in operator.arguments}
    return type(operator)(**{**arguments, **changes})


def _rounded(graph: Graph, up: bool) -> Graph:
    """The outputs of all pools rounded up, or down.

    Raises:
        ShapeError: shapes then do not fit.
    """
    if not any(_turns(node.operator, up) for node in graph.nodes):
        return graph
    nodes: list[Node] = []
    for node in graph.nodes:
        operator = _with(node.operator, ceil=up) if _turns(node.operator, up) else node.operator
        shape = operator.output_shape(*(nodes[i].shape for i in node.inputs))
        nodes.append(node._replace(operator=operator, shape=shape))
    return graph._replace(nodes=tuple(nodes))


def _turns(operator: Operator, up: bool) -> bool:
    """Whether it is a pool that rounds the other way."""
    return isinstance(operator, Pool) and not operator.same and operator.ceil != up


def _folded(graph: Graph) -> Graph:
    """Without the batch norms that alone read a conv or linear layer, which then has a bias."""
    norms = _foldable(graph)
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
            operator = biased.setdefault(id(operator), _with(operator, nobias=False))
        places.append(len(nodes))
        nodes.append(node._replace(operator=operator, inputs=tuple(places[i] for i in node.inputs)))
    sides = tuple((name, places[i]) for name, i in graph.side_outputs)
    return graph._replace(nodes=tuple(nodes), output=places[graph.output], side_outputs=sides)


def _foldable(graph: Graph) -> set[int]:
    """Batch norms whose input nothing else reads."""
    readers = [0] * len(graph.nodes)
    for index in (*graph.outputs, *(i for node in graph.nodes for i in node.inputs)):
        readers[index] += 1
    return {
        index
        for index, node in enumerate(graph.nodes)
        if isinstance(node.operator, BatchNorm)
        and isinstance(graph.nodes[node.inputs[0]].operator, Conv | Deconv | Linear)
        and readers[node.inputs[0]] == 1
    }


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
}
