"""The same network with pools that round the other way: what a reimplementation may do silently."""

from __future__ import annotations

from archcalc.graph.model import Graph, Node
from archcalc.operators.model import Operator
from archcalc.operators.pooling import Pool


def turns(operator: Operator, up: bool) -> bool:
    """Whether it is a pool that rounds the other way."""
    return isinstance(operator, Pool) and not operator.same and operator.ceil != up


def rounded(graph: Graph, up: bool) -> Graph:
    """The same network with the output of every pool rounded up, or down.

    Raises:
        ShapeError: shapes then do not fit.
    """
    nodes: list[Node] = []
    for node in graph.nodes:
        operator: Operator = node.operator
        if turns(operator, up):
            arguments = {a.name: getattr(operator, a.attribute) for a in operator.arguments}
            operator = type(operator)(**{**arguments, "ceil": up})
        shape = operator.output_shape(*(nodes[i].shape for i in node.inputs))
        nodes.append(node._replace(operator=operator, shape=shape))
    return graph._replace(nodes=tuple(nodes))
